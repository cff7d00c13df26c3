import { createElement as h } from "react";
import { renderToString } from "react-dom/server";
import { createIntl, FormattedDate, FormattedMessage, FormattedNumber, IntlProvider } from "react-intl";

export default function () {
  const messages = { hi: "{n, plural, one {# Notiz} other {# Notizen}} von <b>{who}</b>" };
  const b = (text) => h("b", { key: "b" }, text);
  const page = h(
    IntlProvider,
    { locale: "de", messages, timeZone: "UTC" },
    h(FormattedMessage, { id: "hi", values: { n: 2, who: "Ann", b } }),
    h(FormattedNumber, { value: 1234.5, style: "currency", currency: "EUR" }),
    h(FormattedDate, { value: new Date(0), dateStyle: "long" }),
  );
  const intl = createIntl({ locale: "en", timeZone: "UTC" });
  return [renderToString(page), intl.formatList(["a", "b", "c"]), intl.formatRelativeTime(-2, "day")];
}

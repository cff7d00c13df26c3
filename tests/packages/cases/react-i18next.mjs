import i18next from "i18next";
import { createElement as h } from "react";
import { renderToString } from "react-dom/server";
import { I18nextProvider, Trans, useTranslation } from "react-i18next";

function View() {
  const { t } = useTranslation();
  return h("p", null, t("hi"), h(Trans, { i18nKey: "bold", components: { b: h("b") } }));
}

export default async function () {
  const i18n = i18next.createInstance();
  await i18n.init({ lng: "en", resources: { en: { translation: { hi: "hi", bold: "a <b>b</b>" } } } });
  return renderToString(h(I18nextProvider, { i18n }, h(View)));
}

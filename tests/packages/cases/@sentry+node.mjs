import * as Sentry from "@sentry/node";

export default async function () {
  const events = [];
  Sentry.init({
    dsn: "http://k@127.0.0.1/1",
    tracesSampleRate: 0,
    defaultIntegrations: false,
    beforeSend: (event) => (events.push(event), null),
  });
  Sentry.setTag("a", "b");
  Sentry.withScope((scope) => {
    scope.setExtra("x", 1);
    Sentry.captureException(new TypeError("bad"));
  });
  Sentry.captureMessage("hello", "warning");
  await Sentry.flush(1000);
  return [
    events.map(({ exception, message, tags, extra, level }) => [
      exception?.values?.[0].type,
      exception?.values?.[0].value,
      message,
      tags,
      extra,
      level,
    ]),
    Sentry.startSpan({ name: "s" }, () => 7),
  ];
}

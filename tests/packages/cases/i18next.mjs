import i18next from "i18next";

export default async function () {
  const i18n = i18next.createInstance();
  const resources = {
    en: { translation: { hi: "hi {{name}}", note_one: "{{count}} note", note_other: "{{count}} notes", deep: { a: "$t(hi)" } } },
    de: { translation: { hi: "hallo {{name}}" } },
  };
  await i18n.init({ lng: "de", fallbackLng: "en", resources });
  const t = i18n.getFixedT("en");
  return [
    i18n.t("hi", { name: "<Ann>" }),
    i18n.t("note", { count: 2 }),
    t("note", { count: 1 }),
    t("deep.a", { name: "x" }),
    t("none"),
    i18n.exists("hi"),
    i18n.dir("ar"),
  ];
}

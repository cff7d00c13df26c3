export default defineNuxtConfig({
  compatibilityDate: "2026-01-01",
  devtools: { enabled: false },
  telemetry: false,
  app: { head: { htmlAttrs: { lang: "en" }, link: [{ rel: "icon", href: "data:," }] } },
  routeRules: { "/about": { prerender: true } },
});

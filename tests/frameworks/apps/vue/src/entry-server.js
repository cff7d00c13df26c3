import { renderToString } from "vue/server-renderer";

import { createApp } from "./main";

/** @param {string} url Path and query, without the base. */
export async function render(url) {
  const { app, router } = createApp();
  await router.push(`/${url}`);
  await router.isReady();
  const html = await renderToString(app, {});
  const { meta, params } = router.currentRoute.value;
  return { html, head: `<title>${params.slug ?? "Notes"}</title>`, status: meta.status ?? 200 };
}

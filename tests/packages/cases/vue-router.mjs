import { createSSRApp, h } from "vue";
import { createMemoryHistory, createRouter, RouterLink, RouterView } from "vue-router";
import { renderToString } from "vue/server-renderer";

export default async function () {
  const Note = { setup: () => () => h("h1", "note"), props: ["slug"] };
  const routes = [
    { path: "/", component: { render: () => h("h1", "home") } },
    { path: "/notes/:slug", name: "note", component: Note, props: true },
    { path: "/old", redirect: "/" },
  ];
  const router = createRouter({ history: createMemoryHistory(), routes });
  router.beforeEach((to) => (to.query.deny ? "/" : true));
  await router.push("/notes/a%20b?x=1");
  const app = createSSRApp({
    render: () => [h(RouterLink, { to: { name: "note", params: { slug: "é" } } }, () => "to"), h(RouterView)],
  }).use(router);
  const { params, query, fullPath } = router.currentRoute.value;
  return [await renderToString(app), params, query, fullPath, router.resolve("/old").matched.length];
}

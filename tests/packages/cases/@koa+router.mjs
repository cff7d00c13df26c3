import Koa from "koa";
import Router from "@koa/router";

export const requests = [["/notes/tea"], ["/notes/tea", { method: "DELETE" }], ["/notes/tea", { method: "OPTIONS" }], ["/api/x"]];

export function serve(port) {
  const router = new Router();
  router.get("note", "/notes/:slug", (context) => {
    context.body = { slug: context.params.slug, url: router.url("note", "x") };
  });
  const api = new Router({ prefix: "/api" });
  api.get("/:name", (context) => {
    context.body = context.params.name;
  });
  return new Koa().use(router.routes()).use(router.allowedMethods()).use(api.routes()).listen(port);
}

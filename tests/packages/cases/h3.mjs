import { createError, createRouter, H3 } from "h3";
import * as h3 from "h3";

export default async function () {
  // Version 1 has routers, version 2 a class.
  const app = new H3();
  app.get("/notes/:slug", (event) => ({ slug: event.context.params.slug, q: h3.getQuery(event) }));
  app.post("/notes", async (event) => {
    h3.setCookie(event, "seen", "yes");
    return h3.readBody(event);
  });
  app.get("/broken", () => {
    throw createError({ status: 418, message: "no" });
  });
  const said = [typeof createRouter];
  for (const [path, init] of [
    ["/notes/tea?q=1"],
    ["/notes", { method: "POST", headers: { "content-type": "application/json" }, body: '{"a":1}' }],
    ["/broken"],
    ["/none"],
  ]) {
    const response = await app.request(path, init);
    said.push([response.status, response.headers.get("set-cookie"), await response.text()]);
  }
  return said;
}

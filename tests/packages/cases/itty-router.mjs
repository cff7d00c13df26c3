import { AutoRouter, error, withParams } from "itty-router";

export default async function () {
  const router = AutoRouter({ before: [withParams] });
  router
    .get("/notes/:slug+", ({ slug, query }) => ({ slug, query }))
    .post("/notes", async (request) => request.json())
    .get("/broken", () => error(418, "no"));
  const said = [];
  for (const [path, init] of [["/notes/a/b?q=1&q=2"], ["/notes", { method: "POST", body: '{"a":1}' }], ["/broken"], ["/none"]]) {
    const response = await router.fetch(new Request(`http://localhost${path}`, init));
    said.push([response.status, await response.text()]);
  }
  return said;
}

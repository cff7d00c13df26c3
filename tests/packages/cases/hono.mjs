import { Hono } from "hono";
import { cors } from "hono/cors";
import { getCookie, setCookie } from "hono/cookie";
import { HTTPException } from "hono/http-exception";

export default async function () {
  const app = new Hono().use("*", cors());
  app.get("/notes/:slug", (c) => c.json({ slug: c.req.param("slug"), q: c.req.query("q"), seen: getCookie(c, "seen") }));
  app.post("/notes", async (c) => {
    setCookie(c, "seen", "yes", { httpOnly: true });
    return c.text(`made ${(await c.req.json()).title}`, 201);
  });
  app.get("/broken", () => {
    throw new HTTPException(403, { message: "no" });
  });
  const said = [];
  for (const [path, init] of [
    ["/notes/tea?q=1", { headers: { cookie: "seen=no" } }],
    ["/notes", { method: "POST", body: '{"title":"Tea"}' }],
    ["/broken"],
    ["/none"],
  ]) {
    const response = await app.request(path, init);
    said.push([response.status, [...response.headers], await response.text()]);
  }
  return said;
}

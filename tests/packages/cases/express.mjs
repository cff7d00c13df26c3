import express from "express";

export const requests = [
  ["/", {}],
  ["/notes/tea?q=1&q=2", {}],
  ["/notes", { method: "POST", headers: { "content-type": "application/json" }, body: '{"title":"Tea"}' }],
  ["/form", { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: "a=1&b[c]=2" }],
  ["/bad", { method: "POST", headers: { "content-type": "application/json" }, body: "{" }],
  ["/old", {}],
  ["/broken", {}],
  ["/none", {}],
];

export function serve(port) {
  const app = express();
  app.use(express.json(), express.urlencoded({ extended: true }));
  app.get("/", (request, response) => response.cookie("seen", "yes").send("<h1>Notes</h1>"));
  app.get("/notes/:slug", (request, response) => response.json({ slug: request.params.slug, query: request.query, ip: typeof request.ip }));
  app.post(["/notes", "/form", "/bad"], (request, response) => response.status(201).json(request.body));
  app.get("/old", (request, response) => response.redirect(301, "/"));
  app.get("/broken", () => {
    throw new Error("no");
  });
  app.use((error, request, response, next) => response.status(error.status ?? 500).json({ error: error.message, next: typeof next }));
  return app.listen(port);
}

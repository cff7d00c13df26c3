import polka from "polka";

export const requests = [["/notes/tea?q=1"], ["/broken"], ["/none"]];

export function serve(port) {
  // The error of a path without a route has a code and no message.
  const app = polka({ onError: (error, request, response) => response.writeHead(error.code ?? 500).end(error.message ?? "none") });
  app.use((request, response, next) => next(request.path === "/broken" ? new Error("no") : undefined));
  app.get("/notes/:slug", (request, response) => response.end(JSON.stringify({ ...request.params, ...request.query })));
  app.listen(port);
  return app.server;
}

import polka from "polka";

export const requests = [["/notes/tea?q=1"], ["/broken"], ["/none"]];

export function serve(port) {
  const app = polka({ onError: (error, request, response) => response.writeHead(500).end(error.message ?? error) });
  app.get("/notes/:slug", (request, response) => response.end(JSON.stringify({ ...request.params, ...request.query })));
  app.get("/broken", () => {
    throw new Error("no");
  });
  app.listen(port);
  return app.server;
}

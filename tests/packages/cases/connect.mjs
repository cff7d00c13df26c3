import http from "node:http";
import connect from "connect";

export const requests = [["/"], ["/api/x"], ["/broken"], ["/none"]];

export function serve(port) {
  const app = connect();
  app.use("/api", (request, response) => response.end(`api ${request.url} of ${request.originalUrl}`));
  app.use("/broken", (request, response, next) => next(Object.assign(new Error("no"), { status: 418 })));
  app.use((request, response, next) => (request.url === "/" ? response.end("home") : next()));
  return http.createServer(app).listen(port);
}

import express from "express";
import morgan from "morgan";

export const requests = [["/a?b=1", { headers: { "user-agent": "board", referer: "http://r/" } }], ["/none"], ["/lines"]];

export function serve(port) {
  const lines = [];
  morgan.token("kind", (request) => request.headers["user-agent"] ?? "none");
  const app = express().use(
    morgan(':method :url :status :kind ":referrer" :res[content-type] HTTP/:http-version', {
      skip: ({ url }) => url === "/",
      stream: { write: (line) => lines.push(line) },
    }),
  );
  app.get("/a", (request, response) => response.type("txt").send("a"));
  app.get("/lines", (request, response) => response.json(lines));
  return app.listen(port);
}

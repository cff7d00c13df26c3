import express from "express";
import compression from "compression";

const text = "a note about tea. ".repeat(200);
export const requests = [
  ["/", { headers: { "accept-encoding": "gzip" } }],
  ["/", { headers: { "accept-encoding": "br" } }],
  ["/"],
  ["/small", { headers: { "accept-encoding": "gzip" } }],
  ["/stream", { headers: { "accept-encoding": "gzip" } }],
];

export function serve(port) {
  const app = express().use(compression({ threshold: 500 }));
  app.get("/", (request, response) => response.type("txt").send(text));
  app.get("/small", (request, response) => response.type("txt").send("small"));
  app.get("/stream", (request, response) => {
    response.type("txt").write(text);
    response.flush();
    setTimeout(() => response.end("end"), 5);
  });
  return app.listen(port);
}

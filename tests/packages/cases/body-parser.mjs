import http from "node:http";
import bodyParser from "body-parser";

export const requests = [
  ["/json", { method: "POST", headers: { "content-type": "application/json" }, body: '{"a":1}' }],
  ["/json", { method: "POST", headers: { "content-type": "application/json" }, body: "{" }],
  ["/form", { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: "a=1&b[]=2&b[]=3" }],
  ["/text", { method: "POST", headers: { "content-type": "text/plain; charset=utf-8" }, body: "grüße" }],
  ["/json", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify("x".repeat(300)) }],
];

export function serve(port) {
  const parsers = {
    "/json": bodyParser.json({ limit: 200, strict: false }),
    "/form": bodyParser.urlencoded({ extended: true }),
    "/text": bodyParser.text(),
  };
  const server = http.createServer((request, response) => {
    const parse = parsers[request.url] ?? ((_, __, next) => next());
    parse(request, response, (error) => {
      response.statusCode = error?.status ?? 200;
      response.end(JSON.stringify({ body: request.body, error: error?.type }));
    });
  });
  return server.listen(port);
}

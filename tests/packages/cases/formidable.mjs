import http from "node:http";
import formidable from "formidable";

const headers = { "content-type": "application/x-www-form-urlencoded" };
export const requests = [
  ["/", { method: "POST", headers, body: "a=1&a=2&b=x" }],
  ["/", { method: "POST", headers: { "content-type": "application/json" }, body: '{"c":{"d":1}}' }],
  ["/", { method: "POST", headers: { "content-type": "text/odd" }, body: "x" }],
];

export function serve(port) {
  const server = http.createServer(async (request, response) => {
    try {
      const [fields, files] = await formidable({}).parse(request);
      response.end(JSON.stringify({ fields, files }));
    } catch (error) {
      response.writeHead(error.httpCode ?? 400).end(String(error.code));
    }
  });
  return server.listen(port);
}

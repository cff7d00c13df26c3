import http from "node:http";
import finalhandler from "finalhandler";

export const requests = [["/none?%3Cb%3E"], ["/broken"], ["/teapot"]];

export function serve(port) {
  const server = http.createServer((request, response) => {
    const done = finalhandler(request, response, { env: "production" });
    done(
      request.url === "/broken"
        ? new Error("no")
        : request.url === "/teapot"
          ? Object.assign(new Error("tea"), { status: 418, headers: { "x-pot": "1" } })
          : undefined,
    );
  });
  return server.listen(port);
}

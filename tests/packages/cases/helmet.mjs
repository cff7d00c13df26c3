import express from "express";
import helmet from "helmet";

export const requests = [["/"]];

export function serve(port) {
  const app = express().use(
    helmet({ contentSecurityPolicy: { directives: { "script-src": ["'self'", (request) => `'nonce-${request.url.length}'`] } } }),
  );
  app.get("/", (request, response) => response.end("ok"));
  return app.listen(port);
}

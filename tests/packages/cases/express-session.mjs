import express from "express";
import session from "express-session";

export const requests = [["/none"], ["/view"], ["/view"], ["/out"], ["/view"]];

export function serve(port) {
  const genid = (request) => `session-of-${request.url}`;
  const app = express().use(session({ secret: "s", resave: false, saveUninitialized: false, genid }));
  app.get("/view", (request, response) => {
    request.session.views = (request.session.views ?? 0) + 1;
    response.json({ views: request.session.views });
  });
  app.get("/out", (request, response) => request.session.destroy(() => response.end("out")));
  app.get("/none", (request, response) => response.json(request.sessionID === undefined));
  return app.listen(port);
}

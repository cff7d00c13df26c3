import express from "express";
import cookieSession from "cookie-session";

export const requests = [["/view"], ["/view"], ["/view", { headers: { cookie: "session=e30=; session.sig=bad" } }]];

export function serve(port) {
  const app = express().use(cookieSession({ keys: ["one", "two"] }));
  app.get("/view", (request, response) => {
    request.session.views = (request.session.views ?? 0) + 1;
    response.json({ views: request.session.views, isNew: request.session.isNew });
  });
  return app.listen(port);
}

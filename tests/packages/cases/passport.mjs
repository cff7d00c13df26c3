import express from "express";
import passport from "passport";
import { Strategy } from "passport-strategy";

export const requests = [["/me", { headers: { authorization: "ann" } }], ["/me"], ["/me", { headers: { authorization: "broken" } }]];

class Plain extends Strategy {
  name = "plain";
  authenticate(request) {
    const name = request.headers.authorization;
    if (name === "broken") return this.error(new Error("broken"));
    return name === undefined ? this.fail("Plain realm", 401) : this.success({ name });
  }
}

export function serve(port) {
  passport.use(new Plain());
  const app = express().use(passport.initialize());
  app.get("/me", passport.authenticate("plain", { session: false }), (request, response) =>
    response.json([request.user, request.isAuthenticated()]),
  );
  app.use((error, request, response, next) => response.status(500).json([error.message, typeof next]));
  return app.listen(port);
}

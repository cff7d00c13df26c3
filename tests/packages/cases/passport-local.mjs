import express from "express";
import passport from "passport";
import { Strategy } from "passport-local";

const headers = { "content-type": "application/x-www-form-urlencoded" };
export const requests = ["username=ann&password=x", "username=ann&password=y", "username=ann"].map((body) => [
  "/in",
  { method: "POST", headers, body },
]);

export function serve(port) {
  passport.use(new Strategy((name, password, done) => done(null, password === "x" ? { name } : false)));
  const app = express().use(express.urlencoded({ extended: false }), passport.initialize());
  app.post("/in", passport.authenticate("local", { session: false }), (request, response) => response.json(request.user));
  return app.listen(port);
}

import express from "express";
import { rateLimit } from "express-rate-limit";

export const requests = [["/limited"], ["/limited"], ["/limited"]];

export function serve(port) {
  const limit = rateLimit({
    windowMs: 600_000,
    limit: 2,
    legacyHeaders: false,
    standardHeaders: false,
    keyGenerator: () => "all",
    message: { slow: "down" },
  });
  const app = express().use("/limited", limit);
  app.get("/limited", (request, response) => response.json({ used: request.rateLimit.used, remaining: request.rateLimit.remaining }));
  return app.listen(port);
}

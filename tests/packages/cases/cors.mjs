import express from "express";
import cors from "cors";

const origin = { origin: "https://a.example" };
export const requests = [
  ["/", { headers: origin }],
  ["/", { headers: { origin: "https://b.example" } }],
  ["/", { method: "OPTIONS", headers: { ...origin, "access-control-request-method": "PUT", "access-control-request-headers": "x-a" } }],
];

export function serve(port) {
  const app = express().use(
    cors({ origin: ["https://a.example", /\.c\.example$/], credentials: true, exposedHeaders: ["x-b"], maxAge: 60 }),
  );
  app.get("/", (request, response) => response.end("ok"));
  return app.listen(port);
}

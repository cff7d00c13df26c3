import express from "express";
import cookieParser from "cookie-parser";

export const requests = [["/set"], ["/get"], ["/get", { headers: { cookie: "a=s%3Ax.forged; j=j%3A%7B%22b%22%3A1%7D" } }]];

export function serve(port) {
  const app = express().use(cookieParser("secret"));
  app.get("/set", (request, response) => response.cookie("a", "x", { signed: true }).cookie("b", { c: 1 }).end("set"));
  app.get("/get", (request, response) => response.json([request.cookies, request.signedCookies]));
  return app.listen(port);
}

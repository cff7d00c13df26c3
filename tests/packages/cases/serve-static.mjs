import express from "express";
import serveStatic from "serve-static";

// A folder without the file: both answer by what comes after it.
export const requests = [["/none.txt"], ["/../etc/passwd"], ["/a%00b"]];

export function serve(port) {
  const app = express().use(serveStatic("/nothing-here", { index: false }));
  app.use((request, response) => response.status(404).end("not among the files"));
  return app.listen(port);
}

// The upstream that the course page waits for: reviews as JSON, late on purpose.
//   node upstream.mjs [--port 4100] [--delay-ms 300]
// `--port 0` takes a free port. One line on stdout says where it listens. `?delay_ms=` overrides the delay of one call.
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { reviewsOf } from "./reviews-data.mjs";

/** The longest delay that a caller may ask for, so that no connection is held for ever. */
const DELAY_MAX_MS = 60_000;

const { values } = parseArgs({
  options: { port: { type: "string", default: "4100" }, "delay-ms": { type: "string", default: "300" } },
});

/** @param {string | null} text */
function delayFrom(text) {
  const delay = Number(text ?? values["delay-ms"]);
  return Number.isFinite(delay) ? Math.min(Math.max(delay, 0), DELAY_MAX_MS) : 0;
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? "/", "http://upstream");
  const slug = /^\/reviews\/([a-z0-9-]+)$/.exec(url.pathname)?.[1];
  await sleep(delayFrom(url.searchParams.get("delay_ms")));
  response.setHeader("content-type", "application/json");
  if (slug === undefined) {
    response.statusCode = 404;
    response.end('{"error":"no such resource; try /reviews/COURSE"}');
    return;
  }
  response.end(JSON.stringify({ slug, reviews: reviewsOf(slug) }));
});

server.listen(Number(values.port), "127.0.0.1", () => {
  console.log(`ready http://127.0.0.1:${server.address().port}`);
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    server.close();
    server.closeAllConnections();
  });
}

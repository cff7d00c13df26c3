// A slow service: three queries make a course, and editing the course changes what each of them says.
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

/**
 * Starts it on a free port.
 *
 * @param {number} delayMs How long each query takes.
 */
export async function startOrigin(delayMs) {
  let revision = 1;
  let queries = 0;
  const server = createServer(async (request, response) => {
    const [, course, part] = request.url.split("/");
    if (request.method === "PUT") {
      revision++;
      response.end(`${revision}`);
      return;
    }
    queries++;
    const answer = JSON.stringify({ course, part, revision });
    await pause(delayMs);
    response.writeHead(200, { "content-type": "application/json", "cache-control": "public, max-age=600", "cache-tag": `course-${course}` });
    response.end(answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${server.address().port}`,
    queries: () => queries,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

// Fastify, in a cluster.
import { PassThrough } from "node:stream";

import fastify from "fastify";
import { renderToPipeableStream, renderToString } from "react-dom/server";

import { HEADERS, asDocument, route } from "./app.jsx";
import { serveCluster } from "./node-cluster.js";

/** Resolves when the shell is there, as a stream that goes on. */
function stream(element) {
  return new Promise((resolve, reject) => {
    const { pipe } = renderToPipeableStream(element, {
      onShellReady: () => resolve(pipe(new PassThrough())),
      onShellError: reject,
    });
  });
}

serveCluster((port) => {
  const server = fastify();
  server.get("/:way/:page", async (request, reply) => {
    const found = await route(request.url);
    if (found === undefined) {
      return reply.code(404).send("no such page");
    }
    return reply.headers(HEADERS).send(found.asString ? asDocument(renderToString(found.element)) : await stream(found.element));
  });
  server.listen({ host: "127.0.0.1", port });
});

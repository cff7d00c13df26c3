// Node's own HTTP server around the app, for whichever way a page is streamed.
import { createServer } from "node:http";

import { HEADERS, asDocument, route } from "./app.jsx";
import { serveCluster } from "./node-cluster.js";

/**
 * @param {(element: unknown) => string} render Renders a page at once.
 * @param {(element: unknown, response: import("node:http").ServerResponse) => void} stream Renders a page into a response.
 */
export function serveNode(render, stream) {
  const answer = async (request, response) => {
    const found = await route(request.url);
    if (found === undefined) {
      response.writeHead(404).end("no such page");
    } else if (found.asString) {
      const html = asDocument(render(found.element));
      response.writeHead(200, { ...HEADERS, "content-length": Buffer.byteLength(html) });
      response.end(html);
    } else {
      stream(found.element, response);
    }
  };
  const guarded = (request, response) =>
    answer(request, response).catch((error) => {
      console.error(error);
      response.destroy();
    });
  serveCluster((port) => createServer(guarded).listen(port, "127.0.0.1"));
}

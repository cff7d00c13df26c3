// Node with the build of react-dom and the transform that our bundles have: what of the difference is theirs, and not the host's.
import "./direct-stream.js";
import { renderToReadableStream, renderToString } from "react-dom/server";

import { HEADERS } from "./app.jsx";
import { serveNode } from "./node-server.js";

serveNode(renderToString, async (element, response) => {
  try {
    const stream = await renderToReadableStream(element, { onError: (error) => console.error(error) });
    response.writeHead(200, HEADERS);
    stream.pipe(response);
  } catch {
    response.writeHead(500).end();
  }
});

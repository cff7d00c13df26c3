// react-dom's pipeable stream, in a cluster: what React's documentation recommends for Node.
import { renderToPipeableStream, renderToString } from "react-dom/server";

import { HEADERS } from "./app.jsx";
import { serveNode } from "./node-server.js";

serveNode(renderToString, (element, response) => {
  const { pipe } = renderToPipeableStream(element, {
    onShellReady() {
      response.writeHead(200, HEADERS);
      pipe(response);
    },
    onShellError(error) {
      console.error(error);
      response.writeHead(500).end();
    },
  });
});

// Node's own HTTP server and react-dom's pipeable stream, in a cluster: what React's documentation recommends for Node.
import { createServer } from "node:http";

import { renderToPipeableStream } from "react-dom/server";

import { serveCluster } from "./node-cluster.js";
import { HEADERS, Page } from "./page.jsx";

serveCluster(() =>
  createServer((_request, response) => {
    const { pipe } = renderToPipeableStream(<Page />, {
      onShellReady() {
        response.writeHead(200, HEADERS);
        pipe(response);
      },
      onShellError(error) {
        console.error(error);
        response.writeHead(500).end();
      },
    });
  }),
);

// Node's own HTTP server and one string a page, in a cluster: the older way, without streaming.
import { createServer } from "node:http";

import { renderToString } from "react-dom/server";

import { serveCluster } from "./node-cluster.js";
import { HEADERS, Page } from "./page.jsx";

serveCluster(() =>
  createServer((_request, response) => {
    // What `renderToPipeableStream` writes before <html>, and `renderToString` does not.
    const html = `<!DOCTYPE html>${renderToString(<Page />).replace(/^<!DOCTYPE html>/, "")}`;
    response.writeHead(200, { ...HEADERS, "content-length": Buffer.byteLength(html) });
    response.end(html);
  }),
);

// Bun's own server and its own build of react-dom. Bun has no cluster: the runner starts one process a worker on one port.
import { renderToReadableStream } from "react-dom/server";

import { HEADERS, Page } from "./page.jsx";

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env.PORT),
  reusePort: true,
  async fetch(request) {
    return new Response(await renderToReadableStream(<Page />, { signal: request.signal }), { headers: HEADERS });
  },
});
console.log(`ready http://127.0.0.1:${server.port}`);

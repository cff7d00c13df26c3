// The app as a fetch handler: Vitrine, Deno and workerd take this module as it is, and Bun its function.
import { renderToReadableStream, renderToString } from "react-dom/server";

import { HEADERS, asDocument, route } from "./app.jsx";

export default {
  async fetch(request) {
    const found = await route(new URL(request.url).pathname);
    if (found === undefined) {
      return new Response("no such page", { status: 404 });
    }
    if (found.asString) {
      return new Response(asDocument(renderToString(found.element)), { headers: HEADERS });
    }
    const stream = await renderToReadableStream(found.element, { signal: request.signal, onError: (error) => console.error(error) });
    return new Response(stream, { headers: HEADERS });
  },
};

// The page as a bundle of this host. Bun can serve it too, because the contract is a plain fetch handler.
import { renderToReadableStream } from "react-dom/server";

import { HEADERS, Page } from "./page.jsx";

export default {
  async fetch(request) {
    const stream = await renderToReadableStream(<Page />, { signal: request.signal, onError: (error) => console.error(error) });
    return new Response(stream, { headers: HEADERS });
  },
};

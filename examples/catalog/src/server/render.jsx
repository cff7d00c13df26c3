import { renderToReadableStream } from "react-dom/server";
import { preloads, scripts, styles } from "virtual:vitrine/client-manifest";

import { App } from "../app/App.jsx";

/** Keeps JSON inside a script element from ending it. @param {unknown} value */
function inlineJson(value) {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

/**
 * Renders a page as a stream: everything but the reviews at once, the reviews when they are there.
 *
 * @param {import("./routes.js").Found} found
 * @param {Request} request
 * @returns {Promise<Response>} Rejects if the page fails before its first byte: the host then answers in its own way.
 */
export async function renderPage({ page, status = 200, cookies = [], reviews }, request) {
  const assets = { preloads, styles };
  const body = await renderToReadableStream(<App page={page} assets={assets} reviews={reviews} />, {
    bootstrapModules: scripts,
    bootstrapScriptContent: `window.__CATALOG__=${inlineJson({ page, assets })}`,
    signal: request.signal,
    onError(error) {
      if (!request.signal?.aborted) {
        console.error(error);
      }
    },
  });
  const headers = new Headers({ "content-type": "text/html; charset=utf-8", "cache-control": "private, no-cache" });
  cookies.forEach((value) => headers.append("set-cookie", value));
  return new Response(body, { status, headers });
}

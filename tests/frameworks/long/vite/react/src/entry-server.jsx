import { StrictMode } from "react";
import { renderToPipeableStream } from "react-dom/server";
import { StaticRouter } from "react-router";

import { App, isKnown } from "./App";

/**
 * @param {string} url Path and query, without the base.
 * @param {object} data What the server knows.
 * @param {import('react-dom/server').RenderToPipeableStreamOptions} [options]
 */
export function render(url, data, options) {
  const { pipe, abort } = renderToPipeableStream(
    <StrictMode>
      <StaticRouter location={`/${url}`}>
        <App data={data} />
      </StaticRouter>
      <vite-streaming-end></vite-streaming-end>
    </StrictMode>,
    options,
  );
  return { pipe, abort, status: isKnown(`/${url}`) ? 200 : 404 };
}

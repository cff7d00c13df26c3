import { LocationProvider } from "preact-iso";
import { renderToStringAsync } from "preact-render-to-string";

import { App, isKnown } from "./app";

/**
 * @param {string} url Path and query, without the base.
 * @param {object} data What the server knows.
 */
export async function render(url, data) {
  globalThis.location = new URL(`/${url}`, "http://localhost");
  const html = await renderToStringAsync(
    <LocationProvider>
      <App data={data} />
    </LocationProvider>,
  );
  return { html, status: isKnown(`/${url}`) ? 200 : 404 };
}

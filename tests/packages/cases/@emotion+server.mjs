import createCache from "@emotion/cache";
import { CacheProvider, jsx } from "@emotion/react";
import createEmotionServer from "@emotion/server/create-instance";
import { renderToString } from "react-dom/server";

export default function () {
  const cache = createCache({ key: "k" });
  cache.compat = true;
  const { extractCriticalToChunks, constructStyleTagsFromChunks } = createEmotionServer(cache);
  const html = renderToString(jsx(CacheProvider, { value: cache }, jsx("p", { css: { color: "red" } }, "Notes")));
  return [html, constructStyleTagsFromChunks(extractCriticalToChunks(html))];
}

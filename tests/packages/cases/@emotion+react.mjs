/* The cache of a server inserts its styles beside the elements. */
import { CacheProvider, css, jsx, keyframes } from "@emotion/react";
import createCache from "@emotion/cache";
import { renderToString } from "react-dom/server";

export default function () {
  const turn = keyframes({ to: { transform: "rotate(1turn)" } });
  const style = css({ color: "red", animation: `${turn} 1s`, "&:hover": { color: "blue" } });
  return renderToString(jsx(CacheProvider, { value: createCache({ key: "k" }) }, jsx("p", { css: style }, "Notes")));
}

import { buildPlugin } from "./build-plugin.js";
import { devImports } from "./dev-imports.js";
import { devPlugin } from "./dev-plugin.js";

/**
 * Builds an app into a bundle with one `vite build`, and renders it by its server entry in `vite dev`.
 *
 * @param {import("../types.d.ts").VitrineOptions} options
 * @returns {import("vite").Plugin[]}
 */
export default function vitrine(options) {
  if (typeof options?.server !== "string") {
    throw new TypeError("vitrine: option `server` must name the server entry, for example src/entry-server.jsx");
  }
  return [buildPlugin(options), devPlugin(options), devImports()];
}

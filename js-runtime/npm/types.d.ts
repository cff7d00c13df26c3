import type { Plugin } from "vite";
import type { BundleOptions } from "./src/bundle-manifest.js";

/** Where the app's two entries are, and the fields of `vitrine.json`. */
export interface VitrineOptions extends BundleOptions {
  /** Module whose exports are the bundle's contract, relative to the Vite root. */
  server: string;
  /** Module that hydrates the page in the browser, relative to the Vite root. Left out: an app without client scripts. */
  client?: string;
}

/** Builds `client/`, `server/index.js` and `vitrine.json` in one `vite build`. */
export default function vitrine(options: VitrineOptions): Plugin;

/** The client build's files, as URL paths. Reference it with `/// <reference types="vite-plugin-vitrine/client-manifest" />`. */
declare module "virtual:vitrine/client-manifest" {
  /** What the page loads as `<script type="module">`. */
  export const scripts: string[];
  /** What the page links as stylesheets. */
  export const styles: string[];
  /** What the scripts import at once: worth `<link rel="modulepreload">`. */
  export const preloads: string[];
}

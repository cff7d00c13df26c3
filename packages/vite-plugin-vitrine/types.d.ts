import type { Plugin } from "vite";

/** Limits of one release. Times are in milliseconds, sizes in MiB. */
export interface Limits {
  /** CPU time of one request. */
  cpu_ms?: number;
  /** Wall time of one request; waiting for a slow client does not count. */
  wall_ms?: number;
  /** Heap of one isolate. */
  heap_mb?: number;
  /** Requests at once in one isolate. */
  concurrency?: number;
  /** Requests that may wait. */
  queue?: number;
  /** How long a request may wait. */
  queue_ms?: number;
  /** Largest request body. */
  request_mb?: number;
  /** Largest response body. */
  response_mb?: number;
  /** How long a client may take nothing before its response ends. */
  client_stall_ms?: number;
  /** How long the app may give nothing of a response that has begun. */
  stream_idle_ms?: number;
  /** Calls of `fetch` in one request. */
  subrequests?: number;
  /** Log lines a second; what is over is counted and dropped. */
  log_lines_per_s?: number;
  /** Isolates of one worker; 0 is one a core. */
  isolates?: number;
  /** Whether each request gets an isolate of its own. */
  isolate_per_request?: boolean;
}

/** The fields of `vitrine.json` that an app chooses; the plugin itself sets `entry`, `assets` and `shell`. */
export interface BundleOptions {
  /** What the server entry exports: `fetch` (the default) or `render`. */
  contract?: "fetch" | "render";
  /** Whether isolates may start from a snapshot of the evaluated bundle, and what may be frozen in it. */
  snapshot?: boolean | { harmless: ("clock" | "env" | "randomness")[] };
  /** Paths rendered before a release counts as ready. */
  warm?: string[];
  /** The path that proves a release healthy. */
  health?: { path: string };
  /** Instances that users get at least and at most. */
  scale?: { min?: number; max?: number };
  limits?: Limits;
  /** Origins that the app may fetch, such as `https://api.example.com`. */
  egress?: string[];
  /** Names of the environment values that the app may see. */
  env?: string[];
}

/** Where the app's two entries are, and the fields of `vitrine.json`. */
export interface VitrineOptions extends BundleOptions {
  /** Module whose exports are the bundle's contract, relative to the Vite root. */
  server: string;
  /** Module that hydrates the page in the browser, relative to the Vite root. Left out: an app without client scripts. */
  client?: string;
  /**
   * HTML file below the Vite root that the host sends, with the status of what went wrong, when a page can't be rendered; `true` is
   * `index.html`. None unless said: a client that only hydrates has nothing to show without the server's HTML.
   */
  shell?: boolean | string;
  /** Whether JSX becomes templates in the server's code; true unless said otherwise. The pages are the same. */
  templates?: boolean;
}

/** Builds `client/`, `server/index.js` and `vitrine.json` in one `vite build`, and renders pages by the server entry in `vite dev`. */
export default function vitrine(options: VitrineOptions): Plugin[];

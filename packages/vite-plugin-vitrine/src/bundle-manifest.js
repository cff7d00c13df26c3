/** @typedef {import("../types.d.ts").BundleOptions} BundleOptions */
/** @typedef {(value: any) => string | undefined} Check Says what is wrong with a value, or nothing. */

/** @type {(expected: string, holds: (value: any) => boolean) => Check} */
const must = (expected, holds) => (value) => (holds(value) ? undefined : `must be ${expected}`);

const HARMLESS = ["clock", "env", "randomness"];

const bool = must("true or false", (value) => typeof value === "boolean");
const count = must("a whole number, 0 or more", (value) => Number.isInteger(value) && value >= 0);
const atLeastOne = must("a whole number, 1 or more", (value) => Number.isInteger(value) && value >= 1);
const path = must("a path that starts with /", isPath);
const paths = must("a list of paths that start with /", (value) => Array.isArray(value) && value.every(isPath));
const origins = must(
  "a list of origins such as https://api.example.com",
  (value) => Array.isArray(value) && value.every(isOrigin),
);
const names = must("a list of environment names", (value) => Array.isArray(value) && value.every(isEnvName));

/** @type {Record<string, Check>} */
const LIMITS = {
  cpu_ms: count,
  wall_ms: count,
  heap_mb: count,
  concurrency: count,
  queue: count,
  queue_ms: count,
  request_mb: count,
  response_mb: count,
  client_stall_ms: count,
  stream_idle_ms: count,
  subrequests: count,
  log_lines_per_s: count,
  isolates: count,
  isolate_per_request: bool,
};

/** @type {Record<string, Check | Record<string, Check>>} */
const FIELDS = {
  auto_etag: bool,
  compression: bool,
  contract: must('"fetch" or "render"', (value) => value === "fetch" || value === "render"),
  snapshot: must('true, false or { harmless: ["clock", "env", "randomness"] }', isSnapshot),
  warm: paths,
  health: { path },
  scale: { min: atLeastOne, max: atLeastOne },
  limits: LIMITS,
  egress: origins,
  env: names,
};

/** @param {unknown} value */
function isPath(value) {
  return typeof value === "string" && value.startsWith("/");
}

/** @param {any} value */
function isSnapshot(value) {
  return (
    typeof value === "boolean" ||
    (Array.isArray(value?.harmless) &&
      Object.keys(value).length === 1 &&
      value.harmless.every((/** @type {unknown} */ kind) => HARMLESS.some((known) => known === kind)))
  );
}

/** @param {unknown} value */
function isOrigin(value) {
  return typeof value === "string" && URL.canParse(value) && new URL(value).origin === value;
}

/** @param {unknown} value */
function isEnvName(value) {
  return typeof value === "string" && /^[A-Za-z_][A-Za-z0-9_]*$/.test(value);
}

/**
 * @param {Record<string, any>} values
 * @param {Record<string, Check | Record<string, Check>>} checks
 * @param {string} prefix
 */
function verify(values, checks, prefix) {
  for (const [name, value] of Object.entries(values)) {
    const field = prefix + name;
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (check === undefined) {
      throw new TypeError(`vitrine: unknown option \`${field}\`; known are ${Object.keys(checks).join(", ")}`);
    }
    if (value === undefined) {
      continue;
    }
    if (typeof check === "object") {
      if (typeof value !== "object" || value === null) {
        throw new TypeError(`vitrine: option \`${field}\` must be an object`);
      }
      verify(value, check, `${field}.`);
      continue;
    }
    const fault = check(value);
    if (fault !== undefined) {
      throw new TypeError(`vitrine: option \`${field}\` ${fault}, not ${JSON.stringify(value)}`);
    }
  }
}

/**
 * The text of `vitrine.json`. Throws a `TypeError` that names the first option the host would refuse: a build that fails is
 * cheaper than a deploy that does.
 *
 * @param {BundleOptions} options
 * @param {{ hasClient: boolean, shell?: string }} built Whether there are client files beside the server, and which of them is the shell.
 * @returns {string}
 */
export function bundleManifest(options, { hasClient, shell }) {
  verify(options, FIELDS, "");
  const assets = hasClient ? "client" : undefined;
  return `${JSON.stringify({ entry: "server/index.js", assets, shell, ...options }, null, 2)}\n`;
}

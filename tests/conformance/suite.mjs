// The files of the web platform tests that an engine without a document can run.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/**
 * @typedef {object} Payload One run of a file.
 * @property {string} url The address that the file believes to have.
 * @property {string} harness testharness.js.
 * @property {string} code The file's scripts, then the file.
 * @property {Record<string, string>} files What it fetches, by path.
 * @property {boolean} expectsWindow Its interface descriptions name `Window`.
 * @property {boolean} isServed Whether a server is at that address: what is relative leads there.
 * @property {boolean} leavesErrors What nobody catches is its subject, and no process ends for it.
 * @property {number} timeout_ms
 */

/** Folders and files of the suite that need no server. */
export const FOLDERS = [
  "url",
  "encoding",
  "fetch/api/headers",
  "fetch/api/request",
  "fetch/api/response",
  "fetch/api/body",
  "fetch/api/idlharness.https.any.js",
  "fetch/data-urls",
  "streams",
  "FileAPI",
  "xhr/formdata",
  "dom/abort",
  "dom/events",
  "dom/idlharness.any.js",
  "compression",
  "WebCryptoAPI",
  "hr-time",
  "html/webappapis",
  "html/infrastructure/safe-passing-of-structured-data",
  "urlpattern",
  "console",
  "performance-timeline",
  "user-timing",
  "wasm",
  "webidl/ecmascript-binding",
  "webmessaging",
];

/** Those that ask the suite's own server. */
export const SERVED_FOLDERS = ["fetch/api", "fetch/content-encoding", "fetch/content-length", "fetch/http-cache", "fetch/range", "fetch/nosniff"];

/** What these need is no part of an engine without a document: pages, service workers, contexts of other origins, a collector on demand. */
const NOT_FOR_US = [
  /\/resources\//,
  /^WebCryptoAPI\/.*tentative/,
  /\/serviceworker/,
  /^html\/webappapis\/(dynamic-markup|scripting|system-state|user-prompts|animation)/,
  /^wasm\/(webapi\/esm|jsapi\/gc)/,
];

/** The suite's server speaks HTTP/1.1 in the clear here. */
const NOT_SERVED = /\.(https|h2)\./;

/** Files for windows alone that run without one. */
const WINDOW_FILES = /^(xhr\/formdata\/.*|url\/(Idna|toascii).*)\.window\.js$/;

/** The origin of the suite's pages. Nothing is asked there: what a file fetches of the suite it is given. */
const ORIGIN = "http://web-platform.test:8000";

/** Our own checks, beside this file. */
const OWN_FILES = ["ecma-429.any.js", "ecma-429-behaviour.any.js"];
const HERE = fileURLToPath(new URL(".", import.meta.url));

const TIMEOUT_MS = 15_000;
/** For files that say `timeout=long`. */
const LONG_TIMEOUT_MS = 40_000;

/** A larger file is not one that tests load as data. */
const DATA_BYTES_MAX = 3_000_000;

/**
 * @typedef {object} Run
 * @property {string} id The file's path, with the variant.
 * @property {() => Payload} payload
 */

/**
 * @param {string} root Where the suite is.
 * @param {string} only A text that paths must contain.
 * @param {URL[]} origins Where the suite is served, if it is.
 * @returns {Run[]}
 */
export function runsOf(root, only = "", origins = []) {
  const isServed = origins.length > 0;
  const files = (isServed ? SERVED_FOLDERS : FOLDERS).flatMap((folder) => [...filesBelow(root, folder)]);
  const chosen = files.filter((file) => isForUs(file) && file.includes(only) && !(isServed && NOT_SERVED.test(file)));
  return chosen.flatMap((file) => runsOfFile(root, file, origins));
}

/** The checks of ECMA-429: files of our own, with the suite's harness. @param {string} root @returns {Run[]} */
export function minimumRuns(root, only = "") {
  return OWN_FILES.filter((file) => file.includes(only)).flatMap((file) => runsOfFile(root, file, []));
}

/** @returns {Run[]} */
function runsOfFile(root, file, origins) {
  const harness = readFileSync(path.join(root, "resources/testharness.js"), "utf8");
  const source = readFileSync(path.join(OWN_FILES.includes(file) ? HERE : root, file), "utf8");
  return variantsOf(source).map((variant) => ({ id: file + variant, payload: () => payloadOf(root, file, variant, source, harness, origins) }));
}

/** @returns {Generator<string>} */
function* filesBelow(root, name) {
  const place = path.join(root, name);
  if (!existsSync(place)) {
    throw new Error(`the suite has no ${name}; is ${root} a checkout of the web platform tests?`);
  }
  if (statSync(place).isFile()) {
    yield name;
    return;
  }
  for (const entry of readdirSync(place, { withFileTypes: true }).sort((one, other) => (one.name < other.name ? -1 : 1))) {
    yield* entry.isDirectory() ? filesBelow(root, `${name}/${entry.name}`) : [`${name}/${entry.name}`];
  }
}

/** @param {string} file */
export function isForUs(file) {
  return (file.endsWith(".any.js") || WINDOW_FILES.test(file)) && !NOT_FOR_US.some((pattern) => pattern.test(file));
}

/** The `// META:` lines with this key. @param {string} source @param {string} key */
function metaOf(source, key) {
  return [...source.matchAll(/^\/\/ ?META: ?([a-z-]+)=(.*)$/gm)].filter((found) => found[1] === key).map((found) => found[2].trim());
}

/** @param {string} source */
export function variantsOf(source) {
  const variants = metaOf(source, "variant");
  return variants.length > 0 ? variants : [""];
}

/** Where a script or a data file lies in the suite. @param {string} file The one that names it. @param {string} reference */
export function resolved(file, reference) {
  const [name] = reference.split("?");
  // The suite's server serves the module under this name.
  if (name === "/resources/WebIDLParser.js") {
    return "/resources/webidl2/lib/webidl2.js";
  }
  return name.startsWith("/") ? name : path.posix.join(path.posix.dirname(`/${file}`), name);
}

/** Names of files that the suite's server puts its own addresses into. */
const TEMPLATES = /\.sub\./;

/** What the suite's server makes of a template. @param {string} text @param {URL[]} origins */
export function filledIn(text, [first, second]) {
  const values = { host: first.hostname, "ports[http][0]": first.port, "ports[http][1]": second.port };
  // All its other hosts are this one, and what it has no port for nobody listens to.
  return text.replace(/\{\{([^{}]+)\}\}/g, (_, name) => values[name] ?? (name.startsWith("ports") ? "1" : first.hostname));
}

/** @returns {Payload} */
function payloadOf(root, file, variant, source, harness, origins) {
  const filled = (name, text) => (origins.length > 0 && TEMPLATES.test(name) ? filledIn(text, origins) : text);
  const scripts = metaOf(source, "script").map((reference) => {
    const place = path.join(root, resolved(file, reference));
    return existsSync(place) ? filled(place, readFileSync(place, "utf8")) : `throw new Error("the suite has no ${reference}")`;
  });
  const code = [...scripts, `${filled(file, source)}\n//# sourceURL=${file}`].join("\n;\n");
  const interfaces = /idl_test\(/.test(source);
  const named = [...code.matchAll(/["'`]([^"'`\s]+\.(?:json|idl|txt|html))["'`]/g)].map((found) => resolved(file, found[1]));
  const described = interfaces ? [...source.matchAll(/["'`]([a-zA-Z0-9-]+)["'`]/g)].map((found) => `/interfaces/${found[1]}.idl`) : [];
  return {
    url: new URL(file.replace(/\.js$/, ".html") + variant, origins[0] ?? ORIGIN).href,
    harness,
    code,
    files: Object.fromEntries([...named, ...described].flatMap((name) => dataOf(root, name))),
    expectsWindow: interfaces,
    isServed: origins.length > 0,
    leavesErrors: OWN_FILES.includes(file),
    timeout_ms: metaOf(source, "timeout").includes("long") ? LONG_TIMEOUT_MS : TIMEOUT_MS,
  };
}

/** @param {string} name @returns {[string, string][]} */
function dataOf(root, name) {
  const place = path.join(root, name);
  return existsSync(place) && statSync(place).isFile() && statSync(place).size <= DATA_BYTES_MAX ? [[name, readFileSync(place, "utf8")]] : [];
}

// Runs one test file of the web platform tests in this global, and gives its results. The same in every engine.

/** @typedef {import("./suite.mjs").Payload} Payload */

/**
 * @typedef {object} FileResult
 * @property {string} [problem] Why the file gave no results, or not all of them.
 * @property {{ name: string, passed: boolean, message?: string }[]} subtests
 */

/** The status that testharness.js gives a subtest that passed, and a file that ran to its end. */
const PASS = 0;
const OK = 0;

/** From the moment that a file is told that its time is over until it is given up, in milliseconds. */
const LAST_WORDS_MS = 200;

/** A failed assertion says both values; some of them are whole documents. */
const MESSAGE_LENGTH = 400;

/** @param {string} name @param {unknown} value */
function define(name, value) {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
}

/** What testharness.js and the tests expect of a global besides the engine's own names. @param {Payload} payload */
function furnish({ url, files, expectsWindow, isServed }) {
  const base = new URL(url);
  define("GLOBAL", { isWindow: () => false, isWorker: () => false, isShadowRealm: () => false });
  globalThis.self ?? define("self", globalThis);
  const { href, origin, protocol, host, hostname, port, pathname, search, hash } = base;
  // Deno has one, and lets nothing take its place.
  globalThis.location ?? define("location", { href, origin, protocol, host, hostname, port, pathname, search, hash, toString: () => href });
  if (expectsWindow && !("Window" in globalThis)) {
    define("Window", function Window() {});
  }
  const { fetch } = globalThis;
  define("fetch", function (input, init) {
    if (typeof input !== "string" && !(input instanceof URL)) {
      return fetch.apply(globalThis, arguments);
    }
    // Engines without a document have no base: relative addresses are those of the suite's files.
    const resolved = URL.canParse(String(input), base) ? new URL(String(input), base) : base;
    const content = resolved.origin === base.origin ? files[resolved.pathname] : undefined;
    if (content !== undefined && init?.method === undefined) {
      const type = resolved.pathname.endsWith(".json") ? "application/json" : "text/plain";
      return Promise.resolve(new Response(content, { headers: { "content-type": type } }));
    }
    return isServed ? fetch.call(globalThis, resolved.href, init) : fetch.apply(this === undefined ? globalThis : this, arguments);
  });
  if (isServed) {
    const { Request } = globalThis;
    const construct = (target, [input, ...rest], newTarget) => {
      const isRelative = (typeof input === "string" || input instanceof URL) && URL.canParse(String(input), base);
      const args = isRelative ? [new URL(String(input), base).href, ...rest] : [input, ...rest];
      return Reflect.construct(target, args, newTarget === globalThis.Request ? target : newTarget);
    };
    define("Request", new Proxy(Request, { construct }));
  }
}

/** @param {Payload} payload @returns {Promise<FileResult>} */
export async function runFile(payload) {
  const { setTimeout, clearTimeout } = globalThis;
  furnish(payload);
  // biome-ignore lint/security/noGlobalEval: the scripts of a file share the global scope, as those of a page do
  const evaluate = eval;
  evaluate(payload.harness);
  const ended = new Promise((resolve) => {
    globalThis.add_completion_callback((tests, { status, message }) => {
      const subtests = tests.map((test) => {
        const passed = test.status === PASS;
        return passed ? { name: String(test.name), passed } : { name: String(test.name), passed, message: short(test.message) };
      });
      resolve(status === OK ? { subtests } : { subtests, problem: short(message) });
    });
  });
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(() => {
      globalThis.timeout();
      setTimeout(() => resolve({ subtests: [], problem: "it did not end" }), LAST_WORDS_MS);
    }, payload.timeout_ms);
  });
  try {
    evaluate(payload.code);
  } catch (error) {
    clearTimeout(timer);
    return { subtests: [], problem: short(`it can't be evaluated: ${error}`) };
  }
  const result = await Promise.race([ended, late]);
  clearTimeout(timer);
  return result;
}

function short(message) {
  return String(message ?? "").slice(0, MESSAGE_LENGTH);
}

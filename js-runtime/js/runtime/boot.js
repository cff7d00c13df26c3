// Makes the global object that an app sees, takes away what it must not see, and gives the driver its entry points.
(function () {
const { core, internals, primordials } = __bootstrap;
const {
  ArrayPrototypeIncludes, ObjectDefineProperty, ObjectFreeze, ObjectKeys, ReflectConstruct, ReflectDeleteProperty, RegExpPrototypeTest, SafeRegExp, TypeError,
  uncurryThis,
} = primordials;
core.loadExtScript("ext:vitrine/runtime/error_classes.js");
const bridge = core.loadExtScript("ext:vitrine/runtime/bridge.js");
const timers = core.loadExtScript("ext:vitrine/web/timers.js");
const serve = core.loadExtScript("ext:vitrine/runtime/serve.js");
const stream = core.loadExtScript("ext:vitrine/web/stream.js");
const globalEvents = core.loadExtScript("ext:vitrine/runtime/global_events.js");
const moduleScope = core.loadExtScript("ext:vitrine/runtime/snapshot_guard.js");
const wasmStreaming = core.loadExtScript("ext:vitrine/web/wasm_streaming.js");

const { op_bundle_names_deno } = core.ops;

const CLASS = new SafeRegExp("^[A-Z]");

// Names that are fetched from a script when first used: a bundle pays only for what it touches.
const LAZY = {
  "ext:deno_web/00_url.js": ["URL", "URLSearchParams"],
  "ext:deno_web/01_dom_exception.js": ["DOMException"],
  "ext:deno_web/01_urlpattern.js": ["URLPattern"],
  "ext:deno_web/02_event.js": ["CloseEvent", "CustomEvent", "ErrorEvent", "Event", "EventTarget", "MessageEvent", "PromiseRejectionEvent"],
  "ext:deno_web/03_abort_signal.js": ["AbortController", "AbortSignal"],
  "ext:deno_web/05_base64.js": ["atob", "btoa"],
  "ext:deno_web/06_streams.js": [
    "ByteLengthQueuingStrategy", "CountQueuingStrategy", "ReadableByteStreamController", "ReadableStreamBYOBReader",
    "ReadableStreamBYOBRequest", "ReadableStreamDefaultController", "ReadableStreamDefaultReader", "TransformStream",
    "TransformStreamDefaultController", "WritableStream", "WritableStreamDefaultController", "WritableStreamDefaultWriter",
  ],
  "ext:deno_web/08_text_encoding.js": ["TextDecoder", "TextDecoderStream", "TextEncoder", "TextEncoderStream"],
  "ext:deno_web/09_file.js": ["Blob", "File"],
  "ext:deno_web/13_message_port.js": ["MessageChannel", "MessagePort"],
  "ext:deno_web/14_compression.js": ["CompressionStream", "DecompressionStream"],
  "ext:vitrine/web/broadcast_channel.js": ["BroadcastChannel"],
  "ext:vitrine/web/structured_clone.js": ["structuredClone"],
  "ext:vitrine/web/performance.js": [
    "Performance", "PerformanceEntry", "PerformanceMark", "PerformanceMeasure", "PerformanceObserver", "PerformanceObserverEntryList", "performance",
  ],
  "ext:vitrine/web/crypto.js": ["Crypto", "crypto"],
  "ext:vitrine/web/crypto_key.js": ["CryptoKey"],
  "ext:vitrine/web/subtle.js": ["SubtleCrypto"],
  "ext:vitrine/web/fetch.js": ["fetch"],
  "ext:vitrine/web/form_data.js": ["FormData"],
  "ext:vitrine/web/headers.js": ["Headers"],
  "ext:vitrine/web/request.js": ["Request"],
  "ext:vitrine/web/response.js": ["Response"],
  "ext:vitrine/web/web_socket.js": ["WebSocket", "WebSocketPair"],
  "ext:vitrine/node/async_hooks.js": ["AsyncLocalStorage"],
  "ext:deno_node/internal/buffer.js": ["Buffer"],
};

// Classes of deno_web whose objects can't be cloned. Those of the worker's own scripts say so themselves.
const NOT_CLONED = [
  "AbortController", "AbortSignal", "CompressionStream", "DecompressionStream", "Event", "EventTarget", "MessageChannel", "TextDecoder",
  "TextDecoderStream", "TextEncoder", "TextEncoderStream", "URL", "URLPattern", "URLSearchParams",
];

// V8 asks each object whether it has this, also inside of others. A MessagePort has a value of its own, by which it is transferred.
function refuseClones(script, names) {
  for (let i = 0; i < names.length; i++) {
    if (!ArrayPrototypeIncludes(NOT_CLONED, names[i])) continue;
    ObjectDefineProperty(script[names[i]].prototype, core.hostObjectBrand, { __proto__: null, value: names[i], writable: true });
  }
}

function environment(values) {
  installDeno();
  const env = serve.takeEnvironment(values);
  if (values.length === 0) return;
  const { default: process } = core.loadExtScript("ext:vitrine/node/process.js");
  for (const name in env) process.env[name] = env[name];
}

// A classic script exports by `module.exports`, or by globals named default, render or fetch. Called once before it runs and
// once after.
let commonJs = null;
function classicExports() {
  if (commonJs === null) {
    commonJs = { exports: {} };
    install("module", commonJs);
    install("exports", commonJs.exports);
    install("require", core.loadExtScript("ext:vitrine/node/module.js").createRequire());
    return undefined;
  }
  const { exports } = commonJs;
  if (typeof exports === "function") return { default: exports };
  if (exports !== null && typeof exports === "object" && ObjectKeys(exports).length > 0) {
    return exports.default === undefined ? { ...exports, default: exports } : exports;
  }
  const found = {};
  for (const name of ["default", "render"]) {
    if (globalThis[name] !== undefined) found[name] = globalThis[name];
  }
  return found;
}

function installLazy() {
  const properties = { __proto__: null };
  for (const file in LAZY) {
    let hasRefused = false;
    // Each look at one of the names comes here.
    const load = () => {
      const script = core.loadExtScript(file);
      if (!hasRefused) refuseClones(script, LAZY[file]);
      hasRefused = true;
      return script;
    };
    for (const name of LAZY[file]) {
      // Functions and objects are enumerable, classes are not.
      const lazily = RegExpPrototypeTest(CLASS, name) ? core.propNonEnumerableLazyLoaded : core.propWritableLazyLoaded;
      properties[name] = lazily((script) => script[name], load);
    }
  }
  properties.process = core.propNonEnumerableLazyLoaded((script) => script.default, () => core.loadExtScript("ext:vitrine/node/process.js"));
  core.defineGlobalProperties(globalThis, properties);
}

function installDeno() {
  if (!op_bundle_names_deno()) return;
  const deno = core.propNonEnumerableLazyLoaded((script) => script.Deno, () => core.loadExtScript("ext:vitrine/web/deno.js"));
  core.defineGlobalProperties(globalThis, { __proto__: null, Deno: deno });
}

function install(name, value, enumerable = false) {
  ObjectDefineProperty(globalThis, name, { __proto__: null, value, writable: true, enumerable, configurable: true });
}

// A shared buffer that grows is memory that no limit counts: V8 maps it directly.
function boundSharedBuffers() {
  const sharedBuffer = new Proxy(globalThis.SharedArrayBuffer, {
    __proto__: null,
    construct(target, args, newTarget) {
      if (args[1]?.maxByteLength !== undefined) throw new TypeError("A SharedArrayBuffer that grows is not available");
      return ReflectConstruct(target, [args[0]], newTarget);
    },
  });
  install("SharedArrayBuffer", sharedBuffer);
  ObjectDefineProperty(sharedBuffer.prototype, "constructor", { __proto__: null, value: sharedBuffer });
}

// The codec that Buffer uses, before an app can change it. V8 has it in isolates that come from a snapshot, not in ones that become one.
function keepHexMethods() {
  const { setFromHex, toHex } = Uint8Array.prototype;
  if (toHex === undefined) return;
  internals.uint8ArrayToHex = uncurryThis(toHex);
  internals.uint8ArraySetFromHex = uncurryThis(setFromHex);
}

installLazy();
keepHexMethods();
// V8 adds it to an isolate that comes from a snapshot, not to one that becomes one.
if (globalThis.SharedArrayBuffer !== undefined) boundSharedBuffers();
wasmStreaming.install();
install("ReadableStream", stream.ReadableStream);
for (const name of ["clearImmediate", "clearInterval", "clearTimeout", "setImmediate", "setInterval", "setTimeout"]) install(name, timers[name], true);
install("queueMicrotask", globalThis.queueMicrotask, true);
install("console", core.loadExtScript("ext:vitrine/web/console.js").console);
const navigator = { userAgent: "Vitrine", hardwareConcurrency: 1, language: "en", languages: ObjectFreeze(["en"]), platform: "linux" };
install("navigator", ObjectFreeze(navigator), true);
for (const name of ["addEventListener", "dispatchEvent", "removeEventListener", "reportError"]) install(name, globalEvents[name], true);
install("self", globalThis);
install("global", globalThis);
const { Deno } = globalThis;
ReflectDeleteProperty(globalThis, "Deno");
ReflectDeleteProperty(globalThis, "__bootstrap");
ReflectDeleteProperty(globalThis, "__infra");

// The app is evaluated and the isolate becomes a snapshot. In an isolate that comes from one deno_core looks for `Deno`, and the driver
// for its entry points.
function suspend() {
  moduleScope.release();
  install("Deno", Deno);
  install("__vitrine", { resume });
}

function watch(names) {
  installDeno();
  moduleScope.watch(names);
}

function resume() {
  ReflectDeleteProperty(globalThis, "Deno");
  ReflectDeleteProperty(globalThis, "__vitrine");
  boundSharedBuffers();
  keepHexMethods();
  wasmStreaming.install();
  moduleScope.resume();
  return entries;
}

const entries = {
  abort: serve.abort,
  begin: serve.begin,
  classicExports,
  configure: serve.configure,
  drained: serve.drained,
  environment,
  noOp: () => {},
  runTask: bridge.runTask,
  settle: bridge.settle,
  suspend,
  timer: timers.fire,
  rejectionHandled: globalEvents.rejectionHandled,
  uncaught: globalEvents.uncaught,
  watch,
};
return entries;
})();

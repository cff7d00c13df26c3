// Makes the global object that an app sees, takes away what it must not see, and gives the driver its entry points.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectDefineProperty, ReflectDeleteProperty } = primordials;
const lazy = (file) => () => core.loadExtScript(file);
const bridge = core.loadExtScript("ext:vitrine/bridge.js");
const timers = core.loadExtScript("ext:vitrine/timers.js");
const serve = core.loadExtScript("ext:vitrine/serve.js");
const stream = core.loadExtScript("ext:vitrine/stream.js");

// Names that are fetched from a script when first used: a bundle pays only for what it touches.
const LAZY = {
  "ext:deno_web/00_url.js": ["URL", "URLSearchParams"],
  "ext:deno_web/01_dom_exception.js": ["DOMException"],
  "ext:deno_web/01_urlpattern.js": ["URLPattern"],
  "ext:deno_web/02_event.js": ["CloseEvent", "CustomEvent", "ErrorEvent", "Event", "EventTarget", "MessageEvent", "PromiseRejectionEvent"],
  "ext:deno_web/02_structured_clone.js": ["structuredClone"],
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
  "ext:deno_web/15_performance.js": ["Performance", "PerformanceEntry", "PerformanceMark", "PerformanceMeasure", "performance"],
  "ext:vitrine/form_data.js": ["FormData"],
  "ext:vitrine/headers.js": ["Headers"],
  "ext:vitrine/request.js": ["Request"],
  "ext:vitrine/response.js": ["Response"],
};

function installLazy() {
  const properties = { __proto__: null };
  for (const file in LAZY) {
    const load = lazy(file);
    for (const name of LAZY[file]) {
      properties[name] = core.propNonEnumerableLazyLoaded((script) => script[name], load);
    }
  }
  core.defineGlobalProperties(globalThis, properties);
}

function install(name, value) {
  ObjectDefineProperty(globalThis, name, { __proto__: null, value, writable: true, enumerable: false, configurable: true });
}

installLazy();
install("ReadableStream", stream.ReadableStream);
install("setTimeout", timers.setTimeout);
install("setInterval", timers.setInterval);
install("setImmediate", timers.setImmediate);
install("clearTimeout", timers.clearTimeout);
install("clearInterval", timers.clearTimeout);
install("clearImmediate", timers.clearTimeout);
install("self", globalThis);
install("global", globalThis);
ReflectDeleteProperty(globalThis, "Deno");
ReflectDeleteProperty(globalThis, "__bootstrap");
ReflectDeleteProperty(globalThis, "__infra");

return {
  abort: serve.abort,
  begin: serve.begin,
  configure: serve.configure,
  drained: serve.drained,
  noOp: () => {},
  runTask: bridge.runTask,
  settle: bridge.settle,
  timer: timers.fire,
};
})();

// WebAssembly.compileStreaming and instantiateStreaming: they take a Response, which V8 does not know.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectDefineProperty, RegExpPrototypeTest, SafeRegExp, TypeError } = primordials;

const WASM_TYPE = new SafeRegExp("^application/wasm$", "i");

async function bytesOf(source) {
  const { isResponse } = core.loadExtScript("ext:vitrine/web/response.js");
  const response = await source;
  if (!isResponse(response)) throw new TypeError("WebAssembly: the source must be a Response or a promise of one");
  if (!response.ok) throw new TypeError(`WebAssembly: the response has the status ${response.status}`);
  const type = response.headers.get("content-type") ?? "";
  if (!RegExpPrototypeTest(WASM_TYPE, type)) throw new TypeError(`WebAssembly: the response has the type "${type}", not application/wasm`);
  return response.arrayBuffer();
}

// Installs both. V8's own need a callback that is not set here.
function install() {
  const { WebAssembly } = globalThis;
  if (WebAssembly === undefined) return;
  const { compile, instantiate } = WebAssembly;
  const functions = {
    __proto__: null,
    compileStreaming: async (source) => compile(await bytesOf(source)),
    instantiateStreaming: async (source, imports = undefined) => instantiate(await bytesOf(source), imports),
  };
  for (const name in functions) {
    ObjectDefineProperty(WebAssembly, name, { __proto__: null, value: functions[name], writable: true, enumerable: true, configurable: true });
  }
}

return { install };
})();

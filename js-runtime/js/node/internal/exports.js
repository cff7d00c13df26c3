// The exports of a built-in module: every name that Node.js has, also those that can't work here. A package may import them, keep them
// and extend them; what throws is the call.
(function () {
const { core, primordials } = __bootstrap;
const { Error, ObjectAssign, ObjectDefineProperty, StringPrototypeSplit } = primordials;
const { FUNCTIONS, VALUES } = core.loadExtScript("ext:vitrine/node/internal/names.js");

// Why a module can't do what it is for, and what an app does instead.
const INSTEAD = {
  __proto__: null,
  "node:child_process": "it starts no processes; do the work in the app, or in a service that it calls with fetch",
  "node:cluster": "Vitrine itself runs an app once for each core",
  "node:dgram": "it has no sockets; call fetch",
  "node:dns": "it looks no names up; call fetch with the name",
  "node:dns/promises": "it looks no names up; call fetch with the name",
  "node:domain": "catch errors where they arise, and use AsyncLocalStorage for what belongs to a request",
  "node:http2": "it has no sockets; call fetch, and answer requests with the exported handler",
  "node:inspector": "it has no debugger; debug the app with Node.js or Vite before the deploy",
  "node:inspector/promises": "it has no debugger; debug the app with Node.js or Vite before the deploy",
  "node:net": "it has no sockets; call fetch",
  "node:readline": "it has no terminal",
  "node:readline/promises": "it has no terminal",
  "node:repl": "it has no terminal",
  "node:test": "run tests with Node.js before the deploy",
  "node:tls": "it has no sockets; call fetch with an https address",
  "node:trace_events": "it records no trace events; log what matters",
  "node:vm": "code in a string is not run; bundle it into the server's file",
  "node:wasi": "it has no files and processes; use WebAssembly.instantiate",
  "node:worker_threads": "it starts no threads; each request runs in the isolate that took it",
};

// Its errors go where those of a lookup go: a server that asks for its own addresses goes on without them.
const TELLS_CALLBACK = "node:dns";

// A function or class that throws when it is called.
function unavailable(module, name) {
  const instead = INSTEAD[module] === undefined ? "" : `: ${INSTEAD[module]}`;
  const refuse = function (...args) {
    const error = new Error(`${name} of ${module} is not available in an app on Vitrine${instead}`);
    ObjectAssign(error, { code: "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM" });
    const callback = args[args.length - 1];
    if (module !== TELLS_CALLBACK || typeof callback !== "function") throw error;
    queueMicrotask(() => callback(error));
  };
  return ObjectDefineProperty(refuse, "name", { __proto__: null, value: name, configurable: true });
}

// The named exports of `module`, and itself as the default one. What it lacks is added to it.
function exportsOf(name, module) {
  const exports = { default: module };
  const functions = listed(FUNCTIONS[name]);
  for (let i = 0; i < functions.length; i++) {
    const key = functions[i];
    if (!(key in module)) add(module, key, unavailable(name, key));
    exports[key] = module[key];
  }
  const values = listed(VALUES[name]);
  for (let i = 0; i < values.length; i++) exports[values[i]] = module[values[i]];
  return exports;
}

function listed(names) {
  return names === "" ? [] : StringPrototypeSplit(names, " ");
}

function add(module, key, value) {
  ObjectDefineProperty(module, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

return { exportsOf, unavailable };
})();

// Events of the global object: errors and rejections that nobody catches. No app can end its worker by one.
(function () {
const { core, primordials } = __bootstrap;
const { op_report } = core.ops;
const { ObjectDefineProperty, ReflectApply, SymbolToStringTag, TypeError } = primordials;
const { ErrorEvent, EventTarget, CustomEvent, MessageEvent, PromiseRejectionEvent, reportException, saveGlobalThisReference } =
  core.loadExtScript("ext:deno_web/02_event.js");
const { currentRequest } = core.loadExtScript("ext:vitrine/bridge.js");

for (const [constructor, name] of [
  [CustomEvent, "CustomEvent"], [ErrorEvent, "ErrorEvent"], [MessageEvent, "MessageEvent"], [PromiseRejectionEvent, "PromiseRejectionEvent"],
]) {
  ObjectDefineProperty(constructor.prototype, SymbolToStringTag, { __proto__: null, value: name, configurable: true });
}

const target = new EventTarget();
let isListening = false;

// What an exception is told to: its listeners first, the log if they leave it.
saveGlobalThisReference({
  dispatchEvent(event) {
    if (target.dispatchEvent(event)) op_report(currentRequest(), event.error);
    return false;
  },
});

function addEventListener(type, listener, options = undefined) {
  isListening = true;
  target.addEventListener(type, listener, options);
}

function removeEventListener(type, listener, options = undefined) {
  target.removeEventListener(type, listener, options);
}

function dispatchEvent(event) {
  return target.dispatchEvent(event);
}

// An event handler attribute: one function, or nothing.
function defineHandler(type, call) {
  let handler = null;
  const listen = (event) => {
    if (handler !== null && call(handler, event) === true) event.preventDefault();
  };
  let isAdded = false;
  ObjectDefineProperty(globalThis, `on${type}`, {
    __proto__: null,
    configurable: true,
    enumerable: true,
    get: () => handler,
    set(value) {
      handler = typeof value === "function" ? value : null;
      if (handler !== null && !isAdded) {
        isAdded = true;
        addEventListener(type, listen);
      }
    },
  });
}

// `onerror` is given the parts of its event, and takes the error by returning true; the others get their event.
defineHandler("error", (handler, { message, filename, lineno, colno, error }) =>
  ReflectApply(handler, globalThis, [message, filename, lineno, colno, error]));
for (const type of ["unhandledrejection", "rejectionhandled"]) {
  defineHandler(type, (handler, event) => {
    ReflectApply(handler, globalThis, [event]);
    return false;
  });
}

function reportError(error) {
  if (arguments.length === 0) throw new TypeError("reportError: an error must be given");
  reportException(error);
}

// Whether the app's listeners take an error, or the reason of a promise that was rejected.
function uncaught(reason, promise) {
  if (!isListening) return false;
  if (promise !== undefined) {
    return !target.dispatchEvent(new PromiseRejectionEvent("unhandledrejection", { cancelable: true, promise, reason }));
  }
  // It dispatches, and reports what is left.
  reportException(reason);
  return true;
}

return { addEventListener, dispatchEvent, removeEventListener, reportError, uncaught };
})();

// Events of the global object: uncaught errors and rejections. None of them ends anything but the code that threw.
(function () {
const { core, primordials } = __bootstrap;
const { getAsyncContext, setAsyncContext } = core;
const { op_report } = core.ops;
const { ObjectDefineProperty, ReflectApply, SafeWeakSet, SymbolToStringTag, TypeError, WeakSetPrototypeAdd, WeakSetPrototypeHas } = primordials;
const { ErrorEvent, Event, EventTarget, CustomEvent, MessageEvent, PromiseRejectionEvent, reportException, saveGlobalThisReference } =
  core.loadExtScript("ext:deno_web/02_event.js");
const { currentRequest, requestVariable } = core.loadExtScript("ext:vitrine/runtime/bridge.js");

for (const [constructor, name] of [
  [CustomEvent, "CustomEvent"], [ErrorEvent, "ErrorEvent"], [MessageEvent, "MessageEvent"], [PromiseRejectionEvent, "PromiseRejectionEvent"],
]) {
  ObjectDefineProperty(constructor.prototype, SymbolToStringTag, { __proto__: null, value: name, configurable: true });
}

// As the standard has them.
for (const name of ["preventDefault", "stopPropagation", "stopImmediatePropagation", "composedPath", "cancelBubble"]) {
  ObjectDefineProperty(Event.prototype, name, { __proto__: null, enumerable: true });
}
ObjectDefineProperty(MessageEvent.prototype, "source", { __proto__: null, enumerable: true });
ObjectDefineProperty(MessageEvent, "length", { __proto__: null, value: 1 });

const target = new EventTarget();
let isListening = false;

function logError(error) {
  op_report(currentRequest(), error, false);
}

// What an exception is told to: its listeners first, the log if they leave it.
saveGlobalThisReference({
  dispatchEvent(event) {
    if (target.dispatchEvent(event)) logError(event.error);
    return false;
  },
});
// `deno_core` would end the isolate: for an error of a listener that is being told of an error, and for one of a microtask.
core.reportUnhandledException = logError;
core.setReportExceptionCallback(report);

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
    if (typeof handler === "function" && call(handler, event) === true) event.preventDefault();
  };
  let isAdded = false;
  ObjectDefineProperty(globalThis, `on${type}`, {
    __proto__: null,
    configurable: true,
    enumerable: true,
    get: () => handler,
    set(value) {
      // Any object is kept, and only a function is called.
      handler = typeof value === "function" || typeof value === "object" ? value : null;
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

// Tells the listeners of an error, and logs what they leave.
function report(error) {
  if (isListening) reportException(error);
  else logError(error);
}

// Rejected promises that the listeners were told of.
const rejected = new SafeWeakSet();

// What a slice of `request` threw, or left as the reason of a rejected promise, in the context where that happened. A rejection that is
// not `told` goes to the log alone.
function uncaught(request, reason, promise, context, told) {
  const previous = getAsyncContext();
  setAsyncContext(context);
  if (currentRequest() === 0) requestVariable.enter(request);
  try {
    if (promise === undefined) {
      report(reason);
      return;
    }
    WeakSetPrototypeAdd(rejected, promise);
    if (!told || !isListening || target.dispatchEvent(new PromiseRejectionEvent("unhandledrejection", { cancelable: true, promise, reason }))) {
      op_report(currentRequest(), reason, true);
    }
  } finally {
    setAsyncContext(previous);
  }
}

// A promise that was rejected without a handler has one now.
function rejectionHandled(request, reason, promise, context) {
  if (!isListening || !WeakSetPrototypeHas(rejected, promise)) return;
  const previous = getAsyncContext();
  setAsyncContext(context);
  if (currentRequest() === 0) requestVariable.enter(request);
  try {
    target.dispatchEvent(new PromiseRejectionEvent("rejectionhandled", { promise, reason }));
  } finally {
    setAsyncContext(previous);
  }
}

return { addEventListener, dispatchEvent, rejectionHandled, removeEventListener, reportError, uncaught };
})();

// node:util.
(function () {
const { core } = __bootstrap;
const { inspect: inspectValue } = core.loadExtScript("ext:deno_web/01_console.js");
const { TextDecoder, TextEncoder } = core.loadExtScript("ext:deno_web/08_text_encoding.js");
const { format: formatArgs } = core.loadExtScript("ext:vitrine/console.js");

const timers = core.loadExtScript("ext:vitrine/timers.js");

const kCustomPromisify = Symbol.for("nodejs.util.promisify.custom");

function promisify(original) {
  if (typeof original !== "function") throw new TypeError("promisify: the original must be a function");
  if (original[kCustomPromisify] !== undefined) return original[kCustomPromisify];
  // Their callback comes first, and no error before a value.
  if (original === timers.setTimeout || original === timers.setImmediate) {
    return core.loadExtScript("ext:vitrine/node/timers_promises.js")[original.name];
  }
  const promisified = function (...args) {
    return new Promise((resolve, reject) => {
      Reflect.apply(original, this, [...args, (error, value) => (error ? reject(error) : resolve(value))]);
    });
  };
  Object.setPrototypeOf(promisified, Object.getPrototypeOf(original));
  return Object.defineProperties(promisified, Object.getOwnPropertyDescriptors(original));
}
promisify.custom = kCustomPromisify;

function callbackify(original) {
  return function (...args) {
    const callback = args.pop();
    const later = (...results) => queueMicrotask(() => callback(...results));
    Reflect.apply(original, this, args).then((value) => later(null, value), (error) => later(error ?? new Error("The promise was rejected without a reason")));
  };
}

function inspect(value, options = undefined) {
  return inspectValue(value, { colors: false, ...(typeof options === "object" ? options : undefined) });
}
inspect.custom = Symbol.for("nodejs.util.inspect.custom");
inspect.defaultOptions = {};

function format(...args) {
  return args.length === 0 ? "" : formatArgs(args);
}

function inherits(constructor, parent) {
  Object.defineProperty(constructor, "super_", { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(constructor.prototype, parent.prototype);
}

function deprecate(original, message, code = undefined) {
  let warned = false;
  return function (...args) {
    if (!warned) console.warn(`${code === undefined ? "" : `[${code}] `}DeprecationWarning: ${message}`);
    warned = true;
    return new.target === undefined ? Reflect.apply(original, this, args) : Reflect.construct(original, args, new.target);
  };
}

function debuglog() {
  const log = () => {};
  log.enabled = false;
  return log;
}

function stripVTControlCharacters(text) {
  // deno-lint-ignore no-control-regex
  return String(text).replace(/\u001b\[[0-9;]*[A-Za-z]/g, "");
}

function sameEntries(left, right, seen) {
  const keys = Reflect.ownKeys(left);
  if (keys.length !== Reflect.ownKeys(right).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && sameValue(left[key], right[key], seen));
}

function sameValue(left, right, seen) {
  if (Object.is(left, right)) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
  if (seen.get(left) === right) return true;
  seen.set(left, right);
  if (left instanceof Date) return left.getTime() === right.getTime();
  if (left instanceof RegExp) return String(left) === String(right);
  if (left instanceof Map) {
    return left.size === right.size && [...left].every(([key, value]) => right.has(key) && sameValue(value, right.get(key), seen));
  }
  if (left instanceof Set) {
    return left.size === right.size && [...left].every((value) => right.has(value) || [...right].some((other) => sameValue(value, other, seen)));
  }
  return sameEntries(left, right, seen);
}

function isDeepStrictEqual(left, right) {
  return sameValue(left, right, new Map());
}

const types = {
  isAnyArrayBuffer: core.isAnyArrayBuffer,
  isArrayBuffer: core.isArrayBuffer,
  isArrayBufferView: ArrayBuffer.isView,
  isAsyncFunction: core.isAsyncFunction,
  isBigInt64Array: (value) => tag(value) === "BigInt64Array",
  isBoxedPrimitive: core.isBoxedPrimitive,
  isDataView: core.isDataView,
  isDate: core.isDate,
  isGeneratorFunction: core.isGeneratorFunction,
  isGeneratorObject: core.isGeneratorObject,
  isMap: core.isMap,
  isMapIterator: core.isMapIterator,
  isModuleNamespaceObject: core.isModuleNamespaceObject,
  isNativeError: core.isNativeError,
  isPromise: core.isPromise,
  isProxy: core.isProxy,
  isRegExp: core.isRegExp,
  isSet: core.isSet,
  isSetIterator: core.isSetIterator,
  isSharedArrayBuffer: core.isSharedArrayBuffer,
  isTypedArray: core.isTypedArray,
  isUint8Array: (value) => tag(value) === "Uint8Array",
  isWeakMap: core.isWeakMap,
  isWeakSet: core.isWeakSet,
};

const tagOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;

function tag(value) {
  return Reflect.apply(tagOf, value, []);
}

return {
  TextDecoder, TextEncoder, callbackify, debuglog, debug: debuglog, deprecate, format, inherits, inspect, isArray: Array.isArray,
  isDeepStrictEqual, promisify, stripVTControlCharacters, toUSVString: (text) => String(text).toWellFormed(), types,
};
})();

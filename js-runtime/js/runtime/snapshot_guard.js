// What an app must not look at while it is evaluated for a snapshot: a clock, a random number or a value that it keeps would be the
// same in every isolate from then on.
(function () {
const { core, primordials } = __bootstrap;
const { op_module_scope_read, op_random_fill, op_random_uuid } = core.ops;
const {
  ArrayPrototypeIncludes, ArrayPrototypePush, Error, Proxy, ReflectApply, ReflectConstruct, ReflectDefineProperty,
  ReflectDeleteProperty, ReflectGet, ReflectGetOwnPropertyDescriptor, ReflectHas, ReflectOwnKeys, String,
} = primordials;

const { noteRandom, watchMath } = core.loadExtScript("ext:vitrine/runtime/ledger.js");

watchMath();

// Frames of a stack, V8's own default.
const STACK_TRACE_LIMIT = 10;

let watching = false;
let names = [];
// Whether the bundle lists a time zone: what is made of local time depends on its value then.
let hasTimeZone = false;
let stackTraceLimit = STACK_TRACE_LIMIT;
const handlers = [];
const originals = [];
const resumed = [];

// The app does something of this kind: see `Notice` in the worker's code.
function notice(kind, detail = "") {
  if (kind === "randomness") noteRandom();
  if (watching) op_module_scope_read(kind, new Error(detail));
}

// Has `watched` noticed until the snapshot is made. What the app kept of it works on as if it were the original.
function proxy(watched, handler) {
  ArrayPrototypePush(handlers, handler);
  return new Proxy(watched, handler);
}

// Puts a proxy in the place of a method, a constructor or a getter until the snapshot is made.
function replace(object, name, handler) {
  const original = ReflectGetOwnPropertyDescriptor(object, name);
  const key = original.get === undefined ? "value" : "get";
  const watched = proxy(original[key], handler);
  ArrayPrototypePush(originals, { object, name, original });
  ReflectDefineProperty(object, name, { ...original, [key]: watched });
  return watched;
}

// Has the calls of a method, a constructor or a getter noticed.
function watchCalls(object, name, kind) {
  if (!watching) return;
  const watched = replace(object, name, {
    __proto__: null,
    apply(target, receiver, args) {
      notice(kind);
      return ReflectApply(target, receiver, args);
    },
    construct(target, args, newTarget) {
      // A date that is given its time is the same at any time.
      if (name !== "Date" || args.length === 0) notice(kind);
      else if (hasTimeZone) notice("env");
      return ReflectConstruct(target, args, newTarget === watched ? target : newTarget);
    },
  });
}

// Has dates noticed that are written without being given: they are of now.
function watchFormats() {
  const { prototype } = Intl.DateTimeFormat;
  const handler = {
    __proto__: null,
    apply(target, receiver, args) {
      if (args[0] === undefined) notice("clock");
      return ReflectApply(target, receiver, args);
    },
  };
  replace(prototype, "formatToParts", handler);
  // A getter, which gives each formatter a function of its own.
  replace(prototype, "format", {
    __proto__: null,
    apply: (target, receiver, args) => new Proxy(ReflectApply(target, receiver, args), handler),
  });
}

// The environment of node:process. Only names that the bundle lists ever have a value that depends on the release.
function watchEnv(env) {
  if (!watching || names.length === 0) return env;
  const look = (name) => {
    if (ArrayPrototypeIncludes(names, name)) notice("env");
  };
  return proxy(env, {
    __proto__: null,
    get(target, name, receiver) {
      look(name);
      return ReflectGet(target, name, receiver);
    },
    getOwnPropertyDescriptor(target, name) {
      look(name);
      return ReflectGetOwnPropertyDescriptor(target, name);
    },
    has(target, name) {
      look(name);
      return ReflectHas(target, name);
    },
    ownKeys(target) {
      notice("env");
      return ReflectOwnKeys(target);
    },
  });
}

function randomFill(bytes) {
  notice("randomness");
  op_random_fill(bytes);
}

function randomUuid() {
  notice("randomness");
  return op_random_uuid();
}

// From now on the app is evaluated for a snapshot. `envNames` are what its bundle lists.
function watch(envNames) {
  watching = true;
  names = envNames;
  hasTimeZone = ArrayPrototypeIncludes(envNames, "TZ");
  if (hasTimeZone) watchCalls(Intl, "DateTimeFormat", "env");
  watchCalls(globalThis, "Date", "clock");
  watchCalls(globalThis.Date, "now", "clock");
  watchCalls(Math, "random", "randomness");
  watchFormats();
  for (const name of ["Blob", "File", "MessageChannel"]) watchConstructor(name);
  Error.stackTraceLimit = STACK_TRACE_LIMIT;
  for (const { 0: object, 1: late } of lateFeatures()) {
    for (let i = 0; i < late.length; i++) watchFeature(object, late[i]);
  }
}

// What V8 adds to an isolate when its snapshot is loaded, and not to one that becomes a snapshot. An app that asks for it at module
// scope would decide for good that it is not there.
function lateFeatures() {
  const { prototype: bytes } = Uint8Array;
  return [
    [globalThis, ["AsyncDisposableStack", "DisposableStack", "Float16Array", "SharedArrayBuffer", "SuppressedError", "WebAssembly"]],
    [Atomics, ["pause"]],
    [DataView.prototype, ["getFloat16", "setFloat16"]],
    [Error, ["isError"]],
    [Intl.Locale.prototype, ["variants"]],
    [Iterator, ["concat"]],
    [Iterator.prototype, [Symbol.dispose]],
    [Map.prototype, ["getOrInsert", "getOrInsertComputed"]],
    [Math, ["f16round", "sumPrecise"]],
    [Promise, ["try"]],
    [RegExp, ["escape"]],
    [Uint8Array, ["fromBase64", "fromHex"]],
    [bytes, ["setFromBase64", "setFromHex", "toBase64", "toHex"]],
    [WeakMap.prototype, ["getOrInsert", "getOrInsertComputed"]],
  ];
}

// What such an object stands for lies in the worker, and is not there any more in an isolate that comes from the snapshot.
function watchConstructor(name) {
  const original = ReflectGetOwnPropertyDescriptor(globalThis, name);
  const watched = proxy(globalThis[name], {
    __proto__: null,
    construct(target, args, newTarget) {
      notice("feature", name);
      return ReflectConstruct(target, args, newTarget === watched ? target : newTarget);
    },
  });
  ArrayPrototypePush(originals, { object: globalThis, name, original });
  ReflectDefineProperty(globalThis, name, { __proto__: null, value: watched, writable: true, enumerable: false, configurable: true });
}

function watchFeature(object, name) {
  if (ReflectGetOwnPropertyDescriptor(object, name) !== undefined) return;
  const look = () => notice("feature", String(name));
  ReflectDefineProperty(object, name, { __proto__: null, get: look, set: look, enumerable: false, configurable: true });
  ArrayPrototypePush(originals, { object, name, original: undefined });
}

// The app is evaluated.
function release() {
  watching = false;
  for (let i = 0; i < handlers.length; i++) {
    for (const trap of ReflectOwnKeys(handlers[i])) delete handlers[i][trap];
  }
  // In reverse, so that what hangs on a watched object goes back to the original.
  for (let i = originals.length - 1; i >= 0; i--) {
    const { object, name, original } = originals[i];
    if (original === undefined) ReflectDeleteProperty(object, name);
    else ReflectDefineProperty(object, name, original);
  }
  stackTraceLimit = Error.stackTraceLimit;
  ReflectDeleteProperty(Error, "stackTraceLimit");
}

// `renew` runs in each isolate that comes from the snapshot, before anything of the app.
function onResume(renew) {
  if (watching) ArrayPrototypePush(resumed, renew);
}

function resume() {
  if (stackTraceLimit !== STACK_TRACE_LIMIT) Error.stackTraceLimit = stackTraceLimit;
  for (let i = 0; i < resumed.length; i++) resumed[i]();
}

return { notice, onResume, randomFill, randomUuid, release, resume, watch, watchCalls, watchEnv };
})();

// What an app must not look at while it is evaluated for a snapshot: a clock, a random number or a value that it keeps would be the
// same in every isolate from then on.
(function () {
const { core, primordials } = __bootstrap;
const { op_module_scope_read, op_random_fill, op_random_uuid } = core.ops;
const {
  ArrayPrototypeIncludes, ArrayPrototypePush, Error, Proxy, ReflectApply, ReflectConstruct, ReflectDefineProperty, ReflectGet,
  ReflectGetOwnPropertyDescriptor, ReflectHas, ReflectOwnKeys,
} = primordials;

let watching = false;
let names = [];
const handlers = [];
const originals = [];
const resumed = [];

// The app looks at something of this kind: "clock", "randomness", "env" or "wasm".
function notice(kind) {
  if (watching) op_module_scope_read(kind, new Error());
}

// Has `watched` noticed until the snapshot is made. What the app kept of it works on as if it were the original.
function proxy(watched, handler) {
  ArrayPrototypePush(handlers, handler);
  return new Proxy(watched, handler);
}

// Has the calls of a method, a constructor or a getter noticed.
function watchCalls(object, name, kind) {
  if (!watching) return;
  const original = ReflectGetOwnPropertyDescriptor(object, name);
  const key = original.get === undefined ? "value" : "get";
  const watched = proxy(original[key], {
    __proto__: null,
    apply(target, receiver, args) {
      notice(kind);
      return ReflectApply(target, receiver, args);
    },
    construct(target, args, newTarget) {
      // A date that is given its time is the same at any time.
      if (name !== "Date" || args.length === 0) notice(kind);
      return ReflectConstruct(target, args, newTarget === watched ? target : newTarget);
    },
  });
  ArrayPrototypePush(originals, { object, name, original });
  ReflectDefineProperty(object, name, { ...original, [key]: watched });
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
  watchCalls(globalThis, "Date", "clock");
  watchCalls(globalThis.Date, "now", "clock");
  watchCalls(Math, "random", "randomness");
  for (const name of ["Instance", "Module", "compile", "instantiate"]) watchCalls(WebAssembly, name, "wasm");
}

// The app is evaluated.
function release() {
  watching = false;
  for (let i = 0; i < handlers.length; i++) {
    for (const trap of ReflectOwnKeys(handlers[i])) delete handlers[i][trap];
  }
  // In reverse, so that what hangs on a watched object goes back to the original.
  for (let i = originals.length - 1; i >= 0; i--) {
    ReflectDefineProperty(originals[i].object, originals[i].name, originals[i].original);
  }
}

// `renew` runs in each isolate that comes from the snapshot, before anything of the app.
function onResume(renew) {
  if (watching) ArrayPrototypePush(resumed, renew);
}

function resume() {
  for (let i = 0; i < resumed.length; i++) resumed[i]();
}

return { notice, onResume, randomFill, randomUuid, release, resume, watch, watchCalls, watchEnv };
})();

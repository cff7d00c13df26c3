// node:async_hooks: the part that carries a request's state across await.
(function () {
const { core, primordials } = __bootstrap;
const { AsyncVariable, getAsyncContext, setAsyncContext } = core;
const { ReflectApply, TypeError } = primordials;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const { runInContext } = core.loadExtScript("ext:vitrine/runtime/bridge.js");

class AsyncLocalStorage {
  #variable = new AsyncVariable();
  #fallback;
  #disabled = false;
  name;

  constructor(options = undefined) {
    this.#fallback = options?.defaultValue;
    this.name = options?.name ?? "";
  }

  // A function that runs `callback` with the stores of now.
  static bind(callback) {
    const snapshot = AsyncLocalStorage.snapshot();
    return function (...args) {
      return snapshot(() => ReflectApply(callback, this, args));
    };
  }

  static snapshot() {
    const context = getAsyncContext();
    return (callback, ...args) => runInContext(context, callback, undefined, args);
  }

  run(store, callback, ...args) {
    this.#disabled = false;
    const previous = this.#variable.enter({ store });
    try {
      return ReflectApply(callback, undefined, args);
    } finally {
      setAsyncContext(previous);
    }
  }

  exit(callback, ...args) {
    const previous = this.#variable.enter(undefined);
    try {
      return ReflectApply(callback, undefined, args);
    } finally {
      setAsyncContext(previous);
    }
  }

  enterWith(store) {
    this.#disabled = false;
    this.#variable.enter({ store });
  }

  getStore() {
    const entry = this.#disabled ? undefined : this.#variable.get();
    return entry === undefined ? this.#fallback : entry.store;
  }

  disable() {
    this.#disabled = true;
  }
}

let lastId = 1;

class AsyncResource {
  #context = getAsyncContext();
  #id = ++lastId;

  constructor(type) {
    if (typeof type !== "string") throw new TypeError("AsyncResource: the type must be a string");
  }

  static bind(callback, type, receiver = undefined) {
    return new AsyncResource(type ?? (callback.name || "bound-anonymous-fn")).bind(callback, receiver);
  }

  runInAsyncScope(callback, receiver, ...args) {
    return runInContext(this.#context, callback, receiver, args);
  }

  bind(callback, receiver = undefined) {
    const context = this.#context;
    return function (...args) {
      return runInContext(context, callback, receiver ?? this, args);
    };
  }

  asyncId() {
    return this.#id;
  }

  triggerAsyncId() {
    return 0;
  }

  emitDestroy() {
    return this;
  }
}

// The life of other resources is not reported: `createHook` returns a hook that is never called.
function createHook() {
  const hook = { enable: () => hook, disable: () => hook };
  return hook;
}

return exportsOf("node:async_hooks", {
  AsyncLocalStorage,
  AsyncResource,
  asyncWrapProviders: {},
  createHook,
  executionAsyncId: () => 0,
  executionAsyncResource: () => ({}),
  triggerAsyncId: () => 0,
});
})();

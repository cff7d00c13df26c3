// node:events.
(function () {
const kOnce = Symbol("once");
const errorMonitor = Symbol("events.errorMonitor");
let defaultMaxListeners = 10;

function requireListener(listener) {
  if (typeof listener !== "function") throw new TypeError(`The listener must be a function; it is ${listener === null ? "null" : typeof listener}`);
}

function EventEmitter() {
  this._events ??= Object.create(null);
}

EventEmitter.prototype._events = undefined;
EventEmitter.prototype._maxListeners = undefined;

function listenersOf(emitter) {
  if (emitter._events === undefined || emitter._events === Object.getPrototypeOf(emitter)._events) {
    emitter._events = Object.create(null);
  }
  return emitter._events;
}

function add(emitter, name, listener, first) {
  requireListener(listener);
  const events = listenersOf(emitter);
  if (events.newListener !== undefined) emitter.emit("newListener", name, listener[kOnce] ?? listener);
  // A list is replaced, never changed: an emit under way goes on with the one that it began with.
  events[name] = first ? [listener, ...(events[name] ?? [])] : [...(events[name] ?? []), listener];
  const most = emitter.getMaxListeners();
  if (most > 0 && events[name].length === most + 1) {
    console.warn(`Possible leak: ${events[name].length} listeners of ${String(name)} were added. Use setMaxListeners() to raise the limit`);
  }
  return emitter;
}

function onceListener(emitter, name, listener) {
  requireListener(listener);
  const wrapper = function (...args) {
    emitter.removeListener(name, wrapper);
    return Reflect.apply(listener, emitter, args);
  };
  wrapper[kOnce] = listener;
  return wrapper;
}

Object.assign(EventEmitter.prototype, {
  on(name, listener) {
    return add(this, name, listener, false);
  },
  addListener(name, listener) {
    return add(this, name, listener, false);
  },
  prependListener(name, listener) {
    return add(this, name, listener, true);
  },
  once(name, listener) {
    return add(this, name, onceListener(this, name, listener), false);
  },
  prependOnceListener(name, listener) {
    return add(this, name, onceListener(this, name, listener), true);
  },
  removeListener(name, listener) {
    const events = listenersOf(this);
    const list = events[name];
    if (list === undefined) return this;
    const index = list.findLastIndex((known) => known === listener || known[kOnce] === listener);
    if (index === -1) return this;
    const rest = list.toSpliced(index, 1);
    if (rest.length === 0) delete events[name];
    else events[name] = rest;
    if (events.removeListener !== undefined) this.emit("removeListener", name, listener);
    return this;
  },
  removeAllListeners(name) {
    const events = listenersOf(this);
    if (name === undefined) this._events = Object.create(null);
    else delete events[name];
    return this;
  },
  emit(name, ...args) {
    const events = listenersOf(this);
    if (name === "error" && events[errorMonitor] !== undefined) this.emit(errorMonitor, ...args);
    const list = events[name];
    if (list === undefined) {
      if (name !== "error") return false;
      if (args[0] instanceof Error) throw args[0];
      throw new Error(`Unhandled error event: ${String(args[0])}`);
    }
    for (const listener of list) Reflect.apply(listener, this, args);
    return true;
  },
  listenerCount(name, listener = undefined) {
    const list = listenersOf(this)[name] ?? [];
    return listener === undefined ? list.length : list.filter((known) => known === listener || known[kOnce] === listener).length;
  },
  listeners(name) {
    return (listenersOf(this)[name] ?? []).map((listener) => listener[kOnce] ?? listener);
  },
  rawListeners(name) {
    return [...(listenersOf(this)[name] ?? [])];
  },
  eventNames() {
    return Reflect.ownKeys(listenersOf(this));
  },
  setMaxListeners(most) {
    this._maxListeners = most;
    return this;
  },
  getMaxListeners() {
    return this._maxListeners ?? defaultMaxListeners;
  },
});
EventEmitter.prototype.off = EventEmitter.prototype.removeListener;

// A promise of the next event of this name; rejected by an "error" event or the signal.
function once(emitter, name, options = undefined) {
  return new Promise((resolve, reject) => {
    const signal = options?.signal;
    signal?.throwIfAborted();
    if (typeof emitter.addEventListener === "function") {
      emitter.addEventListener(name, (event) => resolve([event]), { once: true, signal });
      return;
    }
    const settle = (finish) => (...args) => {
      emitter.removeListener(name, onEvent);
      emitter.removeListener("error", onError);
      signal?.removeEventListener("abort", onAbort);
      finish(args);
    };
    const onEvent = settle(resolve);
    const onError = settle((args) => reject(args[0]));
    const onAbort = settle(() => reject(signal.reason));
    emitter.once(name, onEvent);
    if (name !== "error") emitter.once("error", onError);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

function getEventListeners(emitter, name) {
  return emitter.listeners(name);
}

function setMaxListeners(most, ...emitters) {
  if (emitters.length === 0) defaultMaxListeners = most;
  for (const emitter of emitters) emitter.setMaxListeners?.(most);
}

EventEmitter.EventEmitter = EventEmitter;
EventEmitter.once = once;
EventEmitter.errorMonitor = errorMonitor;
EventEmitter.getEventListeners = getEventListeners;
EventEmitter.setMaxListeners = setMaxListeners;
Object.defineProperty(EventEmitter, "defaultMaxListeners", { get: () => defaultMaxListeners, set: (most) => setMaxListeners(most) });

return { default: EventEmitter, EventEmitter, defaultMaxListeners, errorMonitor, getEventListeners, once, setMaxListeners };
})();

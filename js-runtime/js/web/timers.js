// setTimeout and its family, on the driver's clock.
(function () {
const { core, primordials } = __bootstrap;
const { op_cancel, op_timer_start } = core.ops;
const {
  Error, Number, NumberIsFinite, ObjectDefineProperty, ReflectApply, SymbolDispose, SymbolFor, SymbolToPrimitive, TypeError,
} = primordials;
const { getAsyncContext } = core;
const { collectTicks, currentRequest, queueTask, runInContext, runTicks, waiting } = core.loadExtScript("ext:vitrine/runtime/bridge.js");
const { notice } = core.loadExtScript("ext:vitrine/runtime/snapshot_guard.js");

// Longest delay that browsers and Node.js keep, in milliseconds; a longer one fires at once there and here.
const DELAY_MS_MAX = 2147483647;

function start(callback, delay, args, interval) {
  if (typeof callback !== "function") throw new TypeError("A timer's callback must be a function; code in a string is not run");
  notice("timer");
  delay = Number(delay);
  if (!NumberIsFinite(delay) || delay < 1 || delay > DELAY_MS_MAX) delay = interval ? 1 : 0;
  const entry = { number: 0, callback, args, context: getAsyncContext(), delay, interval };
  schedule(entry);
  return entry;
}

function schedule(entry) {
  const timer = waiting.add(entry);
  if (entry.delay === 0) {
    try {
      queueTask(fireSoon, [timer]);
    } catch (error) {
      waiting.take(timer);
      throw error;
    }
  } else {
    restart(timer, entry.delay);
  }
}

// Gives a timer up that has not fired; one that has is none any more.
function cancel(entry) {
  if (waiting.get(entry.number) !== entry) return;
  waiting.take(entry.number);
  if (entry.delay !== 0) op_cancel(entry.number);
}

// What Node.js gives for a timer. An app is served with timers or without: there is nothing to keep alive.
class Timeout {
  #entry;
  #isCleared = false;
  #keepsAlive = true;

  constructor(entry) {
    this.#entry = entry;
  }

  ref() {
    this.#keepsAlive = true;
    return this;
  }

  unref() {
    this.#keepsAlive = false;
    return this;
  }

  hasRef() {
    return this.#keepsAlive;
  }

  // Begins its time again, also when it has fired.
  refresh() {
    if (this.#isCleared) return this;
    cancel(this.#entry);
    schedule(this.#entry);
    return this;
  }

  close() {
    this.#isCleared = true;
    cancel(this.#entry);
    return this;
  }

  [SymbolToPrimitive]() {
    return this.#entry.number;
  }

  [SymbolDispose]() {
    this.close();
  }

  static clear(timer) {
    if (!(#entry in timer)) return false;
    timer.close();
    return true;
  }
}
const { clear: clearTimeoutObject } = Timeout;
delete Timeout.clear;

class Immediate {
  #entry;
  #keepsAlive = true;

  constructor(entry) {
    this.#entry = entry;
  }

  ref() {
    this.#keepsAlive = true;
    return this;
  }

  unref() {
    this.#keepsAlive = false;
    return this;
  }

  hasRef() {
    return this.#keepsAlive;
  }

  [SymbolDispose]() {
    this.#keepsAlive = false;
    cancel(this.#entry);
  }

  static clear(immediate) {
    if (!(#entry in immediate)) return false;
    immediate[SymbolDispose]();
    return true;
  }
}
const { clear: clearImmediateObject } = Immediate;
delete Immediate.clear;

function fireSoon(timer) {
  const entry = waiting.take(timer);
  if (entry === undefined) return;
  ReflectApply(entry.callback, globalThis, entry.args);
}

// The driver's clock reached a timer.
function fire(timer) {
  const entry = waiting.get(timer);
  if (entry === undefined) return;
  if (!entry.interval) waiting.take(timer);
  collectTicks();
  try {
    runInContext(entry.context, entry.callback, globalThis, entry.args);
  } finally {
    runTicks();
    if (entry.interval && waiting.get(timer) !== undefined) runInContext(entry.context, restart, undefined, [timer, entry.delay]);
  }
}

function restart(timer, delay) {
  if (op_timer_start(timer, delay, currentRequest())) return;
  waiting.take(timer);
  throw new Error("Too many timers and host calls are waiting at once; does the app clear what it no longer needs?");
}

function setTimeout(callback, delay = 0, ...args) {
  return new Timeout(start(callback, delay, args, false));
}

// `util.promisify` asks the function for its other form: the callback comes first.
for (const [timer, name] of [[setTimeout, "setTimeout"], [setImmediate, "setImmediate"]]) {
  ObjectDefineProperty(timer, SymbolFor("nodejs.util.promisify.custom"), {
    __proto__: null,
    configurable: true,
    enumerable: false,
    get: () => core.loadExtScript("ext:vitrine/node/timers_promises.js")[name],
  });
}

function setInterval(callback, delay = 0, ...args) {
  return new Timeout(start(callback, delay, args, true));
}

function clearTimeout(timer = undefined) {
  if (timer === null || timer === undefined) return;
  if (typeof timer === "object" && (clearTimeoutObject(timer) || clearImmediateObject(timer))) return;
  // The number that a timer becomes where an app wants one. A call of the host has a number too, and is no timer.
  const entry = waiting.get(Number(timer));
  if (entry?.callback !== undefined) cancel(entry);
}

function clearInterval(timer = undefined) {
  clearTimeout(timer);
}

function clearImmediate(immediate = undefined) {
  clearTimeout(immediate);
}

function setImmediate(callback, ...args) {
  return new Immediate(start(callback, 0, args, false));
}

return { clearImmediate, clearInterval, clearTimeout, fire, setImmediate, setInterval, setTimeout };
})();

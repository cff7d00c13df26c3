// setTimeout and its family, on the driver's clock.
(function () {
const { core, primordials } = __bootstrap;
const { op_cancel, op_timer_start } = core.ops;
const { Error, Number, NumberIsFinite, ObjectDefineProperty, ReflectApply, SymbolFor, TypeError } = primordials;
const { getAsyncContext } = core;
const { currentRequest, queueTask, runInContext, waiting } = core.loadExtScript("ext:vitrine/bridge.js");
const { notice } = core.loadExtScript("ext:vitrine/module_scope.js");

// Longest delay that browsers and Node.js keep, in milliseconds; a longer one fires at once there and here.
const DELAY_MS_MAX = 2147483647;

function start(callback, delay, args, interval) {
  if (typeof callback !== "function") throw new TypeError("A timer's callback must be a function; code in a string is not run");
  notice("timer");
  delay = Number(delay);
  if (!NumberIsFinite(delay) || delay < 1 || delay > DELAY_MS_MAX) delay = interval ? 1 : 0;
  const timer = waiting.add({ number: 0, callback, args, context: getAsyncContext(), delay, interval });
  if (delay === 0) {
    queueTask(fireSoon, [timer]);
  } else {
    restart(timer, delay);
  }
  return timer;
}

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
  try {
    runInContext(entry.context, entry.callback, globalThis, entry.args);
  } finally {
    if (entry.interval && waiting.get(timer) !== undefined) runInContext(entry.context, restart, undefined, [timer, entry.delay]);
  }
}

function restart(timer, delay) {
  if (op_timer_start(timer, delay, currentRequest())) return;
  waiting.take(timer);
  throw new Error("Too many timers and host calls are waiting at once; does the app clear what it no longer needs?");
}

function setTimeout(callback, delay = 0, ...args) {
  return start(callback, delay, args, false);
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
  return start(callback, delay, args, true);
}

function clearTimeout(timer = undefined) {
  timer = Number(timer);
  // A call of the host has a number too, and is no timer.
  if (waiting.get(timer)?.callback === undefined) return;
  if (waiting.take(timer).delay !== 0) op_cancel(timer);
}

function setImmediate(callback, ...args) {
  return start(callback, 0, args, false);
}

return { clearTimeout, fire, setImmediate, setInterval, setTimeout };
})();

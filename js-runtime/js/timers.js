// setTimeout and its family, on the driver's clock.
(function () {
const { core, primordials } = __bootstrap;
const { op_timer_clear, op_timer_start } = core.ops;
const { Number, NumberIsFinite, ReflectApply, SafeMap, TypeError } = primordials;
const { getAsyncContext } = core;
const { currentRequest, queueTask, runInContext } = core.loadExtScript("ext:vitrine/bridge.js");

// Longest delay that browsers and Node.js keep, in milliseconds; a longer one fires at once there and here.
const DELAY_MS_MAX = 2147483647;

let lastTimer = 0;
const timers = new SafeMap();

function start(callback, delay, args, interval) {
  if (typeof callback !== "function") throw new TypeError("A timer's callback must be a function; code in a string is not run");
  delay = Number(delay);
  if (!NumberIsFinite(delay) || delay < 1 || delay > DELAY_MS_MAX) delay = interval ? 1 : 0;
  lastTimer += 1;
  const timer = lastTimer;
  timers.set(timer, { callback, args, context: getAsyncContext(), delay, interval });
  if (delay === 0) {
    queueTask(fireSoon, [timer]);
  } else {
    op_timer_start(timer, delay, currentRequest());
  }
  return timer;
}

function fireSoon(timer) {
  const entry = timers.get(timer);
  if (entry === undefined) return;
  timers.delete(timer);
  ReflectApply(entry.callback, globalThis, entry.args);
}

// The driver's clock reached a timer.
function fire(timer) {
  const entry = timers.get(timer);
  if (entry === undefined) return;
  if (!entry.interval) timers.delete(timer);
  try {
    runInContext(entry.context, entry.callback, globalThis, entry.args);
  } finally {
    if (entry.interval && timers.has(timer)) runInContext(entry.context, restart, undefined, [timer, entry.delay]);
  }
}

function restart(timer, delay) {
  op_timer_start(timer, delay, currentRequest());
}

function setTimeout(callback, delay = 0, ...args) {
  return start(callback, delay, args, false);
}

function setInterval(callback, delay = 0, ...args) {
  return start(callback, delay, args, true);
}

function clearTimeout(timer = undefined) {
  timer = Number(timer);
  const entry = timers.get(timer);
  if (entry === undefined) return;
  timers.delete(timer);
  if (entry.delay !== 0) op_timer_clear(timer);
}

function setImmediate(callback, ...args) {
  return start(callback, 0, args, false);
}

return { clearTimeout, fire, setImmediate, setInterval, setTimeout };
})();

// What JavaScript and the driver of the isolate say to each other: the request that runs, calls that the host
// answers later, and zero-delay tasks. Everything else in this folder builds on it.
(function () {
const { core, primordials } = __bootstrap;
const { AsyncVariable, getAsyncContext, setAsyncContext } = core;
const { op_task } = core.ops;
const { ArrayPrototypePush, ArrayPrototypeShift, Promise, ReflectApply, SafeMap, Error } = primordials;

// Number of the request that the running code belongs to; follows promises and timers.
const requestVariable = new AsyncVariable();

// Zero stands for "no request": module scope and what is left of it.
function currentRequest() {
  return requestVariable.get() ?? 0;
}

let lastNumber = 0;

// A number for a timer or a host call; the host can be told to give either up by it.
function nextNumber() {
  lastNumber = (lastNumber + 1) >>> 0;
  return lastNumber;
}

const calls = new SafeMap();

// A promise that the host settles: `start` is given the number to answer with.
function hostCall(start) {
  return new Promise((resolve, reject) => {
    const call = nextNumber();
    calls.set(call, { resolve, reject });
    try {
      start(call);
    } catch (error) {
      calls.delete(call);
      reject(error);
    }
  });
}

function settle(call, ok, value) {
  const pending = calls.get(call);
  if (pending === undefined) return;
  calls.delete(call);
  if (ok) {
    pending.resolve(value);
  } else {
    pending.reject(typeof value === "string" ? new Error(value) : value);
  }
}

const tasks = [];

// Runs `callback` after the current slice, without the millisecond that a timer is clamped to. Its CPU time is charged
// to the request that queued it.
function queueTask(callback, args) {
  ArrayPrototypePush(tasks, { callback, args, context: getAsyncContext() });
  op_task(currentRequest());
}

function runTask() {
  const task = ArrayPrototypeShift(tasks);
  runInContext(task.context, task.callback, undefined, task.args);
}

function runInContext(context, callback, receiver, args) {
  const previous = getAsyncContext();
  setAsyncContext(context);
  try {
    return ReflectApply(callback, receiver, args);
  } finally {
    setAsyncContext(previous);
  }
}

return { currentRequest, hostCall, nextNumber, queueTask, requestVariable, runInContext, runTask, settle };
})();

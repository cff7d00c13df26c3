// What JavaScript and the driver of the isolate say to each other: the request that runs, calls that the host
// answers later, and zero-delay tasks. The other scripts build on it.
(function () {
const { core, primordials } = __bootstrap;
const { AsyncVariable, getAsyncContext, setAsyncContext } = core;
const { op_task } = core.ops;
const { ArrayPrototypePush, ArrayPrototypeSplice, Promise, ReflectApply, Error, queueMicrotask } = primordials;

// Number of the request that the running code belongs to; follows promises and timers.
const requestVariable = new AsyncVariable();

// Zero stands for "no request": module scope and what is left of it.
function currentRequest() {
  return requestVariable.get() ?? 0;
}

// Entries by number, for what a page keeps only while it waits. A Map would do, but whenever it drops its deleted entries it
// leaves a table behind that points to its successor: once the first is old, no scavenge frees what any of the later
// ones held, and every page lives until a full collection. This one keeps its array.
class Waiting {
  #slots = emptySlots(64);
  #count = 0;
  #last = 0;

  // Keeps an entry; returns its number, which no other entry gets before 32 bits are used up.
  add(entry) {
    if (2 * this.#count >= this.#slots.length) this.#grow();
    do {
      this.#last = (this.#last + 1) >>> 0;
    } while (this.#last === 0 || this.#slots[this.#last & (this.#slots.length - 1)] !== null);
    entry.number = this.#last;
    this.#slots[this.#last & (this.#slots.length - 1)] = entry;
    this.#count += 1;
    return this.#last;
  }

  get(number) {
    const entry = this.#slots[number & (this.#slots.length - 1)];
    return entry !== null && entry.number === number ? entry : undefined;
  }

  // Gives an entry up; returns it.
  take(number) {
    const entry = this.get(number);
    if (entry === undefined) return undefined;
    this.#slots[number & (this.#slots.length - 1)] = null;
    this.#count -= 1;
    return entry;
  }

  #grow() {
    const entries = this.#slots;
    this.#slots = emptySlots(2 * entries.length);
    for (let i = 0; i < entries.length; i++) {
      if (entries[i] !== null) this.#slots[entries[i].number & (this.#slots.length - 1)] = entries[i];
    }
  }
}

function emptySlots(length) {
  const slots = [];
  for (let i = 0; i < length; i++) ArrayPrototypePush(slots, null);
  return slots;
}

// Timers and calls of the host. They share their numbers, for the host can be told to give either up by it.
const waiting = new Waiting();

// A promise that the host settles: `start` is given the number to answer with.
function hostCall(start) {
  return new Promise((resolve, reject) => {
    const call = waiting.add({ number: 0, resolve, reject });
    try {
      start(call);
    } catch (error) {
      waiting.take(call);
      reject(error);
    }
  });
}

function settle(call, ok, value) {
  const pending = waiting.take(call);
  if (pending === undefined) return;
  if (ok) {
    pending.resolve(value);
  } else {
    pending.reject(typeof value === "string" ? new Error(value) : value);
  }
}

const tasks = [];

// Runs `callback` after the current slice, without the millisecond that a timer is clamped to. Its CPU time is charged
// to the request that queued it. Throws when too many are queued.
function queueTask(callback, args) {
  if (!op_task(currentRequest())) {
    throw new Error("Too many tasks are queued at once; does the app queue them in a loop?");
  }
  ArrayPrototypePush(tasks, { callback, args, context: getAsyncContext() });
}

// The first of them. To shift a long array moves all of it.
let firstTask = 0;
const TASKS_RUN_KEPT = 1024;

function takeTask() {
  const task = tasks[firstTask];
  tasks[firstTask] = undefined;
  firstTask += 1;
  if (firstTask === tasks.length) {
    tasks.length = 0;
    firstTask = 0;
  } else if (firstTask >= TASKS_RUN_KEPT && firstTask * 2 >= tasks.length) {
    ArrayPrototypeSplice(tasks, 0, firstTask);
    firstTask = 0;
  }
  return task;
}

function runTask() {
  const task = takeTask();
  collectTicks();
  try {
    runInContext(task.context, task.callback, undefined, task.args);
  } finally {
    runTicks();
  }
}

// Callbacks of `process.nextTick`. What the driver calls runs them when it returns, before the callbacks of promises.
const ticks = [];
let collects = false;

function nextTick(callback, args) {
  if (collects) {
    ArrayPrototypePush(ticks, { callback, args, context: getAsyncContext() });
  } else {
    // A callback of a promise runs, and the driver comes back only after all of them.
    queueMicrotask(args.length === 0 ? callback : () => ReflectApply(callback, undefined, args));
  }
}

function collectTicks() {
  collects = true;
}

function runTicks() {
  for (let i = 0; i < ticks.length; i++) {
    const { callback, args, context } = ticks[i];
    try {
      runInContext(context, callback, undefined, args);
    } catch (error) {
      // Nothing catches it, and the next tick runs all the same.
      runInContext(context, queueMicrotask, undefined, [() => {
        throw error;
      }]);
    }
  }
  ticks.length = 0;
  collects = false;
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

return { collectTicks, currentRequest, hostCall, nextTick, queueTask, requestVariable, runInContext, runTask, runTicks, settle, waiting };
})();

// node:perf_hooks: the global `performance` with what Node.js adds to it.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayIsArray, ArrayPrototypeFilter, ArrayPrototypeIncludes, ArrayPrototypePush, FunctionPrototypeApply, ObjectDefineProperty,
  ReflectConstruct, SafeSet, SetPrototypeAdd, SetPrototypeDelete, SetPrototypeForEach, queueMicrotask,
} = primordials;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const script = core.loadExtScript("ext:vitrine/web/performance.js");
const { codes } = core.loadExtScript("ext:deno_node/internal/errors.js");
const { validateFunction, validateInteger, validateObject } = core.loadExtScript("ext:deno_node/internal/validators.js");
const { Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, performance } = script;

const constants = {
  NODE_PERFORMANCE_GC_MAJOR: 4,
  NODE_PERFORMANCE_GC_MINOR: 1,
  NODE_PERFORMANCE_GC_INCREMENTAL: 8,
  NODE_PERFORMANCE_GC_WEAKCB: 16,
  NODE_PERFORMANCE_GC_FLAGS_NO: 0,
  NODE_PERFORMANCE_GC_FLAGS_CONSTRUCT_RETAINED: 2,
  NODE_PERFORMANCE_GC_FLAGS_FORCED: 4,
  NODE_PERFORMANCE_GC_FLAGS_SYNCHRONOUS_PHANTOM_PROCESSING: 8,
  NODE_PERFORMANCE_GC_FLAGS_ALL_AVAILABLE_GARBAGE: 16,
  NODE_PERFORMANCE_GC_FLAGS_ALL_EXTERNAL_MEMORY: 32,
  NODE_PERFORMANCE_GC_FLAGS_SCHEDULE_IDLE: 64,
};

// What Node.js tells of. Marks, measures and functions happen here; of the others there are none.
const WEB_TYPES = ["mark", "measure"];
const TYPES = ["dns", "function", "gc", "http", "http2", "mark", "measure", "net", "resource"];

// Observers of calls of functions that `timerify` made.
const functionObservers = new SafeSet();

class PerformanceObserver extends script.PerformanceObserver {
  #callback;
  #calls = [];

  constructor(callback) {
    validateFunction(callback, "callback");
    super(callback);
    this.#callback = callback;
  }

  static get supportedEntryTypes() {
    return [...TYPES];
  }

  observe(options = {}) {
    validateObject(options, "options");
    const { entryTypes, type } = options;
    if (entryTypes === undefined && type === undefined) throw new codes.ERR_MISSING_ARGS("options.entryTypes", "options.type");
    if (entryTypes !== undefined && type !== undefined) {
      throw new codes.ERR_INVALID_ARG_VALUE("options.entryTypes", entryTypes, "options.entryTypes can not set with options.type together");
    }
    if (entryTypes !== undefined && !ArrayIsArray(entryTypes)) throw new codes.ERR_INVALID_ARG_TYPE("options.entryTypes", "string[]", entryTypes);
    const types = entryTypes ?? [type];
    if (ArrayPrototypeIncludes(types, "function")) SetPrototypeAdd(functionObservers, this);
    const known = ArrayPrototypeFilter(types, (one) => ArrayPrototypeIncludes(WEB_TYPES, one));
    if (known.length > 0) super.observe(type === undefined ? { entryTypes: known } : options);
  }

  disconnect() {
    SetPrototypeDelete(functionObservers, this);
    super.disconnect();
  }

  static called(entry) {
    SetPrototypeForEach(functionObservers, (observer) => {
      ArrayPrototypePush(observer.#calls, entry);
      if (observer.#calls.length === 1) queueMicrotask(() => observer.#tell());
    });
  }

  #tell() {
    const calls = this.#calls;
    this.#calls = [];
    const list = {
      getEntries: () => calls,
      getEntriesByName: (name, type = "function") => calls.filter((call) => call.name === name && call.entryType === type),
      getEntriesByType: (type) => calls.filter((call) => call.entryType === type),
    };
    FunctionPrototypeApply(this.#callback, this, [list, this]);
  }
}
const { called } = PerformanceObserver;
delete PerformanceObserver.called;

function timerify(callback, options = {}) {
  validateFunction(callback, "fn");
  validateObject(options, "options");
  function timerified(...args) {
    const start = performance.now();
    const result = new.target ? ReflectConstruct(callback, args, callback) : FunctionPrototypeApply(callback, this, args);
    const tell = () => called({ name: callback.name, entryType: "function", startTime: start, duration: performance.now() - start, detail: args });
    if (typeof result?.finally === "function") return result.finally(tell);
    tell();
    return result;
  }
  ObjectDefineProperty(timerified, "length", { __proto__: null, value: callback.length, configurable: true });
  return ObjectDefineProperty(timerified, "name", { __proto__: null, value: `timerified ${callback.name}`, configurable: true });
}

// An app shares its loop with others of its kind, and sees nothing of how busy it is.
function eventLoopUtilization() {
  return { idle: 0, active: 0, utilization: 0 };
}

// What Node.js gives before anything was measured, which is what it stays at.
class IntervalHistogram {
  count = 0;
  countBigInt = 0n;
  exceeds = 0;
  exceedsBigInt = 0n;
  max = 0;
  maxBigInt = 0n;
  mean = NaN;
  min = 9223372036854776000;
  minBigInt = 9223372036854775807n;
  percentiles = new Map([[100, 0]]);
  percentilesBigInt = new Map([[100, 0n]]);
  stddev = NaN;
  #enabled = false;

  enable() {
    return this.#turn(true);
  }

  disable() {
    return this.#turn(false);
  }

  // Whether that changed anything.
  #turn(enabled) {
    const changed = this.#enabled !== enabled;
    this.#enabled = enabled;
    return changed;
  }

  percentile() {
    return 0;
  }

  percentileBigInt() {
    return 0n;
  }

  reset() {}
}

function monitorEventLoopDelay(options = {}) {
  validateObject(options, "options");
  validateInteger(options.resolution ?? 10, "options.resolution", 1);
  return new IntervalHistogram();
}

const nodeTiming = {
  name: "node", entryType: "node", startTime: 0, duration: 0, nodeStart: 0, v8Start: 0, environment: 0, bootstrapComplete: 0, loopStart: 0, loopExit: -1,
  idleTime: 0, uvMetricsInfo: { loopCount: 0, events: 0, eventsWaiting: 0 },
};

const added = { eventLoopUtilization, markResourceTiming() {}, nodeTiming, onresourcetimingbufferfull: null, timerify };
for (const name in added) {
  ObjectDefineProperty(Performance.prototype, name, { __proto__: null, value: added[name], writable: true, enumerable: true, configurable: true });
}

return exportsOf("node:perf_hooks", {
  Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceObserver, constants, monitorEventLoopDelay, performance,
  PerformanceObserverEntryList: script.PerformanceObserverEntryList,
});
})();

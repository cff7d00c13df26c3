// Copyright 2018-2026 the Deno authors. MIT license.
(function() {
  const { core, primordials } = __bootstrap;
  const { normalizeEncoding } = core.loadExtScript("ext:deno_node/internal/normalize_encoding.js");
  const {
    ObjectCreate,
    StringPrototypeToUpperCase
  } = core.loadExtScript("ext:deno_node/internal/primordials.js");
  const { ERR_UNKNOWN_SIGNAL } = core.loadExtScript("ext:deno_node/internal/errors.js");
  const { os } = core.loadExtScript("ext:deno_node/internal_binding/constants.js");
  const { validateFunction } = core.loadExtScript("ext:deno_node/internal/validators.js");
  const { shouldColorize } = core.loadExtScript("ext:deno_node/internal/util/colorize.js");
  const { isNativeError } = core.loadExtScript("ext:deno_node/internal/util/types.js");
  const AtomicsWait = Atomics.wait;
  const {
    ArrayPrototypePush,
    ErrorPrototype,
    ObjectDefineProperties,
    ObjectDefineProperty,
    ObjectFreeze,
    ObjectGetPrototypeOf,
    ObjectGetOwnPropertyDescriptor,
    ObjectGetOwnPropertyDescriptors,
    ObjectHasOwn,
    ObjectPrototypeIsPrototypeOf,
    ObjectSetPrototypeOf,
    Promise: Promise2,
    ReflectApply,
    ReflectConstruct,
    SafeSet,
    SetPrototypeAdd,
    SetPrototypeHas,
    SafeWeakRef,
    StringPrototypeReplace,
    SymbolFor,
    WeakRefPrototypeDeref
  } = primordials;
  const customInspectSymbol = SymbolFor("nodejs.util.inspect.custom");
  const kEnumerableProperty = ObjectCreate(null);
  kEnumerableProperty.enumerable = true;
  const kEmptyObject = ObjectFreeze(ObjectCreate(null));
  function once(callback) {
    let called = false;
    return function(...args) {
      if (called) return;
      called = true;
      ReflectApply(callback, this, args);
    };
  }
  const kCustomPromisifiedSymbol = SymbolFor(
    "nodejs.util.promisify.custom"
  );
  const kCustomPromisifyArgsSymbol = SymbolFor(
    "nodejs.util.promisify.customArgs"
  );
  const customPromisifyArgs = kCustomPromisifyArgsSymbol;
  function removeColors(str) {
    return StringPrototypeReplace(str, colorRegExp, "");
  }
  function isError(e) {
    return isNativeError(e) || ObjectPrototypeIsPrototypeOf(ErrorPrototype, e);
  }
  function promisify(original) {
    validateFunction(original, "original");
    if (original[kCustomPromisifiedSymbol]) {
      const fn2 = original[kCustomPromisifiedSymbol];
      validateFunction(fn2, "util.promisify.custom");
      return ObjectDefineProperty(fn2, kCustomPromisifiedSymbol, {
        __proto__: null,
        value: fn2,
        enumerable: false,
        writable: false,
        configurable: true
      });
    }
    const argumentNames = original[kCustomPromisifyArgsSymbol];
    function fn(...args) {
      return new Promise2((resolve, reject) => {
        ArrayPrototypePush(args, (err, ...values) => {
          if (err) {
            return reject(err);
          }
          if (argumentNames !== void 0 && values.length > 1) {
            const obj = {};
            for (let i = 0; i < argumentNames.length; i++) {
              obj[argumentNames[i]] = values[i];
            }
            resolve(obj);
          } else {
            resolve(values[0]);
          }
        });
        ReflectApply(original, this, args);
      });
    }
    ObjectSetPrototypeOf(fn, ObjectGetPrototypeOf(original));
    ObjectDefineProperty(fn, kCustomPromisifiedSymbol, {
      __proto__: null,
      value: fn,
      enumerable: false,
      writable: false,
      configurable: true
    });
    return ObjectDefineProperties(
      fn,
      ObjectGetOwnPropertyDescriptors(original)
    );
  }
  let signalsToNamesMapping;
  function getSignalsToNamesMapping() {
    if (signalsToNamesMapping !== void 0) {
      return signalsToNamesMapping;
    }
    signalsToNamesMapping = ObjectCreate(null);
    for (const key in os.signals) {
      if (ObjectHasOwn(os.signals, key)) {
        signalsToNamesMapping[os.signals[key]] = key;
      }
    }
    return signalsToNamesMapping;
  }
  function convertToValidSignal(signal) {
    if (typeof signal === "number" && getSignalsToNamesMapping()[signal]) {
      return signal;
    }
    if (typeof signal === "string") {
      const signalName = os.signals[StringPrototypeToUpperCase(signal)];
      if (signalName) return signalName;
    }
    throw new ERR_UNKNOWN_SIGNAL(signal);
  }
  const codesWarned = new SafeSet();
  const experimentalWarnings = new SafeSet();
  function emitExperimentalWarning(feature, messagePrefix, code, ctor) {
    if (SetPrototypeHas(experimentalWarnings, feature)) return;
    SetPrototypeAdd(experimentalWarnings, feature);
    let msg = `${feature} is an experimental feature and might change at any time`;
    if (messagePrefix) {
      msg = messagePrefix + msg;
    }
    globalThis.process.emitWarning(msg, "ExperimentalWarning", code, ctor);
  }
  const pendingCodesWarned = new SafeSet();
  function pendingDeprecate(fn, msg, code) {
    function deprecated(...args) {
      const process = globalThis.process;
      if (process.execArgv?.includes("--pending-deprecation") && !process.noDeprecation) {
        if (code !== void 0) {
          if (!SetPrototypeHas(pendingCodesWarned, code)) {
            process.emitWarning(msg, "DeprecationWarning", code, deprecated);
            SetPrototypeAdd(pendingCodesWarned, code);
          }
        } else {
          process.emitWarning(msg, "DeprecationWarning", deprecated);
        }
      }
      return ReflectApply(fn, this, args);
    }
    ObjectDefineProperty(deprecated, "length", {
      __proto__: null,
      ...ObjectGetOwnPropertyDescriptor(fn, "length")
    });
    return deprecated;
  }
  function deprecateInstantiation(Constructor, deprecationCode, ...args) {
    if (!SetPrototypeHas(codesWarned, deprecationCode)) {
      SetPrototypeAdd(codesWarned, deprecationCode);
      globalThis.process.emitWarning(
        `Instantiating ${Constructor.name} without the 'new' keyword has been deprecated.`,
        "DeprecationWarning",
        deprecationCode
      );
    }
    return ReflectConstruct(Constructor, args);
  }
  class WeakReference {
    #weak = null;
    #strong = null;
    #refCount = 0;
    constructor(object) {
      this.#weak = new SafeWeakRef(object);
    }
    incRef() {
      this.#refCount++;
      if (this.#refCount === 1) {
        const derefed = WeakRefPrototypeDeref(this.#weak);
        if (derefed !== void 0) {
          this.#strong = derefed;
        }
      }
      return this.#refCount;
    }
    decRef() {
      this.#refCount--;
      if (this.#refCount === 0) {
        this.#strong = null;
      }
      return this.#refCount;
    }
    get() {
      return WeakRefPrototypeDeref(this.#weak);
    }
  }
  promisify.custom = kCustomPromisifiedSymbol;
  let _sleepView;
  function sleep(msec) {
    if (_sleepView === void 0) {
      const buffer = new SharedArrayBuffer(4);
      _sleepView = new Int32Array(buffer);
    }
    AtomicsWait(_sleepView, 0, 0, msec);
  }
  return {
    convertToValidSignal,
    customInspectSymbol,
    customPromisifyArgs,
    deprecateInstantiation,
    emitExperimentalWarning,
    isError,
    kEmptyObject,
    kEnumerableProperty,
    kCustomPromisifiedSymbol,
    normalizeEncoding,
    once,
    pendingDeprecate,
    promisify,
    removeColors,
    shouldColorize,
    sleep,
    WeakReference,
    default: {
      convertToValidSignal,
      customInspectSymbol,
      customPromisifyArgs,
      deprecateInstantiation,
      emitExperimentalWarning,
      isError,
      kEmptyObject,
      kEnumerableProperty,
      normalizeEncoding,
      once,
      pendingDeprecate,
      promisify,
      removeColors,
      shouldColorize,
      sleep
    }
  };
})();

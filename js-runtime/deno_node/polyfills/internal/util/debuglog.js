// Copyright 2018-2026 the Deno authors. MIT license.
// Copyright Joyent and Node contributors. All rights reserved. MIT license.
// `debugImpls` and `testEnabled` are initialized with safe defaults so that
// calls to `debuglog()` before `initializeDebugEnv()` do not crash. This can
// happen when internal stream code triggers debug logging during bootstrap
// before the Node process is fully initialized (e.g. when stdin is unavailable
// in compiled binaries run as Windows services or detached processes).
(function() {
  const { primordials } = __bootstrap;
  const {
    MathFloor,
    Number,
    NumberPrototypeToFixed,
    ObjectCreate,
    ObjectDefineProperty,
    ReflectApply,
    RegExpPrototypeExec,
    SafeArrayIterator,
    SafeRegExp,
    String,
    StringPrototypePadStart,
    StringPrototypeReplace,
    StringPrototypeReplaceAll,
    StringPrototypeSplit,
    StringPrototypeToLowerCase,
    StringPrototypeToUpperCase
  } = primordials;
  let debugImpls = ObjectCreate(
    null
  );
  let testEnabled = () => false;
  function initializeDebugEnv(debugEnv) {
    debugImpls = ObjectCreate(null);
    if (debugEnv) {
      debugEnv = StringPrototypeReplaceAll(
        StringPrototypeReplaceAll(
          StringPrototypeReplace(
            debugEnv,
            new SafeRegExp(/[|\\{}()[\]^$+?.]/g),
            "\\$&"
          ),
          "*",
          ".*"
        ),
        ",",
        "$|^"
      );
      const debugEnvRegex = new SafeRegExp(`^${debugEnv}$`, "i");
      testEnabled = (str) => RegExpPrototypeExec(debugEnvRegex, str) !== null;
    } else {
      testEnabled = () => false;
    }
  }
  function emitWarningIfNeeded(set) {
    if ("HTTP" === set || "HTTP2" === set) {
      console.warn(
        "Setting the NODE_DEBUG environment variable to '" + StringPrototypeToLowerCase(set) + "' can expose sensitive data (such as passwords, tokens and authentication headers) in the resulting log."
      );
    }
  }
  const noop = () => {
  };
  function debuglogImpl(enabled, set) {
    if (debugImpls[set] === void 0) {
      if (enabled) {
        emitWarningIfNeeded(set);
        debugImpls[set] = function debug(msg, ...args) {
          console.error(
            "%s %s: " + msg,
            set,
            String(Deno.pid),
            ...new SafeArrayIterator(args)
          );
        };
      } else {
        debugImpls[set] = noop;
      }
    }
    return debugImpls[set];
  }
  function debuglog(set, cb) {
    function init() {
      set = StringPrototypeToUpperCase(set);
      enabled = testEnabled(set);
    }
    let debug = (...args) => {
      init();
      debug = debuglogImpl(enabled, set);
      if (typeof cb === "function") {
        cb(debug);
      }
      return ReflectApply(debug, void 0, args);
    };
    let enabled;
    let test = () => {
      init();
      test = () => enabled;
      return enabled;
    };
    const logger = (...args) => ReflectApply(debug, void 0, args);
    ObjectDefineProperty(logger, "enabled", {
      __proto__: null,
      get() {
        return test();
      },
      configurable: true,
      enumerable: true
    });
    return logger;
  }
  const kSecond = 1e3;
  const kMinute = 60 * kSecond;
  const kHour = 60 * kMinute;
  function pad(value) {
    return StringPrototypePadStart(`${value}`, 2, "0");
  }
  function formatTime(ms) {
    let hours = 0;
    let minutes = 0;
    let seconds = 0;
    if (ms >= kSecond) {
      if (ms >= kMinute) {
        if (ms >= kHour) {
          hours = MathFloor(ms / kHour);
          ms = ms % kHour;
        }
        minutes = MathFloor(ms / kMinute);
        ms = ms % kMinute;
      }
      seconds = ms / kSecond;
    }
    if (hours !== 0 || minutes !== 0) {
      const fixed = StringPrototypeSplit(
        NumberPrototypeToFixed(seconds, 3),
        "."
      );
      const secondsStr = fixed[0];
      const msStr = fixed[1];
      const res = hours !== 0 ? `${hours}:${pad(minutes)}` : minutes;
      return `${res}:${pad(secondsStr)}.${msStr} (${hours !== 0 ? "h:m" : ""}m:ss.mmm)`;
    }
    if (seconds !== 0) {
      return `${NumberPrototypeToFixed(seconds, 3)}s`;
    }
    return `${Number(NumberPrototypeToFixed(ms, 3))}ms`;
  }
  const _defaultExport = { debuglog, formatTime };
  return {
    initializeDebugEnv,
    debuglog,
    formatTime,
    default: _defaultExport
  };
})();

// Copyright 2018-2026 the Deno authors. MIT license.
(function() {
  const { primordials } = __bootstrap;
  const { ErrorCaptureStackTrace, ObjectDefineProperty, ReflectApply } = primordials;
  function hideStackFrames(fn) {
    const hidden = "__node_internal_" + fn.name;
    function wrappedFn(...args) {
      try {
        return ReflectApply(fn, this, args);
      } catch (error) {
        if (Error.stackTraceLimit) {
          ErrorCaptureStackTrace(error, wrappedFn);
        }
        throw error;
      }
    }
    ObjectDefineProperty(wrappedFn, "name", { __proto__: null, value: hidden });
    ObjectDefineProperty(fn, "name", { __proto__: null, value: hidden });
    wrappedFn.withoutStackTrace = fn;
    return wrappedFn;
  }
  return { hideStackFrames };
})();

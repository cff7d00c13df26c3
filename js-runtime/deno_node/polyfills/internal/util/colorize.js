// Copyright 2018-2026 the Deno authors. MIT license.
(function() {
  const { primordials } = __bootstrap;
  const { String } = primordials;
  function shouldColorize(stream) {
    const env = globalThis.process.env || {};
    if (env.FORCE_COLOR !== void 0) {
      const v = String(env.FORCE_COLOR);
      if (v === "0" || v === "false") return false;
      if (env.NODE_DISABLE_COLORS !== void 0 && env.NODE_DISABLE_COLORS !== "" || env.NO_COLOR !== void 0 && env.NO_COLOR !== "" || env.TERM === "dumb") {
        return v !== "" && v !== "0";
      }
      return true;
    }
    if (!stream?.isTTY) return false;
    if (typeof stream.getColorDepth === "function") {
      return stream.getColorDepth() > 2;
    }
    return true;
  }
  return { shouldColorize };
})();

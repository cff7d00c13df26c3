// Copyright 2018-2026 the Deno authors. MIT license.
(function() {
  const { core, primordials } = __bootstrap;
  const { isWindows } = core.loadExtScript("ext:vitrine/node/internal/platform.js");
  const { SafeRegExp } = primordials;
  const SEP = isWindows ? "\\" : "/";
  const SEP_PATTERN = isWindows ? new SafeRegExp("[\\\\/]+") : new SafeRegExp("/+");
  return {
    SEP,
    SEP_PATTERN
  };
})();

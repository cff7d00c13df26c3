// Copyright 2018-2026 the Deno authors. MIT license.
// Lazily initializes the error classes in this object.
// This trick is necessary for avoiding circular dendencies between
// `internal/errors` and other modules.
/* @__PURE__ */ (function() {
  const codes = {};
  return { codes };
})();

// Copyright 2018-2026 the Deno authors. MIT license.
(function() {
const { core, internals, primordials } = __bootstrap;


const mod = core.loadExtScript("ext:deno_node/internal/streams/writable.js");
const Writable = mod.Writable;
var stdin_default = mod.default;


return { Writable, default: stdin_default };
})();

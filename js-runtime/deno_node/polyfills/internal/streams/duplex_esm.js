// Copyright 2018-2026 the Deno authors. MIT license.
(function() {
const { core, internals, primordials } = __bootstrap;


const mod = core.loadExtScript("ext:deno_node/internal/streams/duplex.js");
const Duplex = mod.Duplex;
var stdin_default = mod.default;


return { Duplex, default: stdin_default };
})();

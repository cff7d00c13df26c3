// Copyright 2018-2026 the Deno authors. MIT license.
(function() {
const { core, internals, primordials } = __bootstrap;


const mod = core.loadExtScript("ext:deno_node/internal/streams/readable.js");
const Readable = mod.Readable;
var stdin_default = mod.default;


return { Readable, default: stdin_default };
})();

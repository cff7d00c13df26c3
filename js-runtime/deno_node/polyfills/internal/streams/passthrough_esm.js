// Copyright 2018-2026 the Deno authors. MIT license.
(function() {
const { core, internals, primordials } = __bootstrap;


const mod = core.loadExtScript("ext:deno_node/internal/streams/passthrough.js");
const PassThrough = mod.PassThrough;
var stdin_default = mod.default;


return { PassThrough, default: stdin_default };
})();

// Copyright 2018-2026 the Deno authors. MIT license.
(function() {
const { core, internals, primordials } = __bootstrap;


const mod = core.loadExtScript("ext:deno_node/internal/streams/transform.js");
const Transform = mod.Transform;
var stdin_default = mod.default;


return { Transform, default: stdin_default };
})();

// node:stream/consumers.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:stream/consumers", core.loadExtScript("ext:deno_node/stream/consumers.js"));
})();

// node:stream.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:stream", core.loadExtScript("ext:deno_node/stream.js").default);
})();

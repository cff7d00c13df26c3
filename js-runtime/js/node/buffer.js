// node:buffer.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:buffer", core.loadExtScript("ext:deno_node/internal/buffer.js").default);
})();

// node:assert.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:assert", core.loadExtScript("ext:deno_node/assert.js").default);
})();

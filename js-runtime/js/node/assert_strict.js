// node:assert/strict.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:assert/strict", core.loadExtScript("ext:deno_node/assert.js").strict);
})();

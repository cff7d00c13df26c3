// node:util/types.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:util/types", core.loadExtScript("ext:deno_node/internal/util/types.js").default);
})();

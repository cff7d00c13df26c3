// node:events.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:events", core.loadExtScript("ext:deno_node/_events.js").default);
})();

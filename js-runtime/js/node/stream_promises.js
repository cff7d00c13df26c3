// node:stream/promises.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:stream/promises", core.loadExtScript("ext:deno_node/stream/promises.js").default);
})();

// node:querystring.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:querystring", core.loadExtScript("ext:deno_node/querystring.js").default);
})();

// node:punycode.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:punycode", core.loadExtScript("ext:deno_node/punycode.js").default);
})();

// node:string_decoder.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:string_decoder", core.loadExtScript("ext:deno_node/string_decoder.js").default);
})();

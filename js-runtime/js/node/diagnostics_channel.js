// node:diagnostics_channel.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:diagnostics_channel", core.loadExtScript("ext:deno_node/diagnostics_channel.js").default);
})();

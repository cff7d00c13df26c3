// node:path.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:path", core.loadExtScript("ext:deno_node/path.js").posix);
})();

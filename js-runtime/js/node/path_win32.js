// node:path/win32.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:path/win32", core.loadExtScript("ext:deno_node/path.js").win32);
})();

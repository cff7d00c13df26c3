// node:fs/promises.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:fs/promises", core.loadExtScript("ext:vitrine/node/fs.js").promises);
})();

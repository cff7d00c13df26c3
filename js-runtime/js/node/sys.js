// node:sys: an old name of node:util.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:sys", { ...core.loadExtScript("ext:vitrine/node/util.js").default });
})();

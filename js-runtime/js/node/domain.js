// node:domain: a name that old packages import.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:domain", { _stack: [], active: null });
})();

// node:readline/promises: there is no terminal.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:readline/promises", {});
})();

// node:child_process: there are no processes.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:child_process", {});
})();

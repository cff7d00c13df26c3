// node:readline: there is no terminal.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:readline", { promises: core.loadExtScript("ext:vitrine/node/readline_promises.js").default });
})();

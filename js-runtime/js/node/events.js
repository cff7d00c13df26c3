// node:events.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
// An app that has the class may ask whether the process is of it.
core.loadExtScript("ext:vitrine/node/process.js");
core.loadExtScript("ext:vitrine/node/internal/process.js").becomeEmitter();
return exportsOf("node:events", core.loadExtScript("ext:deno_node/_events.js").default);
})();

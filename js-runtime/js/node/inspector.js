// node:inspector: no debugger is connected.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:inspector", { Network: {}, NetworkResources: {}, console, url: () => undefined });
})();

// node:inspector/promises: no debugger is connected.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:inspector/promises", { Network: {}, NetworkResources: {}, console, url: () => undefined });
})();

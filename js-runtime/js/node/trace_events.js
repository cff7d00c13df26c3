// node:trace_events: nothing is traced.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
return exportsOf("node:trace_events", { getEnabledCategories: () => undefined });
})();

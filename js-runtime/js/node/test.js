// node:test: tests run elsewhere.
(function () {
const { core } = __bootstrap;
const { exportsOf, unavailable } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const test = unavailable("node:test", "test");
return exportsOf("node:test", Object.assign(test, { assert: {}, mock: {}, snapshot: {}, test }));
})();

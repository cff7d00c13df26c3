// node:console: the global console, with what only a debugger would see.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const { console } = core.loadExtScript("ext:vitrine/web/console.js");
return exportsOf("node:console", {
  ...console, context: () => console, createTask: () => ({ run: (callback) => callback() }), profile() {}, profileEnd() {}, timeStamp() {},
});
})();

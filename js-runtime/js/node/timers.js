// node:timers: the timers that are globals too.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const { clearImmediate, clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } = core.loadExtScript("ext:vitrine/web/timers.js");

return exportsOf("node:timers", {
  clearImmediate,
  clearInterval,
  clearTimeout,
  setImmediate,
  setInterval,
  setTimeout,
  promises: core.loadExtScript("ext:vitrine/node/timers_promises.js"),
});
})();

// node:timers.
(function () {
const { core } = __bootstrap;
const timers = core.loadExtScript("ext:vitrine/timers.js");
return {
  clearImmediate: timers.clearTimeout,
  clearInterval: timers.clearTimeout,
  clearTimeout: timers.clearTimeout,
  setImmediate: timers.setImmediate,
  setInterval: timers.setInterval,
  setTimeout: timers.setTimeout,
  promises: core.loadExtScript("ext:vitrine/node/timers_promises.js"),
};
})();

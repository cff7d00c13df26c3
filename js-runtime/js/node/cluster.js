// node:cluster: an app is the primary of its own and has no others.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const { EventEmitter } = core.loadExtScript("ext:vitrine/node/events.js");
const SCHED_RR = 2;
return exportsOf("node:cluster", Object.assign(new EventEmitter(), {
  SCHED_NONE: 1, SCHED_RR, isMaster: true, isPrimary: true, isWorker: false, schedulingPolicy: SCHED_RR, settings: {}, workers: {},
}));
})();

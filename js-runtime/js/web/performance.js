// The clock of an isolate, which begins when it is first looked at.
(function () {
const { core } = __bootstrap;
const { onResume, watchCalls } = core.loadExtScript("ext:vitrine/runtime/snapshot_guard.js");
const script = core.loadExtScript("ext:deno_web/15_performance.js");
script.setTimeOrigin();
onResume(script.setTimeOrigin);
for (const name of ["mark", "measure", "now", "timeOrigin"]) watchCalls(script.Performance.prototype, name, "clock");
return script;
})();

// The clock of an isolate, which begins when it is first looked at.
(function () {
const { core } = __bootstrap;
const script = core.loadExtScript("ext:deno_web/15_performance.js");
script.setTimeOrigin();
return script;
})();

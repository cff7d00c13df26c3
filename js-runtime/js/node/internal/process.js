// What scripts of Node.js need of the process before `node:process` itself can be loaded, which builds on them.
(function () {
const { core, primordials } = __bootstrap;
const { TypeError } = primordials;
const bridge = core.loadExtScript("ext:vitrine/runtime/bridge.js");

function nextTick(callback, ...args) {
  if (typeof callback !== "function") throw new TypeError("process.nextTick: the callback must be a function");
  bridge.nextTick(callback, args);
}

// `node:process` adds `becomeEmitter`, which makes the process an event emitter if it is none yet.
return { arch: "x64", becomeEmitter: undefined, cwd: () => "/", nextTick };
})();

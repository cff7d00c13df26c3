// What scripts of Node.js need of the process before `node:process` itself can be loaded, which builds on them.
(function () {
const { primordials } = __bootstrap;
const { ReflectApply, TypeError } = primordials;

function nextTick(callback, ...args) {
  if (typeof callback !== "function") throw new TypeError("process.nextTick: the callback must be a function");
  queueMicrotask(args.length === 0 ? callback : () => ReflectApply(callback, undefined, args));
}

// `node:process` adds `becomeEmitter`, which makes the process an event emitter if it is none yet.
return { arch: "x64", becomeEmitter: undefined, cwd: () => "/", nextTick };
})();

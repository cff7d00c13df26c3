// node:worker_threads: the app is the main thread, and there are no others.
(function () {
const { core, primordials } = __bootstrap;
const { MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet, SafeMap, SymbolFor } = primordials;
const { op_mark_as_untransferable } = core.ops;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const { isArrayBuffer } = core.loadExtScript("ext:deno_node/internal/util/types.js");

const environment = new SafeMap();

function setEnvironmentData(key, value) {
  if (value === undefined) MapPrototypeDelete(environment, key);
  else MapPrototypeSet(environment, key, value);
}

function markAsUntransferable(object) {
  if (isArrayBuffer(object)) op_mark_as_untransferable(object);
}

// What clones and transfers values refuses the kinds that can't be cloned by itself.
function markAsUncloneable() {}

// The globals as they are: while a snapshot is made, they are watched.
const { BroadcastChannel, MessageChannel, MessagePort } = globalThis;

return exportsOf("node:worker_threads", {
  BroadcastChannel,
  MessageChannel,
  MessagePort,
  SHARE_ENV: SymbolFor("nodejs.worker_threads.SHARE_ENV"),
  getEnvironmentData: (key) => MapPrototypeGet(environment, key),
  isInternalThread: false,
  isMainThread: true,
  markAsUncloneable,
  markAsUntransferable,
  parentPort: null,
  resourceLimits: {},
  setEnvironmentData,
  threadId: 0,
  threadName: "",
  workerData: null,
});
})();

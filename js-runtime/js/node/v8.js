// node:v8: what the isolate knows of its heap.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const { op_heap_limit } = core.ops;

function getHeapStatistics() {
  const { physicalTotal, heapTotal, heapUsed, external } = core.memoryUsage();
  const limit = op_heap_limit();
  return {
    total_heap_size: heapTotal,
    total_heap_size_executable: 0,
    total_physical_size: physicalTotal,
    total_available_size: limit - heapUsed,
    used_heap_size: heapUsed,
    heap_size_limit: limit,
    malloced_memory: 0,
    peak_malloced_memory: 0,
    does_zap_garbage: 0,
    number_of_native_contexts: 1,
    number_of_detached_contexts: 0,
    total_global_handles_size: 0,
    used_global_handles_size: 0,
    external_memory: external,
  };
}

const startupSnapshot = { isBuildingSnapshot: () => false };
return exportsOf("node:v8", {
  cachedDataVersionTag: () => 0, getHeapSpaceStatistics: () => [], getHeapStatistics, promiseHooks: {}, startupSnapshot,
});
})();

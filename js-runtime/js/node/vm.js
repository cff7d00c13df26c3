// node:vm: there are no other contexts.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const { validateObject } = core.loadExtScript("ext:deno_node/internal/validators.js");

function isContext(object) {
  validateObject(object, "object");
  return false;
}

const constants = { USE_MAIN_CONTEXT_DEFAULT_LOADER: Symbol("vm_dynamic_import_main_context_default"), DONT_CONTEXTIFY: Symbol("vm_context_no_contextify") };
return exportsOf("node:vm", { constants, isContext });
})();

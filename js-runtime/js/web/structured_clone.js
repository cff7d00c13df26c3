// structuredClone: what deno_web has of it, in two scripts, of which the larger one is needed for a transfer only.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectDefineProperty, TypeError } = primordials;
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
const { structuredClone: cloneOf } = core.loadExtScript("ext:deno_web/02_structured_clone.js");

function checkTransfer(value) {
  if (core.isArrayBuffer(value)) return;
  const isObject = value !== null && typeof value === "object";
  if (isObject && core.getTransferableResource(value[core.hostObjectBrand]) !== undefined) return;
  throw new DOMException("A value can't be transferred", "DataCloneError");
}

function structuredClone(value, options = undefined) {
  if (arguments.length === 0) throw new TypeError("structuredClone needs a value");
  const given = options?.transfer;
  const transfer = given === undefined ? [] : [...given];
  if (transfer.length === 0) {
    // deno_web copies the bytes of a buffer, and would forget that it can grow.
    const grows = core.isArrayBuffer(value) && value.resizable;
    return grows ? core.structuredClone(value) : cloneOf(value);
  }
  for (let i = 0; i < transfer.length; i++) checkTransfer(transfer[i]);
  return core.loadExtScript("ext:deno_web/13_message_port.js").structuredClone(value, { transfer });
}
ObjectDefineProperty(structuredClone, "length", { __proto__: null, value: 1 });

return { structuredClone };
})();

// Crypto: randomness; the rest is in SubtleCrypto, which is loaded when it is asked for.
(function () {
const { core, primordials } = __bootstrap;
const { ArrayBufferIsView, ArrayPrototypeIncludes, ObjectDefineProperty, TypedArrayPrototypeGetSymbolToStringTag, TypeError, Uint8Array } = primordials;
const { configureInterface } = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
const { randomFill, randomUuid } = core.loadExtScript("ext:vitrine/runtime/snapshot_guard.js");

// Bytes that one call of getRandomValues may ask for, as the standard has it.
const RANDOM_BYTES_MAX = 65536;

const kInternal = { __proto__: null };

const INTEGERS = ["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "BigInt64Array", "BigUint64Array"];

class Crypto {
  constructor(token) {
    if (token !== kInternal) throw new TypeError("Illegal constructor");
  }

  get subtle() {
    return core.loadExtScript("ext:vitrine/web/subtle.js").subtle;
  }

  getRandomValues(array) {
    if (!ArrayBufferIsView(array) || !ArrayPrototypeIncludes(INTEGERS, TypedArrayPrototypeGetSymbolToStringTag(array))) {
      throw new DOMException("getRandomValues takes an integer typed array", "TypeMismatchError");
    }
    if (array.byteLength > RANDOM_BYTES_MAX) {
      throw new DOMException(`getRandomValues gives at most ${RANDOM_BYTES_MAX} bytes at once`, "QuotaExceededError");
    }
    randomFill(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    return array;
  }

  randomUUID() {
    return randomUuid();
  }
}
configureInterface(Crypto);
ObjectDefineProperty(Crypto, "length", { __proto__: null, value: 0 });

// No clone is made of it.
ObjectDefineProperty(Crypto.prototype, core.hostObjectBrand, { __proto__: null, value: "Crypto" });

return { Crypto, crypto: new Crypto(kInternal) };
})();

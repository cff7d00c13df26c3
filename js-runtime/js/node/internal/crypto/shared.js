// What the parts of node:crypto have in common.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectDefineProperty, ObjectSetPrototypeOf, ReflectApply } = primordials;
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.js");
const errors = core.loadExtScript("ext:deno_node/internal/errors.js");
const { Transform } = core.loadExtScript("ext:deno_node/stream.js");
const { nextTick } = core.loadExtScript("ext:vitrine/runtime/bridge.js");
const { isKeyObject } = core.loadExtScript("ext:deno_node/internal/crypto/_keys.js");

// Hashes as Node.js names them, and as the ops do.
const HASHES = {
  __proto__: null, md5: "MD5", sha1: "SHA-1", sha224: "SHA-224", sha256: "SHA-256", sha384: "SHA-384", sha512: "SHA-512",
  "sha512-224": "SHA-512/224", "sha512-256": "SHA-512/256", "sha3-224": "SHA3-224", "sha3-256": "SHA3-256", "sha3-384": "SHA3-384", "sha3-512": "SHA3-512",
};

// Bytes of the digest of each.
const DIGEST_BYTES = {
  __proto__: null, "MD5": 16, "SHA-1": 20, "SHA-224": 28, "SHA-256": 32, "SHA-384": 48, "SHA-512": 64,
  "SHA-512/224": 28, "SHA-512/256": 32, "SHA3-224": 28, "SHA3-256": 32, "SHA3-384": 48, "SHA3-512": 64,
};

// The hash as the ops name it; undefined if there is none of that name.
function hashNamed(name) {
  const key = name.toLowerCase().replace(/^rsa-/, "").replace(/^sha-(?=\d)/, "sha").replace("/", "-");
  return HASHES[key];
}

function checkString(value, name) {
  if (typeof value !== "string") throw new errors.ERR_INVALID_ARG_TYPE(name, "string", value);
}

function checkInteger(value, name, low, high) {
  if (typeof value !== "number") throw new errors.ERR_INVALID_ARG_TYPE(name, "number", value);
  if (!Number.isInteger(value) || value < low || value > high) throw new errors.ERR_OUT_OF_RANGE(name, `>= ${low} && <= ${high}`, value);
}

function checkFunction(value, name) {
  if (typeof value !== "function") throw new errors.ERR_INVALID_ARG_TYPE(name, "function", value);
}

// The bytes of a text, a view, a buffer, or of a secret key.
function bytesOf(value, name, encoding = undefined) {
  if (typeof value === "string") return new Uint8Array(Buffer.from(value, encoding === "buffer" ? "utf8" : encoding));
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (core.isAnyArrayBuffer(value)) return new Uint8Array(value);
  if (isKeyObject(value) && value.type === "secret") return new Uint8Array(value.export());
  throw new errors.ERR_INVALID_ARG_TYPE(name, ["string", "ArrayBuffer", "Buffer", "TypedArray", "DataView", "KeyObject"], value);
}

function bufferOf(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function encoded(bytes, encoding) {
  const buffer = bufferOf(bytes);
  return encoding === undefined || encoding === null || encoding === "buffer" ? buffer : buffer.toString(encoding);
}

function failure(message, code) {
  return Object.assign(new Error(message), { code });
}

// Hashes and ciphers are streams too, which few use: their state is made when something of it is asked for.
function LazyTransform(options) {
  this._options = options;
}
ObjectSetPrototypeOf(LazyTransform.prototype, Transform.prototype);
ObjectSetPrototypeOf(LazyTransform, Transform);
for (const name of ["_readableState", "_writableState", "_events", "allowHalfOpen"]) {
  ObjectDefineProperty(LazyTransform.prototype, name, {
    __proto__: null,
    configurable: true,
    enumerable: true,
    get() {
      makeStream(this);
      return this[name];
    },
    set(value) {
      ObjectDefineProperty(this, name, { __proto__: null, value, enumerable: true, configurable: true, writable: true });
    },
  });
}

function makeStream(self) {
  for (const name of ["_readableState", "_writableState", "_events", "allowHalfOpen"]) {
    ObjectDefineProperty(self, name, { __proto__: null, value: undefined, enumerable: true, configurable: true, writable: true });
  }
  ReflectApply(Transform, self, [self._options]);
  self._writableState.decodeStrings = false;
}

// Answers by `callback`, as if another thread had done the work. What throws there is told to the callback.
function answer(callback, act) {
  let result;
  try {
    result = act();
  } catch (error) {
    nextTick(callback, [error]);
    return;
  }
  nextTick(callback, [null, result]);
}

return {
  DIGEST_BYTES, HASHES, LazyTransform, answer, bufferOf, bytesOf, checkFunction, checkInteger, checkString, encoded, errors, failure, hashNamed,
};
})();

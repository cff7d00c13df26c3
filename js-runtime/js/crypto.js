// The part of Web Crypto that server builds use: randomness, digests, and HMAC for signed cookies.
(function () {
const { core, primordials } = __bootstrap;
const { op_digest, op_hmac, op_same_bytes } = core.ops;
const { ArrayBufferIsView, ArrayPrototypeIncludes, String, StringPrototypeToUpperCase, SymbolToStringTag, TypedArrayPrototypeGetSymbolToStringTag, TypeError, Uint8Array, TypedArrayPrototypeSlice } = primordials;
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
const { randomFill, randomUuid } = core.loadExtScript("ext:vitrine/module_scope.js");

const HASHES = { __proto__: null, "SHA-1": 64, "SHA-256": 64, "SHA-384": 128, "SHA-512": 128 };
// Bytes that one call of getRandomValues may ask for, as the standard has it.
const RANDOM_BYTES_MAX = 65536;

function bytesOf(data, what) {
  if (ArrayBufferIsView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (core.isAnyArrayBuffer(data)) return new Uint8Array(data);
  throw new TypeError(`${what} must be an ArrayBuffer or a view of one`);
}

function hashName(algorithm) {
  const name = StringPrototypeToUpperCase(String(algorithm?.name ?? algorithm));
  if (HASHES[name] === undefined) throw new DOMException(`The hash "${name}" is not available`, "NotSupportedError");
  return name;
}

function algorithmName(algorithm) {
  return StringPrototypeToUpperCase(String(algorithm?.name ?? algorithm));
}

const kInternal = { __proto__: null };
let secretOf;

class CryptoKey {
  #secret;
  #hash;
  #extractable;
  #usages;

  constructor(token, secret, hash, extractable, usages) {
    if (token !== kInternal) throw new TypeError("Illegal constructor");
    this.#secret = secret;
    this.#hash = hash;
    this.#extractable = extractable;
    this.#usages = usages;
  }

  static {
    secretOf = (key, usage) => {
      if (!(#secret in key)) throw new TypeError("The key is not a CryptoKey");
      if (usage !== null && !ArrayPrototypeIncludes(key.#usages, usage)) {
        throw new DOMException(`The key must not be used to ${usage}`, "InvalidAccessError");
      }
      return { secret: key.#secret, hash: key.#hash };
    };
  }

  get type() {
    return "secret";
  }

  get extractable() {
    return this.#extractable;
  }

  get algorithm() {
    return { name: "HMAC", hash: { name: this.#hash }, length: this.#secret.length * 8 };
  }

  get usages() {
    return [...this.#usages];
  }

  get [SymbolToStringTag]() {
    return "CryptoKey";
  }
}

function requireHmac(algorithm) {
  const name = algorithmName(algorithm);
  if (name !== "HMAC") throw new DOMException(`The algorithm "${name}" is not available; HMAC is`, "NotSupportedError");
}

class SubtleCrypto {
  constructor(token) {
    if (token !== kInternal) throw new TypeError("Illegal constructor");
  }

  async digest(algorithm, data) {
    return op_digest(hashName(algorithm), bytesOf(data, "The data")).buffer;
  }

  async importKey(format, data, algorithm, extractable, usages) {
    if (format !== "raw") throw new DOMException(`Keys of the format "${format}" are not available; "raw" is`, "NotSupportedError");
    requireHmac(algorithm);
    const secret = TypedArrayPrototypeSlice(bytesOf(data, "The key"));
    return new CryptoKey(kInternal, secret, hashName(algorithm.hash), extractable === true, [...usages]);
  }

  async generateKey(algorithm, extractable, usages) {
    requireHmac(algorithm);
    const hash = hashName(algorithm.hash);
    const secret = new Uint8Array(algorithm.length === undefined ? HASHES[hash] : algorithm.length >> 3);
    randomFill(secret);
    return new CryptoKey(kInternal, secret, hash, extractable === true, [...usages]);
  }

  async exportKey(format, key) {
    if (format !== "raw") throw new DOMException(`Keys can't be exported as "${format}"`, "NotSupportedError");
    if (!key.extractable) throw new DOMException("The key is not extractable", "InvalidAccessError");
    return TypedArrayPrototypeSlice(secretOf(key, null).secret).buffer;
  }

  async sign(algorithm, key, data) {
    requireHmac(algorithm);
    const { secret, hash } = secretOf(key, "sign");
    return op_hmac(hash, secret, bytesOf(data, "The data")).buffer;
  }

  async verify(algorithm, key, signature, data) {
    requireHmac(algorithm);
    const { secret, hash } = secretOf(key, "verify");
    return op_same_bytes(op_hmac(hash, secret, bytesOf(data, "The data")), bytesOf(signature, "The signature"));
  }
}

const INTEGERS = ["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "BigInt64Array", "BigUint64Array"];

class Crypto {
  #subtle = new SubtleCrypto(kInternal);

  constructor(token) {
    if (token !== kInternal) throw new TypeError("Illegal constructor");
  }

  get subtle() {
    return this.#subtle;
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

  get [SymbolToStringTag]() {
    return "Crypto";
  }
}

return { Crypto, CryptoKey, SubtleCrypto, crypto: new Crypto(kInternal) };
})();

// node:crypto: randomness, hashes, HMAC.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const { crypto: constants } = core.loadExtScript("ext:deno_node/internal_binding/constants.js");
const { op_digest, op_hmac, op_same_bytes } = core.ops;
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.js");
const { crypto: webcrypto } = core.loadExtScript("ext:vitrine/crypto.js");
const { randomFill } = core.loadExtScript("ext:vitrine/module_scope.js");

const HASHES = { __proto__: null, md5: "MD5", sha1: "SHA-1", sha256: "SHA-256", sha384: "SHA-384", sha512: "SHA-512" };

function hashName(name) {
  const hash = HASHES[String(name).toLowerCase().replace("-", "")];
  if (hash === undefined) throw new Error(`The hash "${name}" is not available; available are ${Object.keys(HASHES).join(", ")}`);
  return hash;
}

function bytesOf(data, encoding) {
  return typeof data === "string" ? Buffer.from(data, encoding) : new Uint8Array(data.buffer ?? data, data.byteOffset, data.byteLength);
}

class Hash {
  #pieces = [];
  #finish;
  #done = false;

  constructor(finish) {
    this.#finish = finish;
  }

  update(data, encoding = undefined) {
    if (this.#done) throw new Error("The digest has been taken already");
    this.#pieces.push(Buffer.from(bytesOf(data, encoding)));
    return this;
  }

  digest(encoding = undefined) {
    if (this.#done) throw new Error("The digest has been taken already");
    this.#done = true;
    const digest = Buffer.from(this.#finish(new Uint8Array(Buffer.concat(this.#pieces))).buffer);
    return encoding === undefined || encoding === "buffer" ? digest : digest.toString(encoding);
  }
}

function createHash(name) {
  const hash = hashName(name);
  return new Hash((bytes) => op_digest(hash, bytes));
}

function createHmac(name, key) {
  const hash = hashName(name);
  const secret = new Uint8Array(bytesOf(key));
  return new Hash((bytes) => op_hmac(hash, secret, bytes));
}

function hash(name, data, encoding = "hex") {
  return createHash(name).update(data).digest(encoding);
}

function randomFillSync(buffer) {
  randomFill(new Uint8Array(buffer.buffer ?? buffer, buffer.byteOffset ?? 0, buffer.byteLength));
  return buffer;
}

function randomBytes(size, callback = undefined) {
  const bytes = randomFillSync(Buffer.alloc(size));
  if (callback === undefined) return bytes;
  queueMicrotask(() => callback(null, bytes));
}

function randomInt(low, high = undefined) {
  if (high === undefined) [low, high] = [0, low];
  const range = high - low;
  if (!Number.isSafeInteger(range) || range <= 0 || range > 2 ** 48) throw new RangeError("randomInt: the range must be from 1 to 2**48");
  // Numbers above the last whole multiple of the range would make the first ones more likely.
  const limit = 2 ** 48 - (2 ** 48 % range);
  while (true) {
    const number = randomBytes(6).reduce((sum, byte) => sum * 256 + byte, 0);
    if (number < limit) return low + (number % range);
  }
}

function timingSafeEqual(left, right) {
  if (left.byteLength !== right.byteLength) throw new RangeError("timingSafeEqual: both must be of the same length");
  return op_same_bytes(new Uint8Array(bytesOf(left)), new Uint8Array(bytesOf(right)));
}

return exportsOf("node:crypto", {
  constants, createHash, createHmac, getHashes: () => Object.keys(HASHES), getRandomValues: (array) => webcrypto.getRandomValues(array), hash, randomBytes, randomFillSync,
  randomInt, randomUUID: () => webcrypto.randomUUID(), timingSafeEqual, webcrypto,
  get subtle() {
    return webcrypto.subtle;
  },
});
})();

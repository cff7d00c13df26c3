// Randomness of node:crypto, and comparison in constant time.
(function () {
const { core } = __bootstrap;
const { op_same_bytes } = core.ops;
const { Buffer, kMaxLength } = core.loadExtScript("ext:deno_node/internal/buffer.js");
const { crypto: webcrypto } = core.loadExtScript("ext:vitrine/web/crypto.js");
const { randomFill: fillRandomly } = core.loadExtScript("ext:vitrine/runtime/snapshot_guard.js");
const { answer, bytesOf, checkFunction, checkInteger, errors } = core.loadExtScript("ext:vitrine/node/internal/crypto/shared.js");

const BYTES_MAX = Math.min(kMaxLength, 2 ** 31 - 1);

function randomFillSync(buffer, offset = 0, size = undefined) {
  const isBytes = ArrayBuffer.isView(buffer) || core.isAnyArrayBuffer(buffer);
  if (!isBytes) throw new errors.ERR_INVALID_ARG_TYPE("buf", ["ArrayBuffer", "ArrayBufferView"], buffer);
  const unit = buffer.BYTES_PER_ELEMENT ?? 1;
  const bytes = bytesOf(buffer, "buf");
  checkInteger(offset, "offset", 0, bytes.length / unit);
  size ??= bytes.length / unit - offset;
  checkInteger(size, "size", 0, bytes.length / unit - offset);
  fillRandomly(bytes.subarray(offset * unit, (offset + size) * unit));
  return buffer;
}

function randomFill(buffer, offset, size, callback) {
  if (typeof offset === "function") [offset, size, callback] = [0, undefined, offset];
  else if (typeof size === "function") [size, callback] = [undefined, size];
  checkFunction(callback, "callback");
  const filled = randomFillSync(buffer, offset, size);
  answer(callback, () => filled);
}

function randomBytes(size, callback = undefined) {
  checkInteger(size, "size", 0, BYTES_MAX);
  if (callback === undefined) return randomFillSync(Buffer.alloc(size));
  checkFunction(callback, "callback");
  answer(callback, () => randomFillSync(Buffer.alloc(size)));
}

function randomNumber(low, high) {
  const range = high - low;
  // Numbers above the last whole multiple of the range would make the first ones more likely.
  const limit = 2 ** 48 - (2 ** 48 % range);
  while (true) {
    const number = randomFillSync(Buffer.alloc(6)).readUIntBE(0, 6);
    if (number < limit) return low + (number % range);
  }
}

function randomInt(low, high, callback) {
  if (high === undefined || typeof high === "function") [low, high, callback] = [0, low, high];
  if (!Number.isSafeInteger(low)) throw new errors.ERR_INVALID_ARG_TYPE("min", "a safe integer", low);
  if (!Number.isSafeInteger(high)) throw new errors.ERR_INVALID_ARG_TYPE("max", "a safe integer", high);
  if (high <= low) throw new errors.ERR_OUT_OF_RANGE("max", `greater than the value of "min" (${low})`, high);
  if (high - low > 2 ** 48 - 1) throw new errors.ERR_OUT_OF_RANGE("max - min", `<= ${2 ** 48 - 1}`, high - low);
  if (callback === undefined) return randomNumber(low, high);
  checkFunction(callback, "callback");
  answer(callback, () => randomNumber(low, high));
}

function timingSafeEqual(left, right) {
  for (const [value, name] of [[left, "buf1"], [right, "buf2"]]) {
    if (!ArrayBuffer.isView(value) && !core.isAnyArrayBuffer(value)) {
      throw new errors.ERR_INVALID_ARG_TYPE(name, ["ArrayBuffer", "Buffer", "TypedArray", "DataView"], value);
    }
  }
  if (left.byteLength !== right.byteLength) throw new errors.ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH();
  return op_same_bytes(bytesOf(left), bytesOf(right));
}

function randomUUID() {
  return webcrypto.randomUUID();
}

function getRandomValues(array) {
  return webcrypto.getRandomValues(array);
}

// Node.js has three more names for it.
const others = { prng: randomBytes, pseudoRandomBytes: randomBytes, rng: randomBytes };

return { ...others, getRandomValues, randomBytes, randomFill, randomFillSync, randomInt, randomUUID, timingSafeEqual };
})();

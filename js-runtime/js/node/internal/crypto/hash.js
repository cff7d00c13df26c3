// Hashes and HMAC of node:crypto.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectSetPrototypeOf, ReflectApply } = primordials;
const { op_digest, op_hasher_copy, op_hasher_value } = core.ops;
const { absorb, digestOf, hasher, hmacOf } = core.loadExtScript("ext:vitrine/web/crypto_steps.js");
const { HASHES, LazyTransform, bytesOf, checkString, encoded, errors, failure, hashNamed } = core.loadExtScript("ext:vitrine/node/internal/crypto/shared.js");

// Bytes that are kept before a hash is begun with: most hashes are of less, and an object in the worker for each would cost more than they do.
const KEPT_BYTES = 64 << 10;

const kState = Symbol("kState");

// The input of a hash so far: the pieces, and a hasher once there are too many of them.
class Absorbed {
  #hash;
  #key;
  #pieces = [];
  #size = 0;
  #hasher = null;
  done = false;

  constructor(hash, key) {
    this.#hash = hash;
    this.#key = key;
  }

  add(bytes, isOwn) {
    if (this.#size + bytes.length > KEPT_BYTES) {
      this.#hasher ??= hasher(this.#hash, this.#key);
      absorb(this.#hasher, this.#joined());
      absorb(this.#hasher, bytes);
      return;
    }
    this.#size += bytes.length;
    this.#pieces.push(isOwn ? bytes : bytes.slice());
  }

  // What is kept, which it then forgets.
  #joined() {
    const bytes = this.#peek();
    this.#pieces = [];
    this.#size = 0;
    return bytes;
  }

  #peek() {
    if (this.#pieces.length === 1) return this.#pieces[0];
    const bytes = new Uint8Array(this.#size);
    let at = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  value() {
    if (this.#hasher !== null) {
      absorb(this.#hasher, this.#joined());
      return op_hasher_value(this.#hasher);
    }
    return this.#key === null ? digestOf(this.#hash, this.#peek()) : hmacOf(this.#hash, this.#key, this.#peek());
  }

  copy() {
    const copy = new Absorbed(this.#hash, this.#key);
    copy.#pieces = [...this.#pieces];
    copy.#size = this.#size;
    copy.#hasher = this.#hasher === null ? null : op_hasher_copy(this.#hasher);
    return copy;
  }
}

function hashOf(name) {
  checkString(name, "algorithm");
  const hash = hashNamed(name);
  if (hash === undefined) {
    throw failure(`The hash "${name}" is not available; available are ${Object.keys(HASHES).join(", ")}`, "ERR_OSSL_EVP_UNSUPPORTED");
  }
  return hash;
}

function update(data, encoding) {
  const state = this[kState];
  if (state.done) throw new errors.ERR_CRYPTO_HASH_FINALIZED();
  state.add(bytesOf(data, "data", encoding), typeof data === "string");
  return this;
}

function transform(chunk, encoding, callback) {
  this.update(chunk, encoding);
  callback();
}

function flush(callback) {
  this.push(this.digest());
  callback();
}

function Hash(algorithm, options) {
  if (!new.target) return new Hash(algorithm, options);
  const { outputLength } = options ?? {};
  const state = algorithm instanceof Hash ? algorithm[kState].copy() : new Absorbed(hashOf(algorithm), null);
  if (outputLength !== undefined && outputLength !== state.value().length) {
    throw failure("Unsupported state or unable to change the length of the digest", "ERR_OSSL_EVP_NOT_XOF_OR_INVALID_LENGTH");
  }
  this[kState] = state;
  ReflectApply(LazyTransform, this, [options]);
}
ObjectSetPrototypeOf(Hash.prototype, LazyTransform.prototype);
ObjectSetPrototypeOf(Hash, LazyTransform);

Hash.prototype.update = update;
Hash.prototype._transform = transform;
Hash.prototype._flush = flush;

Hash.prototype.digest = function digest(encoding) {
  const state = this[kState];
  if (state.done) throw new errors.ERR_CRYPTO_HASH_FINALIZED();
  state.done = true;
  return encoded(state.value(), encoding);
};

Hash.prototype.copy = function copy(options) {
  if (this[kState].done) throw new errors.ERR_CRYPTO_HASH_FINALIZED();
  return new Hash(this, options);
};

function Hmac(algorithm, key, options) {
  if (!new.target) return new Hmac(algorithm, key, options);
  const hash = hashOf(algorithm);
  this[kState] = new Absorbed(hash, bytesOf(key, "key", options?.encoding).slice());
  ReflectApply(LazyTransform, this, [options]);
}
ObjectSetPrototypeOf(Hmac.prototype, LazyTransform.prototype);
ObjectSetPrototypeOf(Hmac, LazyTransform);

Hmac.prototype.update = update;
Hmac.prototype._transform = transform;
Hmac.prototype._flush = flush;

// A second digest is empty, as in Node.js.
Hmac.prototype.digest = function digest(encoding) {
  const state = this[kState];
  const value = state.done ? new Uint8Array(0) : state.value();
  state.done = true;
  return encoded(value, encoding);
};

function createHash(algorithm, options) {
  return new Hash(algorithm, options);
}

function createHmac(algorithm, key, options) {
  return new Hmac(algorithm, key, options);
}

function hash(algorithm, data, outputEncoding = "hex") {
  const name = hashOf(algorithm);
  const bytes = bytesOf(data, "input");
  return encoded(op_digest(name, bytes) ?? digestOf(name, bytes), outputEncoding);
}

function getHashes() {
  const names = Object.keys(HASHES);
  return ["RSA-MD5", "RSA-SHA1", "RSA-SHA224", "RSA-SHA256", "RSA-SHA384", "RSA-SHA512", ...names];
}

return { Hash, Hmac, createHash, createHmac, getHashes, hash, hashOf };
})();

// Ciphers of node:crypto.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectSetPrototypeOf, ReflectApply } = primordials;
const { op_cipher_finish, op_cipher_pads, op_cipher_tag, op_same_bytes } = core.ops;
const { NOTHING, authenticate, cipher, crypt } = core.loadExtScript("ext:vitrine/web/crypto_steps.js");
const { StringDecoder } = core.loadExtScript("ext:deno_node/string_decoder.js");
const { LazyTransform, bufferOf, bytesOf, checkString, errors, failure } = core.loadExtScript("ext:vitrine/node/internal/crypto/shared.js");

// Lengths of the tags of GCM, in bytes.
const TAG_BYTES = [4, 8, 12, 13, 14, 15, 16];
const OTHER_NAMES = { __proto__: null, aes128: "aes-128-cbc", aes192: "aes-192-cbc", aes256: "aes-256-cbc" };
const NIDS = {
  __proto__: null, "aes-128-ecb": 418, "aes-128-cbc": 419, "aes-192-ecb": 422, "aes-192-cbc": 423, "aes-256-ecb": 426, "aes-256-cbc": 427,
  "aes-128-gcm": 895, "aes-192-gcm": 898, "aes-256-gcm": 901, "aes-128-ctr": 904, "aes-192-ctr": 905, "aes-256-ctr": 906,
};
const kState = Symbol("kState");

// { name, mode, keyLength } of a cipher; undefined if there is none of that name.
function cipherNamed(name) {
  let key = name.toLowerCase();
  key = OTHER_NAMES[key] ?? key.replace(/^id-aes(\d+)-gcm$/, "aes-$1-gcm");
  if (NIDS[key] === undefined) return undefined;
  const [, bits, mode] = key.split("-");
  return { name: key, mode: mode.toUpperCase(), keyLength: bits / 8 };
}

function getCiphers() {
  return [...Object.keys(NIDS), ...Object.keys(OTHER_NAMES), "id-aes128-GCM", "id-aes192-GCM", "id-aes256-GCM"].sort();
}

function getCipherInfo(nameOrNid, { keyLength, ivLength } = {}) {
  const name = typeof nameOrNid === "number" ? Object.keys(NIDS).find((key) => NIDS[key] === nameOrNid) : nameOrNid;
  const found = name === undefined ? undefined : cipherNamed(name);
  if (found === undefined || (keyLength !== undefined && keyLength !== found.keyLength)) return undefined;
  const isGcm = found.mode === "GCM";
  const ownLength = { CBC: 16, CTR: 16, GCM: 12 }[found.mode];
  if (ivLength !== undefined && ivLength !== ownLength && !(isGcm && ivLength > 0)) return undefined;
  const [fullName, blockSize] = [isGcm ? `id-aes${found.keyLength * 8}-gcm` : found.name, found.mode === "ECB" || found.mode === "CBC" ? 16 : 1];
  const info = { mode: found.mode.toLowerCase(), name: fullName, nid: NIDS[found.name], blockSize };
  if (ownLength !== undefined) info.ivLength = ivLength ?? ownLength;
  return { ...info, keyLength: found.keyLength };
}

function begin(self, encrypts, name, key, iv, options) {
  checkString(name, "cipher");
  const found = cipherNamed(name);
  if (found === undefined) {
    const error = new errors.ERR_CRYPTO_UNKNOWN_CIPHER();
    error.message = `Unknown cipher: "${name}" is not available; available are ${Object.keys(NIDS).join(", ")}`;
    throw error;
  }
  const secret = bytesOf(key, "key");
  const start = iv === null ? NOTHING : bytesOf(iv, "iv");
  if (secret.length !== found.keyLength) throw new errors.ERR_CRYPTO_INVALID_KEYLEN();
  const right = { ECB: start.length === 0, GCM: start.length > 0 }[found.mode] ?? start.length === 16;
  if (!right) throw Object.assign(new TypeError("Invalid initialization vector"), { code: "ERR_CRYPTO_INVALID_IV" });
  const tagBytes = options?.authTagLength ?? 16;
  if (found.mode === "GCM" && !TAG_BYTES.includes(tagBytes)) {
    throw Object.assign(new TypeError(`Invalid authentication tag length: ${tagBytes}`), { code: "ERR_CRYPTO_INVALID_AUTH_TAG" });
  }
  self[kState] = {
    state: cipher(found.mode, encrypts, secret, start), isGcm: found.mode === "GCM", encrypts, tagBytes, tagIsFixed: options?.authTagLength !== undefined,
    tag: null, done: false, decoder: null,
  };
  ReflectApply(LazyTransform, self, [options]);
}

// The output as it is asked for; a text is decoded across calls.
function decoded(self, bytes, encoding, isLast) {
  if (encoding === undefined || encoding === null || encoding === "buffer") return bufferOf(bytes);
  self.decoder ??= new StringDecoder(encoding);
  return self.decoder.write(bufferOf(bytes)) + (isLast ? self.decoder.end() : "");
}

function unsupportedState(what) {
  return new errors.ERR_CRYPTO_INVALID_STATE(what);
}

function update(data, inputEncoding, outputEncoding) {
  const self = this[kState];
  if (self.done) throw new Error("Trying to add data in unsupported state");
  const input = bytesOf(data, "data", inputEncoding);
  const output = new Uint8Array(input.length + 16);
  return decoded(self, output.subarray(0, crypt(self.state, input, output, 0)), outputEncoding, false);
}

function final(outputEncoding) {
  const self = this[kState];
  if (self.done) throw unsupportedState("final");
  self.done = true;
  const end = op_cipher_finish(self.state);
  if (end === null) {
    throw self.encrypts
      ? failure("wrong final block length: the data is no multiple of 16 bytes", "ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH")
      : failure("bad decrypt: the data was not encrypted with this key and iv", "ERR_OSSL_BAD_DECRYPT");
  }
  if (self.isGcm) {
    const tag = op_cipher_tag(self.state);
    if (self.encrypts) self.tag = tag.subarray(0, self.tagBytes);
    else if (self.tag === null || !op_same_bytes(tag.subarray(0, self.tag.length), self.tag)) {
      throw new Error("Unsupported state or unable to authenticate data");
    }
  }
  return decoded(self, end, outputEncoding, true);
}

function setAutoPadding(pads = true) {
  if (this[kState].done) throw unsupportedState("setAutoPadding");
  op_cipher_pads(this[kState].state, Boolean(pads));
  return this;
}

function setAAD(buffer, options) {
  const self = this[kState];
  if (!self.isGcm || self.done) throw unsupportedState("setAAD");
  authenticate(self.state, bytesOf(buffer, "buffer", options?.encoding));
  return this;
}

function define(Class) {
  ObjectSetPrototypeOf(Class.prototype, LazyTransform.prototype);
  ObjectSetPrototypeOf(Class, LazyTransform);
  Object.assign(Class.prototype, { update, final, setAutoPadding, setAAD });
  Class.prototype._transform = function _transform(chunk, encoding, callback) {
    this.push(this.update(chunk, encoding));
    callback();
  };
  Class.prototype._flush = function _flush(callback) {
    try {
      this.push(this.final());
    } catch (error) {
      callback(error);
      return;
    }
    callback();
  };
}

function Cipheriv(name, key, iv, options) {
  if (!new.target) return new Cipheriv(name, key, iv, options);
  begin(this, true, name, key, iv, options);
}
define(Cipheriv);

Cipheriv.prototype.getAuthTag = function getAuthTag() {
  const self = this[kState];
  if (!self.isGcm || !self.done) throw unsupportedState("getAuthTag");
  return bufferOf(self.tag.slice());
};

function Decipheriv(name, key, iv, options) {
  if (!new.target) return new Decipheriv(name, key, iv, options);
  begin(this, false, name, key, iv, options);
}
define(Decipheriv);

Decipheriv.prototype.setAuthTag = function setAuthTag(tag, encoding) {
  const self = this[kState];
  const bytes = bytesOf(tag, "buffer", encoding);
  if (!self.isGcm || self.done || self.tag !== null) throw unsupportedState("setAuthTag");
  if (!TAG_BYTES.includes(bytes.length) || (self.tagIsFixed && bytes.length !== self.tagBytes)) {
    throw Object.assign(new TypeError(`Invalid authentication tag length: ${bytes.length}`), { code: "ERR_CRYPTO_INVALID_AUTH_TAG" });
  }
  self.tag = bytes.slice();
  return this;
};

function createCipheriv(name, key, iv, options) {
  return new Cipheriv(name, key, iv, options);
}

function createDecipheriv(name, key, iv, options) {
  return new Decipheriv(name, key, iv, options);
}

return { Cipheriv, Decipheriv, createCipheriv, createDecipheriv, getCipherInfo, getCiphers };
})();

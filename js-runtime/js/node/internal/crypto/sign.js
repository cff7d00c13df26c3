// Signatures and encryption with pairs of keys of node:crypto.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectSetPrototypeOf, ReflectApply } = primordials;
const {
  op_ec_sign, op_ec_signature_from_der, op_ec_signature_to_der, op_ec_verify, op_ed25519_sign, op_ed25519_verify, op_rsa_decrypt, op_rsa_encrypt,
  op_rsa_numbers, op_rsa_sign, op_rsa_verify,
} = core.ops;
const { crypto: constants } = core.loadExtScript("ext:deno_node/internal_binding/constants.js");
const { Writable } = core.loadExtScript("ext:deno_node/stream.js");
const { NOTHING, digestOf } = core.loadExtScript("ext:vitrine/web/crypto_steps.js");
const { KINDS, innerOf, privateKey, publicKey } = core.loadExtScript("ext:vitrine/node/internal/crypto/key_object.js");
const { createHash, hashOf } = core.loadExtScript("ext:vitrine/node/internal/crypto/hash.js");
const { DIGEST_BYTES, answer, bufferOf, bytesOf, checkFunction, encoded, errors, failure, hashNamed } =
  core.loadExtScript("ext:vitrine/node/internal/crypto/shared.js");

const { RSA_PKCS1_PADDING, RSA_PKCS1_OAEP_PADDING, RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants;
const kHash = Symbol("kHash");
const kName = Symbol("kName");

// Options that stand beside a key.
function optionsOf(key) {
  const isOptions = key !== null && typeof key === "object" && innerOf(key) === undefined && !ArrayBuffer.isView(key) && !core.isAnyArrayBuffer(key);
  return isOptions ? key : {};
}

function rsaScheme({ kind, material }, { padding, saltLength }, hash, isPrivate) {
  const usual = kind === "rsa-pss" ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
  const chosen = padding ?? usual;
  if (chosen === RSA_PKCS1_PADDING) return ["PKCS1", hash, 0];
  if (chosen !== RSA_PKCS1_PSS_PADDING) throw failure(`The padding ${chosen} is not available for signatures`, "ERR_OSSL_RSA_ILLEGAL_OR_UNSUPPORTED_PADDING_MODE");
  if (saltLength === RSA_PSS_SALTLEN_DIGEST) return ["PSS", hash, DIGEST_BYTES[hash]];
  if (saltLength >= 0) return ["PSS", hash, saltLength];
  if (!isPrivate) return ["PSS", hash, -1];
  // The longest that fits.
  const [modulus] = op_rsa_numbers(true, material);
  const bits = modulus.length * 8 - Math.clz32(modulus[0]) + 24;
  return ["PSS", hash, Math.ceil((bits - 1) / 8) - DIGEST_BYTES[hash] - 2];
}

function inDer({ dsaEncoding = "der" }) {
  if (dsaEncoding !== "der" && dsaEncoding !== "ieee-p1363") throw new errors.ERR_INVALID_ARG_VALUE("options.dsaEncoding", dsaEncoding);
  return dsaEncoding === "der";
}

function cannotSign(kind) {
  return failure(`A key of the type ${KINDS[kind].type} can't be used for this signature`, "ERR_OSSL_EVP_OPERATION_NOT_SUPPORTED_FOR_THIS_KEYTYPE");
}

function signed(inner, options, hash, digest) {
  const { kind, material } = inner;
  const { type } = KINDS[kind];
  let signature = null;
  if (type === "ec") {
    signature = op_ec_sign(kind, material, digest);
    if (signature !== null && inDer(options)) signature = op_ec_signature_to_der(kind, signature);
  } else if (type === "rsa" || type === "rsa-pss") {
    const [padding, name, saltBytes] = rsaScheme(inner, options, hash, true);
    if (saltBytes >= 0) signature = op_rsa_sign(padding, name, saltBytes, material, digest);
  }
  if (signature === null) throw cannotSign(kind);
  return signature;
}

function verified(inner, options, hash, digest, signature) {
  const { kind, material } = inner;
  const { type } = KINDS[kind];
  if (type === "ec") {
    const plain = inDer(options) ? op_ec_signature_from_der(kind, signature) : signature;
    return plain !== null && op_ec_verify(kind, material, digest, plain);
  }
  if (type !== "rsa" && type !== "rsa-pss") throw cannotSign(kind);
  const [padding, name, saltBytes] = rsaScheme(inner, options, hash, false);
  return op_rsa_verify(padding, name, saltBytes, material, digest, signature);
}

// The hash that is named; Ed25519 has its own, and the others SHA-256 where none is.
function hashFor(algorithm, kind) {
  if (kind === "Ed25519") {
    if (algorithm !== null && algorithm !== undefined) throw failure("Ed25519 takes no algorithm", "ERR_OSSL_EVP_INVALID_DIGEST");
    return null;
  }
  if (algorithm === null || algorithm === undefined) return "SHA-256";
  const hash = hashNamed(String(algorithm));
  if (hash === undefined) throw failure(`Invalid digest: ${algorithm}`, "ERR_CRYPTO_INVALID_DIGEST");
  return hash;
}

function prepareSign(algorithm, data, key) {
  const bytes = bytesOf(data, "data");
  const inner = innerOf(privateKey(key));
  const hash = hashFor(algorithm, inner.kind);
  return () => bufferOf(hash === null ? op_ed25519_sign(inner.material, bytes) : signed(inner, optionsOf(key), hash, digestOf(hash, bytes)));
}

function sign(algorithm, data, key, callback = undefined) {
  const act = prepareSign(algorithm, data, key);
  if (callback === undefined) return act();
  checkFunction(callback, "callback");
  answer(callback, act);
}

function prepareVerify(algorithm, data, key, signature) {
  const [bytes, made] = [bytesOf(data, "data"), bytesOf(signature, "signature")];
  const inner = innerOf(publicKey(key));
  const hash = hashFor(algorithm, inner.kind);
  return () => (hash === null ? op_ed25519_verify(inner.material, bytes, made) : verified(inner, optionsOf(key), hash, digestOf(hash, bytes), made));
}

function verify(algorithm, data, key, signature, callback = undefined) {
  const act = prepareVerify(algorithm, data, key, signature);
  if (callback === undefined) return act();
  checkFunction(callback, "callback");
  answer(callback, act);
}

// Sign and Verify: a stream that is hashed, and what is done with the digest.
function define(Class) {
  ObjectSetPrototypeOf(Class.prototype, Writable.prototype);
  ObjectSetPrototypeOf(Class, Writable);
  Class.prototype._write = function _write(chunk, encoding, callback) {
    this.update(chunk, encoding);
    callback();
  };
  Class.prototype.update = function update(data, encoding) {
    this[kHash].update(data, encoding);
    return this;
  };
}

function begin(self, algorithm, options) {
  self[kName] = hashOf(algorithm);
  self[kHash] = createHash(algorithm);
  ReflectApply(Writable, self, [options]);
}

function Sign(algorithm, options) {
  if (!new.target) return new Sign(algorithm, options);
  begin(this, algorithm, options);
}
define(Sign);

Sign.prototype.sign = function sign(key, encoding) {
  if (!key) throw new errors.ERR_CRYPTO_SIGN_KEY_REQUIRED();
  const inner = innerOf(privateKey(key));
  return encoded(signed(inner, optionsOf(key), this[kName], new Uint8Array(this[kHash].digest())), encoding);
};

function Verify(algorithm, options) {
  if (!new.target) return new Verify(algorithm, options);
  begin(this, algorithm, options);
}
define(Verify);

Verify.prototype.verify = function verify(key, signature, encoding) {
  const inner = innerOf(publicKey(key));
  return verified(inner, optionsOf(key), this[kName], new Uint8Array(this[kHash].digest()), bytesOf(signature, "signature", encoding));
};

function createSign(algorithm, options) {
  return new Sign(algorithm, options);
}

function createVerify(algorithm, options) {
  return new Verify(algorithm, options);
}

function encryptionOf({ padding = RSA_PKCS1_OAEP_PADDING, oaepHash = "sha1", oaepLabel }) {
  if (padding === RSA_PKCS1_PADDING) return ["PKCS1", "SHA-1", NOTHING];
  if (padding !== RSA_PKCS1_OAEP_PADDING) throw failure(`The padding ${padding} is not available for encryption`, "ERR_OSSL_RSA_UNKNOWN_PADDING_TYPE");
  const hash = hashNamed(oaepHash);
  if (hash === undefined) throw failure(`Invalid digest: ${oaepHash}`, "ERR_OSSL_EVP_INVALID_DIGEST");
  return ["OAEP", hash, oaepLabel === undefined ? NOTHING : bytesOf(oaepLabel, "key.oaepLabel")];
}

function rsaOnly(key) {
  const { kind, material } = innerOf(key);
  if (kind !== "rsa") throw failure(`A key of the type ${KINDS[kind].type} can't encrypt`, "ERR_OSSL_EVP_OPERATION_NOT_SUPPORTED_FOR_THIS_KEYTYPE");
  return material;
}

function publicEncrypt(key, buffer) {
  const options = optionsOf(key);
  const [padding, hash, label] = encryptionOf(options);
  const encrypted = op_rsa_encrypt(padding, hash, label, rsaOnly(publicKey(key)), bytesOf(buffer, "buffer", options.encoding));
  if (encrypted === null) throw failure("data too large for key size", "ERR_OSSL_RSA_DATA_TOO_LARGE_FOR_KEY_SIZE");
  return bufferOf(encrypted);
}

function privateDecrypt(key, buffer) {
  const options = optionsOf(key);
  const [padding, hash, label] = encryptionOf(options);
  const plain = op_rsa_decrypt(padding, hash, label, rsaOnly(privateKey(key)), bytesOf(buffer, "buffer", options.encoding));
  if (plain === null) throw failure("oaep decoding error: the data was not encrypted for this key", "ERR_OSSL_RSA_OAEP_DECODING_ERROR");
  return bufferOf(plain);
}

return { Sign, Verify, createSign, createVerify, privateDecrypt, publicEncrypt, sign, verify };
})();

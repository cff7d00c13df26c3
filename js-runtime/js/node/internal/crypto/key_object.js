// KeyObject of node:crypto.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectDefineProperty, SymbolToStringTag } = primordials;
const { op_key_read, op_key_write, op_rsa_public_key, op_same_bytes } = core.ops;
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.js");
const { kKeyType } = core.loadExtScript("ext:deno_node/internal/crypto/_keys.js");
const { jsonWebKey, toBase64Url } = core.loadExtScript("ext:vitrine/web/subtle/jwk.js");
const { ecFromJwk, ecToJwk, edwardsFromJwk, edwardsToJwk } = core.loadExtScript("ext:vitrine/web/subtle/elliptic.js");
const { rsaFacts, rsaFromJwk, rsaToJwk } = core.loadExtScript("ext:vitrine/web/subtle/rsa.js");
const { CryptoKey, slotsOf } = core.loadExtScript("ext:vitrine/web/crypto_key.js");
const { bufferOf, bytesOf, errors, failure } = core.loadExtScript("ext:vitrine/node/internal/crypto/shared.js");

// Node.js's name of each kind of key, its curve's, and the bytes in front of the public key in a private one.
const KINDS = {
  __proto__: null,
  rsa: { type: "rsa" },
  "rsa-pss": { type: "rsa-pss" },
  "P-256": { type: "ec", curve: "prime256v1", secretBytes: 32 },
  "P-384": { type: "ec", curve: "secp384r1", secretBytes: 48 },
  "P-521": { type: "ec", curve: "secp521r1", secretBytes: 66 },
  Ed25519: { type: "ed25519", secretBytes: 32 },
  X25519: { type: "x25519", secretBytes: 32 },
};

// What stands above a key in PEM, and the format of the ops.
const LABELS = {
  __proto__: null,
  "PUBLIC KEY": { format: "spki" }, "RSA PUBLIC KEY": { format: "pkcs1-public" }, CERTIFICATE: { format: "certificate" },
  "PRIVATE KEY": { format: "pkcs8", isPrivate: true }, "RSA PRIVATE KEY": { format: "pkcs1-private", isPrivate: true },
  "EC PRIVATE KEY": { format: "sec1", isPrivate: true },
};

const kInternal = { __proto__: null };
let innerOf;

class KeyObject {
  #inner;

  constructor(token, inner) {
    if (token !== kInternal) throw new errors.ERR_INVALID_ARG_VALUE("type", token);
    this.#inner = inner;
    ObjectDefineProperty(this, kKeyType, { __proto__: null, value: inner.type });
  }

  static {
    innerOf = (key) => (key !== null && typeof key === "object" && #inner in key ? key.#inner : undefined);
  }

  // The same key as a CryptoKey has.
  static from(key) {
    if (!(key instanceof CryptoKey)) throw new errors.ERR_INVALID_ARG_TYPE("key", "CryptoKey", key);
    const { type, algorithm, material } = slotsOf(key);
    if (type === "secret") return makeSecret(material);
    return make(type, algorithm.namedCurve ?? (algorithm.modulusLength === undefined ? algorithm.name : "rsa"), material);
  }

  get type() {
    return this.#inner.type;
  }

  equals(other) {
    const inner = innerOf(other);
    if (inner === undefined) throw new errors.ERR_INVALID_ARG_TYPE("otherKeyObject", "KeyObject", other);
    return inner.type === this.#inner.type && inner.kind === this.#inner.kind && op_same_bytes(inner.material, this.#inner.material);
  }

  get [SymbolToStringTag]() {
    return "KeyObject";
  }
}

class SecretKeyObject extends KeyObject {
  get symmetricKeySize() {
    return innerOf(this).material.length;
  }

  export(options = {}) {
    const { material } = innerOf(this);
    if (options.format === "jwk") return { kty: "oct", k: toBase64Url(material) };
    return bufferOf(material.slice());
  }
}

class AsymmetricKeyObject extends KeyObject {
  get asymmetricKeyType() {
    return KINDS[innerOf(this).kind].type;
  }

  get asymmetricKeyDetails() {
    const { type, kind, material } = innerOf(this);
    const { curve, secretBytes } = KINDS[kind];
    if (curve !== undefined) return { namedCurve: curve };
    if (secretBytes !== undefined) return {};
    const { modulusLength, publicExponent } = rsaFacts(type === "private", material);
    return { modulusLength, publicExponent: BigInt(`0x${bufferOf(publicExponent).toString("hex")}`) };
  }
}

class PublicKeyObject extends AsymmetricKeyObject {
  export(options) {
    return exported(innerOf(this), options, { spki: "PUBLIC KEY", pkcs1: "RSA PUBLIC KEY" });
  }
}

class PrivateKeyObject extends AsymmetricKeyObject {
  export(options) {
    if (options?.cipher !== undefined || options?.passphrase !== undefined) {
      throw failure("Private keys can't be encrypted here; export the key plain, and encrypt the file", "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM");
    }
    return exported(innerOf(this), options, { pkcs8: "PRIVATE KEY", pkcs1: "RSA PRIVATE KEY", sec1: "EC PRIVATE KEY" });
  }
}

function makeSecret(material) {
  return new SecretKeyObject(kInternal, { type: "secret", kind: undefined, material });
}

function make(type, kind, material) {
  return new (type === "private" ? PrivateKeyObject : PublicKeyObject)(kInternal, { type, kind, material });
}

// The public key of a private one.
function publicOf({ kind, material }) {
  const { secretBytes } = KINDS[kind];
  return make("public", kind, secretBytes === undefined ? op_rsa_public_key(material) : material.slice(secretBytes));
}

function pem(label, der) {
  const lines = bufferOf(der).toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function exported({ type, kind, material }, options, labels) {
  if (options === null || typeof options !== "object") throw new errors.ERR_INVALID_ARG_TYPE("options", "Object", options);
  if (options.format === "jwk") return toJwk(type === "private", kind, material);
  if (options.format !== "pem" && options.format !== "der") throw new errors.ERR_INVALID_ARG_VALUE("options.format", options.format);
  const label = Object.hasOwn(labels, options.type) ? labels[options.type] : undefined;
  if (label === undefined) throw new errors.ERR_INVALID_ARG_VALUE("options.type", options.type);
  const isRsa = KINDS[kind].type === "rsa";
  if ((options.type === "pkcs1" && !isRsa) || (options.type === "sec1" && KINDS[kind].type !== "ec")) {
    throw new errors.ERR_CRYPTO_INCOMPATIBLE_KEY_OPTIONS(options.type, isRsa ? "can only be used for EC keys" : `can't be used for ${KINDS[kind].type} keys`);
  }
  const der = options.type === "pkcs1" ? material.slice() : op_key_write(options.type, kind, material);
  return options.format === "der" ? bufferOf(der) : pem(label, der);
}

function toJwk(isPrivate, kind, material) {
  const { type } = KINDS[kind];
  if (type === "rsa") return rsaToJwk(isPrivate, material);
  if (type === "ec") return ecToJwk(kind, isPrivate, material);
  if (type === "rsa-pss") throw failure("Unsupported JWK Key Type.", "ERR_CRYPTO_JWK_UNSUPPORTED_KEY_TYPE");
  return edwardsToJwk(kind, isPrivate, material);
}

function fromJwk(value) {
  const jwk = jsonWebKey(value);
  const wrong = () => Object.assign(new TypeError("Invalid JWK data"), { code: "ERR_CRYPTO_INVALID_JWK" });
  const kind = { RSA: "rsa", EC: jwk.crv, OKP: jwk.crv }[jwk.kty];
  if (kind === undefined || KINDS[kind] === undefined) throw wrong();
  const read = { rsa: rsaFromJwk, ec: (key) => ecFromJwk(kind, key) }[KINDS[kind].type] ?? ((key) => edwardsFromJwk(kind, key));
  let material;
  try {
    material = read(jwk);
  } catch (error) {
    throw Object.assign(wrong(), { cause: error });
  }
  if (material === null) throw wrong();
  return make(jwk.d === undefined ? "public" : "private", kind, material);
}

function undecodable(why) {
  return failure(`The key can't be read: ${why}`, "ERR_OSSL_UNSUPPORTED");
}

function found(format, isPrivate, der) {
  const read = op_key_read(format, der);
  if (read === null) throw undecodable(`it is no key in the format ${format} that is available here (RSA, P-256, P-384, P-521, Ed25519, X25519)`);
  return make(isPrivate ? "private" : "public", read.kind, read.key);
}

// The key in the first block of PEM that is one.
function fromPem(text) {
  const match = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g;
  const labels = [];
  for (const [, label, body] of text.matchAll(match)) {
    labels.push(label);
    if (LABELS[label] === undefined) continue;
    if (body.includes("Proc-Type: 4,ENCRYPTED")) break;
    const { format, isPrivate = false } = LABELS[label];
    return found(format, isPrivate, new Uint8Array(Buffer.from(body, "base64")));
  }
  if (labels.length === 0) throw undecodable("it is no PEM");
  throw undecodable(`a block "${labels[0]}" is not available here; keys that a passphrase protects are to be decrypted before`);
}

// A key from what Node.js takes for one: a KeyObject, a CryptoKey, PEM, DER or a JWK, alone or with its format beside it.
function keyOf(given, isPrivate) {
  if (innerOf(given) !== undefined) return given;
  if (given instanceof CryptoKey) return KeyObject.from(given);
  if (typeof given === "string" || ArrayBuffer.isView(given) || core.isAnyArrayBuffer(given)) return fromPem(textOf(given));
  if (given === null || typeof given !== "object") {
    throw new errors.ERR_INVALID_ARG_TYPE("key", ["ArrayBuffer", "Buffer", "TypedArray", "DataView", "string", "KeyObject", "CryptoKey"], given);
  }
  const { key, format = "pem", type, encoding } = given;
  if (innerOf(key) !== undefined) return key;
  if (key instanceof CryptoKey) return KeyObject.from(key);
  if (format === "jwk") return fromJwk(key);
  if (format === "pem") return fromPem(textOf(key, encoding));
  if (format !== "der") throw new errors.ERR_INVALID_ARG_VALUE("key.format", format);
  const der = bytesOf(key, "key.key", encoding);
  const formats = isPrivate ? { pkcs8: "pkcs8", pkcs1: "pkcs1-private", sec1: "sec1" } : { spki: "spki", pkcs1: "pkcs1-public" };
  if (Object.hasOwn(formats, type)) return found(formats[type], isPrivate, der);
  // A public key may be asked of a private one.
  if (!isPrivate && (type === "pkcs8" || type === "sec1")) return found(type, true, der);
  throw new errors.ERR_INVALID_ARG_VALUE("key.type", type);
}

function textOf(key, encoding) {
  return bufferOf(bytesOf(key, "key.key", encoding)).toString("latin1");
}

function createSecretKey(key, encoding) {
  return makeSecret(bytesOf(key, "key", encoding).slice());
}

function createPrivateKey(key) {
  if (innerOf(key) !== undefined) throw new errors.ERR_INVALID_ARG_TYPE("key", ["ArrayBuffer", "Buffer", "TypedArray", "DataView", "string", "Object"], key);
  return privateKey(key);
}

function createPublicKey(key) {
  const inner = innerOf(key);
  if (inner !== undefined && inner.type !== "private") throw new errors.ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE(inner.type, "private");
  return publicKey(key);
}

// The private key that is given in any form.
function privateKey(given) {
  const key = keyOf(given, true);
  if (key.type !== "private") throw new errors.ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE(key.type, "private");
  return key;
}

// The public key that is given in any form, or that of a private one.
function publicKey(given) {
  const key = keyOf(given, false);
  if (key.type === "secret") throw new errors.ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE(key.type, "public");
  return key.type === "private" ? publicOf(innerOf(key)) : key;
}

return { KINDS, KeyObject, createPrivateKey, createPublicKey, createSecretKey, innerOf, make, makeSecret, privateKey, publicKey, publicOf };
})();

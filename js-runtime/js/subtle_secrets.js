// The algorithms of Web Crypto whose keys are secret bytes: HMAC, AES-GCM, HKDF, PBKDF2.
(function () {
const { core } = __bootstrap;
const { op_aes_gcm_open, op_aes_gcm_seal, op_hkdf, op_hmac, op_pbkdf2, op_same_bytes } = core.ops;
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
const { dataError, fromBase64Url, toBase64Url } = core.loadExtScript("ext:vitrine/key_formats.js");
const { randomFill } = core.loadExtScript("ext:vitrine/module_scope.js");

// Bytes of a block of each hash: the length of an HMAC key that names none.
const HASHES = { __proto__: null, "SHA-1": 64, "SHA-256": 64, "SHA-384": 128, "SHA-512": 128 };

function bytesOf(data, what) {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (core.isAnyArrayBuffer(data)) return new Uint8Array(data);
  throw new TypeError(`${what} must be an ArrayBuffer or a view of one`);
}

function hashName(algorithm) {
  const name = String(algorithm?.name ?? algorithm).toUpperCase();
  if (HASHES[name] === undefined) throw notSupported(`The hash "${name}" is not available`);
  return name;
}

function notSupported(message) {
  return new DOMException(message, "NotSupportedError");
}

function randomBytes(length) {
  const bytes = new Uint8Array(length);
  randomFill(bytes);
  return bytes;
}

// The secret of a key as it is given, and the `alg` that a JWK of it would have.
function importSecret(format, data, jwkName) {
  if (format === "raw") return bytesOf(data, "The key").slice();
  if (format !== "jwk") throw notSupported(`A secret key has the format "raw" or "jwk", not "${format}"`);
  if (data?.kty !== "oct") throw dataError("The JWK of a secret key must have the kty oct");
  const secret = fromBase64Url(data.k);
  if (data.alg !== undefined && jwkName !== undefined && data.alg !== jwkName(secret)) throw dataError(`The JWK is for ${data.alg}`);
  return secret;
}

function exportSecret(format, secret, jwkName) {
  if (format === "raw") return secret.slice().buffer;
  if (format !== "jwk") throw notSupported(`A secret key has the format "raw" or "jwk", not "${format}"`);
  return { kty: "oct", k: toBase64Url(secret), alg: jwkName(secret) };
}

const hmacJwkName = (hash) => () => `HS${hash.slice("SHA-".length)}`;

function hmacKey(secret, hash) {
  if (secret.length === 0) throw dataError("A key of HMAC must not be empty");
  return { type: "secret", material: secret, algorithm: { name: "HMAC", hash: { name: hash }, length: secret.length * 8 } };
}

const HMAC = {
  name: "HMAC",
  usages: { secret: ["sign", "verify"] },
  importKey(format, data, { hash }) {
    return hmacKey(importSecret(format, data, hmacJwkName(hashName(hash))), hashName(hash));
  },
  exportKey: (format, key, secret) => exportSecret(format, secret, hmacJwkName(key.algorithm.hash.name)),
  generateKey({ hash, length }) {
    const name = hashName(hash);
    return hmacKey(randomBytes(length === undefined ? HASHES[name] : length >> 3), name);
  },
  keyLength: ({ hash, length }) => length ?? HASHES[hashName(hash)] * 8,
  sign: (_, key, secret, data) => op_hmac(key.algorithm.hash.name, secret, data),
  verify: (_, key, secret, signature, data) => op_same_bytes(op_hmac(key.algorithm.hash.name, secret, data), signature),
};

const aesJwkName = (secret) => `A${secret.length * 8}GCM`;

function aesKey(secret) {
  const length = secret.length * 8;
  if (![128, 192, 256].includes(length)) throw dataError("A key of AES has 128 or 256 bits");
  if (length === 192) throw notSupported("AES with 192 bits is not available; take 128 or 256");
  return { type: "secret", material: secret, algorithm: { name: "AES-GCM", length } };
}

function aesOptions({ iv, additionalData, tagLength = 128 }) {
  const nonce = bytesOf(iv, "The iv");
  if (nonce.length !== 12) throw notSupported("AES-GCM takes an iv of 12 bytes here, the one that is meant for it");
  if (tagLength !== 128) throw notSupported("AES-GCM takes a tagLength of 128 here");
  return [nonce, additionalData === undefined ? new Uint8Array(0) : bytesOf(additionalData, "The additionalData")];
}

const AES_GCM = {
  name: "AES-GCM",
  usages: { secret: ["encrypt", "decrypt", "wrapKey", "unwrapKey"] },
  importKey: (format, data) => aesKey(importSecret(format, data, aesJwkName)),
  exportKey: (format, key, secret) => exportSecret(format, secret, aesJwkName),
  generateKey({ length }) {
    if (![128, 192, 256].includes(length)) throw new DOMException("AES has keys of 128 or 256 bits", "OperationError");
    return aesKey(randomBytes(length >> 3));
  },
  keyLength: ({ length }) => length,
  encrypt: (algorithm, key, secret, data) => op_aes_gcm_seal(secret, ...aesOptions(algorithm), data),
  decrypt(algorithm, key, secret, data) {
    const plain = op_aes_gcm_open(secret, ...aesOptions(algorithm), data);
    if (plain === null) throw new DOMException("The data was not encrypted with this key, iv and additionalData", "OperationError");
    return plain;
  },
};

// Keys that others are derived from.
function derivation(name, derive) {
  return {
    name,
    usages: { secret: ["deriveKey", "deriveBits"] },
    importKey(format, data, _, extractable) {
      if (format !== "raw") throw notSupported(`A key of ${name} has the format "raw"`);
      if (extractable) throw new DOMException(`A key of ${name} can't be extractable`, "SyntaxError");
      return { type: "secret", material: bytesOf(data, "The key").slice(), algorithm: { name } };
    },
    keyLength: () => null,
    deriveBits(algorithm, key, secret, length) {
      if (length === null || length === undefined || length % 8 !== 0) {
        throw new DOMException("The length must be a number of bits that makes whole bytes", "OperationError");
      }
      const derived = length === 0 ? new Uint8Array(0) : derive(algorithm, secret, length / 8);
      if (derived === null) throw new DOMException("The hash can't give that many bits", "OperationError");
      return derived;
    },
  };
}

const HKDF = derivation("HKDF", ({ hash, salt, info }, secret, length) =>
  op_hkdf(hashName(hash), secret, bytesOf(salt, "The salt"), bytesOf(info, "The info"), length));

const PBKDF2 = derivation("PBKDF2", ({ hash, salt, iterations }, secret, length) => {
  if (!(iterations > 0)) throw new DOMException("There must be an iteration", "OperationError");
  return op_pbkdf2(hashName(hash), secret, bytesOf(salt, "The salt"), iterations, length);
});

return { AES_GCM, HKDF, HMAC, PBKDF2, bytesOf, hashName, notSupported };
})();

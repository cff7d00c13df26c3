// What the algorithms of Web Crypto are given, converted as Web IDL has it.
(function () {
const { core } = __bootstrap;
const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
const { slotsOf } = core.loadExtScript("ext:vitrine/web/crypto_key.js");
const { converters } = webidl;

// Bytes of a block of each hash: the length of an HMAC key that names none.
const HASHES = { __proto__: null, "SHA-1": 64, "SHA-256": 64, "SHA-384": 128, "SHA-512": 128 };

const PREFIX = "SubtleCrypto";

function failure(name, message) {
  return new DOMException(message, name);
}

function notSupported(message) {
  return failure("NotSupportedError", message);
}

function bytesOf(data) {
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
}

const range = { enforceRange: true };
const member = (key, convert, required = true) => ({ key, converter: convert, required });
const bytes = (value, prefix, context) => bytesOf(converters.BufferSource(value, prefix, context));
const octet = (value, prefix, context) => converters.octet(value, prefix, context, range);
const short = (value, prefix, context) => converters["unsigned short"](value, prefix, context, range);
const long = (value, prefix, context) => converters["unsigned long"](value, prefix, context, range);

function bigInteger(value, prefix, context) {
  if (Object.prototype.toString.call(value) !== "[object Uint8Array]" || !ArrayBuffer.isView(value)) {
    throw new TypeError(`${prefix}: ${context} is not a Uint8Array`);
  }
  return value.slice();
}

function publicKey(value, prefix, context) {
  slotsOf(value, `${prefix}: ${context}`);
  return value;
}

const name = member("name", converters.DOMString);
const algorithmName = webidl.createDictionaryConverter("Algorithm", [name]);

// The name in an algorithm that is given as an object or by its name alone.
function nameOf(algorithm) {
  if (algorithm !== null && (typeof algorithm === "object" || typeof algorithm === "function")) {
    return algorithmName(algorithm, PREFIX, "The algorithm").name;
  }
  return converters.DOMString(algorithm, PREFIX, "The algorithm");
}

// The name of a hash as the standard writes it.
function hashName(algorithm) {
  const given = nameOf(algorithm);
  const hash = given.toUpperCase();
  if (HASHES[hash] === undefined) {
    throw notSupported(`The hash "${given}" is not available; available are ${Object.keys(HASHES).join(", ")}`);
  }
  return hash;
}

function parameters(title, ...members) {
  return webidl.createDictionaryConverter(title, [name], members);
}

const hash = member("hash", hashName);
const namedCurve = member("namedCurve", converters.DOMString);

return {
  HASHES, PREFIX, bytesOf, failure, hashName, nameOf, notSupported,
  none: null,
  aesCbc: parameters("AesCbcParams", member("iv", bytes)),
  aesCtr: parameters("AesCtrParams", member("counter", bytes), member("length", octet)),
  aesGcm: parameters("AesGcmParams", member("iv", bytes), member("additionalData", bytes, false), member("tagLength", octet, false)),
  aesKey: parameters("AesKeyGenParams", member("length", short)),
  ecKey: parameters("EcKeyParams", namedCurve),
  ecdh: parameters("EcdhKeyDeriveParams", member("public", publicKey)),
  ecdsa: parameters("EcdsaParams", hash),
  hkdf: parameters("HkdfParams", hash, member("info", bytes), member("salt", bytes)),
  hmacKey: parameters("HmacKeyParams", hash, member("length", long, false)),
  pbkdf2: parameters("Pbkdf2Params", hash, member("iterations", long), member("salt", bytes)),
  rsaHashed: parameters("RsaHashedImportParams", hash),
  rsaKey: parameters("RsaHashedKeyGenParams", hash, member("modulusLength", long), member("publicExponent", bigInteger)),
  rsaOaep: parameters("RsaOaepParams", member("label", bytes, false)),
  rsaPss: parameters("RsaPssParams", member("saltLength", long)),
};
})();

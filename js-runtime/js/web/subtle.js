// SubtleCrypto: checks what each call is given and hands it to the algorithm, in the order of the standard.
(function () {
const { core } = __bootstrap;
const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const { makeKey, slotsOf } = core.loadExtScript("ext:vitrine/web/crypto_key.js");
const { PREFIX, bytesOf, failure, hashName, nameOf, notSupported } = core.loadExtScript("ext:vitrine/web/subtle/parameters.js");
const { dataError, jsonWebKey } = core.loadExtScript("ext:vitrine/web/subtle/jwk.js");
const { needUsage, usagesOf } = core.loadExtScript("ext:vitrine/web/subtle/usages.js");
const secrets = core.loadExtScript("ext:vitrine/web/subtle/secrets.js");
const rsa = core.loadExtScript("ext:vitrine/web/subtle/rsa.js");
const elliptic = core.loadExtScript("ext:vitrine/web/subtle/elliptic.js");
const { digestOf } = core.loadExtScript("ext:vitrine/web/crypto_steps.js");
const { converters } = webidl;

const ALGORITHMS = { __proto__: null };
for (const algorithm of [
  secrets.AES_CBC, secrets.AES_CTR, secrets.AES_GCM, secrets.AES_KW, secrets.HKDF, secrets.HMAC, secrets.PBKDF2,
  rsa.RSA_OAEP, rsa.RSA_PKCS1, rsa.RSA_PSS, elliptic.ECDH, elliptic.ECDSA, elliptic.ED25519, elliptic.X25519,
]) {
  ALGORITHMS[algorithm.name.toUpperCase()] = algorithm;
}

const kInternal = { __proto__: null };
const format = webidl.createEnumConverter("KeyFormat", ["raw", "spki", "pkcs8", "jwk"]);
const formatOf = (value) => format(value, PREFIX, "The format");

// The algorithm that is named, if it does what is asked, and the parameters that it is given.
function find(given, operation) {
  const name = nameOf(given);
  const found = ALGORITHMS[name.toUpperCase()];
  const convert = found?.parameters[operation];
  if (convert === undefined) {
    const able = Object.values(ALGORITHMS).filter((other) => other.parameters[operation] !== undefined);
    const names = able.map((other) => other.name).join(", ");
    throw notSupported(`The algorithm "${name}" is not available for ${operation}; available are ${names}`);
  }
  if (convert === null) return { found, parameters: {} };
  return { found, parameters: convert(typeof given === "string" ? { name } : given, PREFIX, "The algorithm") };
}

// As `find`, by the first of the operations that the algorithm has.
function findEither(given, operation, other) {
  const has = ALGORITHMS[nameOf(given).toUpperCase()]?.parameters[operation] !== undefined;
  const does = has ? operation : other;
  return { ...find(given, does), does };
}

function dataOf(value, what = "The data") {
  return bytesOf(converters.BufferSource(value, PREFIX, what));
}

// Throws unless the key is for the algorithm and may be used so.
function checkKey({ algorithm, usages }, found, usage) {
  if (algorithm.name !== found.name) throw failure("InvalidAccessError", `The key is for ${algorithm.name}, not ${found.name}`);
  if (!usages.includes(usage)) throw failure("InvalidAccessError", `The key must not be used to ${usage}`);
}

function imported({ found, parameters }, keyFormat, data, extractable, usages) {
  const slots = found.importKey(keyFormat, data, parameters, extractable, usages);
  if (slots.type !== "public") needUsage(usages);
  return makeKey({ ...slots, extractable, usages });
}

function exported(keyFormat, slots) {
  const found = ALGORITHMS[slots.algorithm.name.toUpperCase()];
  if (found.exportKey === undefined) throw notSupported(`A key of ${found.name} can't be exported`);
  if (!slots.extractable) throw failure("InvalidAccessError", "The key is not extractable");
  const key = found.exportKey(keyFormat, slots);
  return keyFormat === "jwk" ? { ...key, key_ops: [...slots.usages], ext: slots.extractable } : key;
}

function parsedJwk(bytes) {
  let jwk;
  try {
    jwk = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw dataError("The unwrapped key is no JSON");
  }
  if (jwk === null || typeof jwk !== "object") throw dataError("The unwrapped key is no JWK");
  jwk = jsonWebKey(jwk);
  if (jwk.kty === undefined) throw dataError('The unwrapped JWK has no "kty"');
  return jwk;
}

function lengthOf(value) {
  return value === null || value === undefined ? null : converters["unsigned long"](value, PREFIX, "The length");
}

class SubtleCrypto {
  constructor(token) {
    if (token !== kInternal) throw new TypeError("Illegal constructor");
  }

  async digest(algorithm, data) {
    need(this, arguments, 2, "digest");
    const bytes = dataOf(data);
    return digestOf(hashName(algorithm), bytes).buffer;
  }

  async importKey(keyFormat, keyData, algorithm, extractable, usages) {
    need(this, arguments, 5, "importKey");
    const into = formatOf(keyFormat);
    const isBytes = ArrayBuffer.isView(keyData) || core.isAnyArrayBuffer(keyData);
    const data = isBytes ? dataOf(keyData, "The key") : jsonWebKey(keyData);
    const list = usagesOf(usages);
    const target = find(algorithm, "importKey");
    if (isBytes === (into === "jwk")) throw new TypeError(into === "jwk" ? "The key must be a JWK" : "The key must be an ArrayBuffer or a view of one");
    return imported(target, into, data, Boolean(extractable), list);
  }

  async generateKey(algorithm, extractable, usages) {
    need(this, arguments, 3, "generateKey");
    const list = usagesOf(usages);
    const { found, parameters } = find(algorithm, "generateKey");
    const made = found.generateKey(parameters, list);
    if (made.type !== undefined) return makeKey({ ...made, extractable: Boolean(extractable), usages: list });
    return {
      publicKey: makeKey({ ...made.publicKey, extractable: true }),
      privateKey: makeKey({ ...made.privateKey, extractable: Boolean(extractable) }),
    };
  }

  async exportKey(keyFormat, key) {
    need(this, arguments, 2, "exportKey");
    const into = formatOf(keyFormat);
    const made = exported(into, slotsOf(key));
    return into === "jwk" ? made : made.buffer;
  }

  async encrypt(algorithm, key, data) {
    need(this, arguments, 3, "encrypt");
    return crypt("encrypt", algorithm, key, data);
  }

  async decrypt(algorithm, key, data) {
    need(this, arguments, 3, "decrypt");
    return crypt("decrypt", algorithm, key, data);
  }

  async sign(algorithm, key, data) {
    need(this, arguments, 3, "sign");
    return crypt("sign", algorithm, key, data);
  }

  async verify(algorithm, key, signature, data) {
    need(this, arguments, 4, "verify");
    const slots = slotsOf(key);
    const signed = dataOf(signature, "The signature");
    const bytes = dataOf(data);
    const { found, parameters } = find(algorithm, "verify");
    checkKey(slots, found, "verify");
    return found.verify(parameters, slots, signed, bytes);
  }

  async deriveBits(algorithm, key, length = null) {
    need(this, arguments, 2, "deriveBits");
    const slots = slotsOf(key);
    const bits = lengthOf(length);
    const { found, parameters } = find(algorithm, "deriveBits");
    checkKey(slots, found, "deriveBits");
    return found.deriveBits(parameters, slots, bits).buffer;
  }

  async deriveKey(algorithm, key, derivedAlgorithm, extractable, usages) {
    need(this, arguments, 5, "deriveKey");
    const slots = slotsOf(key);
    const list = usagesOf(usages);
    const { found, parameters } = find(algorithm, "deriveBits");
    const target = find(derivedAlgorithm, "importKey");
    const length = find(derivedAlgorithm, "get key length");
    checkKey(slots, found, "deriveKey");
    const bits = found.deriveBits(parameters, slots, length.found.keyLength(length.parameters));
    return imported(target, "raw", bits, Boolean(extractable), list);
  }

  async wrapKey(keyFormat, key, wrappingKey, algorithm) {
    need(this, arguments, 4, "wrapKey");
    const into = formatOf(keyFormat);
    const [slots, wrapping] = [slotsOf(key), slotsOf(wrappingKey, "The wrapping key")];
    const { found, parameters, does } = findEither(algorithm, "wrapKey", "encrypt");
    checkKey(wrapping, found, "wrapKey");
    const made = exported(into, slots);
    return found[does](parameters, wrapping, into === "jwk" ? new TextEncoder().encode(JSON.stringify(made)) : made).buffer;
  }

  async unwrapKey(keyFormat, wrapped, unwrappingKey, algorithm, keyAlgorithm, extractable, usages) {
    need(this, arguments, 7, "unwrapKey");
    const from = formatOf(keyFormat);
    const bytes = dataOf(wrapped, "The wrapped key");
    const unwrapping = slotsOf(unwrappingKey, "The unwrapping key");
    const list = usagesOf(usages);
    const { found, parameters, does } = findEither(algorithm, "unwrapKey", "decrypt");
    const target = find(keyAlgorithm, "importKey");
    checkKey(unwrapping, found, "unwrapKey");
    const key = found[does](parameters, unwrapping, bytes);
    return imported(target, from, from === "jwk" ? parsedJwk(key) : key, Boolean(extractable), list);
  }
}

function need(self, given, count, name) {
  if (!(self instanceof SubtleCrypto)) throw new TypeError(`${name} is a method of SubtleCrypto`);
  webidl.requiredArguments(given.length, count, `${PREFIX}.${name}`);
}

// What encrypts, decrypts or signs.
function crypt(operation, algorithm, key, data) {
  const slots = slotsOf(key);
  const bytes = dataOf(data);
  const { found, parameters } = find(algorithm, operation);
  checkKey(slots, found, operation);
  return found[operation](parameters, slots, bytes).buffer;
}

webidl.configureInterface(SubtleCrypto);
Object.defineProperty(SubtleCrypto, "length", { __proto__: null, value: 0 });
Object.defineProperty(SubtleCrypto.prototype.deriveBits, "length", { __proto__: null, value: 2 });

// No clone is made of it.
Object.defineProperty(SubtleCrypto.prototype, core.hostObjectBrand, { __proto__: null, value: "SubtleCrypto" });

return { SubtleCrypto, subtle: new SubtleCrypto(kInternal) };
})();

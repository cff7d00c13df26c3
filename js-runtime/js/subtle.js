// SubtleCrypto: checks what each call is given and hands it to the algorithm.
(function () {
const { core } = __bootstrap;
const { op_digest } = core.ops;
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
const { makeKey, materialOf, mayBeUsed } = core.loadExtScript("ext:vitrine/crypto_key.js");
const { AES_GCM, HKDF, HMAC, PBKDF2, bytesOf, hashName, notSupported } = core.loadExtScript("ext:vitrine/subtle_secrets.js");
const { ECDSA, ED25519, RSA_PKCS1, RSA_PSS } = core.loadExtScript("ext:vitrine/subtle_pairs.js");

const ALGORITHMS = { __proto__: null };
for (const algorithm of [AES_GCM, ECDSA, ED25519, HKDF, HMAC, PBKDF2, RSA_PKCS1, RSA_PSS]) {
  Object.assign(ALGORITHMS, { [algorithm.name.toUpperCase()]: algorithm });
}

const USAGES = ["encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey"];
const kInternal = { __proto__: null };

// The algorithm that is named, if it does what is asked, and the parameters it is given.
function find(algorithm, operation) {
  const name = String(algorithm?.name ?? algorithm);
  const found = ALGORITHMS[name.toUpperCase()];
  if (found?.[operation] === undefined) {
    const able = Object.values(ALGORITHMS).filter((other) => other[operation] !== undefined).map((other) => other.name);
    throw notSupported(`The algorithm "${name}" is not available for ${operation}; available are ${able.join(", ")}`);
  }
  return [found, typeof algorithm === "object" && algorithm !== null ? algorithm : {}];
}

// The algorithm that is named, and what is inside of a key that may be used so with it.
function use(algorithm, operation, key, usage = operation) {
  const [found, parameters] = find(algorithm, operation);
  const material = materialOf(key);
  if (key.algorithm.name !== found.name) throw new DOMException(`The key is for ${key.algorithm.name}, not ${found.name}`, "InvalidAccessError");
  if (!mayBeUsed(key, usage)) throw new DOMException(`The key must not be used to ${usage}`, "InvalidAccessError");
  return [found, parameters, material];
}

function checkedUsages(usages) {
  const list = [...usages];
  const unknown = list.find((usage) => !USAGES.includes(usage));
  if (unknown !== undefined) throw new TypeError(`"${unknown}" is no usage of a key`);
  return [...new Set(list)];
}

// A key of its own; each of its usages must fit.
function keyOf(found, made, extractable, usages) {
  const wrong = usages.find((usage) => !found.usages[made.type].includes(usage));
  if (wrong !== undefined) throw new DOMException(`A ${made.type} key of ${found.name} can't ${wrong}`, "SyntaxError");
  return partOf(found, made, extractable, usages);
}

// One key of a pair: it gets those of the usages that fit.
function partOf(found, { type, algorithm, material }, extractable, usages) {
  const kept = usages.filter((usage) => found.usages[type].includes(usage));
  if (kept.length === 0 && type !== "public") throw new DOMException(`A ${type} key needs a usage`, "SyntaxError");
  return makeKey(type, algorithm, Boolean(extractable), kept, material);
}

class SubtleCrypto {
  constructor(token) {
    if (token !== kInternal) throw new TypeError("Illegal constructor");
  }

  async digest(algorithm, data) {
    return op_digest(hashName(algorithm), bytesOf(data, "The data")).buffer;
  }

  async importKey(format, data, algorithm, extractable, usages) {
    const [found, parameters] = find(algorithm, "importKey");
    const made = found.importKey(format, data, parameters, Boolean(extractable));
    if (format === "jwk" && data.ext === false && extractable) throw new DOMException("The JWK says that it can't be extractable", "DataError");
    return keyOf(found, made, extractable, checkedUsages(usages));
  }

  async generateKey(algorithm, extractable, usages) {
    const [found, parameters] = find(algorithm, "generateKey");
    const list = checkedUsages(usages);
    const made = found.generateKey(parameters);
    if (made.type !== undefined) return keyOf(found, made, extractable, list);
    const known = [...found.usages.public, ...found.usages.private];
    const wrong = list.find((usage) => !known.includes(usage));
    if (wrong !== undefined) throw new DOMException(`A key of ${found.name} can't ${wrong}`, "SyntaxError");
    return { publicKey: partOf(found, made.publicKey, true, list), privateKey: partOf(found, made.privateKey, extractable, list) };
  }

  async exportKey(format, key) {
    const material = materialOf(key);
    const [found] = find(key.algorithm, "exportKey");
    if (!key.extractable) throw new DOMException("The key is not extractable", "InvalidAccessError");
    const exported = found.exportKey(format, key, material);
    return format === "jwk" ? { ...exported, key_ops: [...key.usages], ext: true } : exported;
  }

  async encrypt(algorithm, key, data) {
    const [found, parameters, material] = use(algorithm, "encrypt", key);
    return found.encrypt(parameters, key, material, bytesOf(data, "The data")).buffer;
  }

  async decrypt(algorithm, key, data) {
    const [found, parameters, material] = use(algorithm, "decrypt", key);
    return found.decrypt(parameters, key, material, bytesOf(data, "The data")).buffer;
  }

  async sign(algorithm, key, data) {
    const [found, parameters, material] = use(algorithm, "sign", key);
    return found.sign(parameters, key, material, bytesOf(data, "The data")).buffer;
  }

  async verify(algorithm, key, signature, data) {
    const [found, parameters, material] = use(algorithm, "verify", key);
    return found.verify(parameters, key, material, bytesOf(signature, "The signature"), bytesOf(data, "The data"));
  }

  async deriveBits(algorithm, key, length = null) {
    const [found, parameters, material] = use(algorithm, "deriveBits", key);
    return found.deriveBits(parameters, key, material, length).buffer;
  }

  async deriveKey(algorithm, key, derivedAlgorithm, extractable, usages) {
    const [found, parameters, material] = use(algorithm, "deriveBits", key, "deriveKey");
    const [target, targetParameters] = find(derivedAlgorithm, "keyLength");
    const bits = found.deriveBits(parameters, key, material, target.keyLength(targetParameters));
    return keyOf(target, target.importKey("raw", bits, targetParameters, false), extractable, checkedUsages(usages));
  }

  async wrapKey(format, key, wrappingKey, algorithm) {
    const [found, parameters, material] = use(algorithm, "encrypt", wrappingKey, "wrapKey");
    const exported = await this.exportKey(format, key);
    const bytes = format === "jwk" ? new TextEncoder().encode(JSON.stringify(exported)) : new Uint8Array(exported);
    return found.encrypt(parameters, wrappingKey, material, bytes).buffer;
  }

  async unwrapKey(format, wrapped, unwrappingKey, algorithm, keyAlgorithm, extractable, usages) {
    const [found, parameters, material] = use(algorithm, "decrypt", unwrappingKey, "unwrapKey");
    const bytes = found.decrypt(parameters, unwrappingKey, material, bytesOf(wrapped, "The wrapped key"));
    const data = format === "jwk" ? JSON.parse(new TextDecoder().decode(bytes)) : bytes;
    return this.importKey(format, data, keyAlgorithm, extractable, usages);
  }

  get [Symbol.toStringTag]() {
    return "SubtleCrypto";
  }
}

return { SubtleCrypto, subtle: new SubtleCrypto(kInternal) };
})();

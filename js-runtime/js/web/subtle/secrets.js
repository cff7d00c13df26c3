// Keys that are secret bytes: AES, HMAC, and those that others are derived from.
(function () {
const { core } = __bootstrap;
const { op_aes_wrap, op_hkdf, op_same_bytes } = core.ops;
const parameters = core.loadExtScript("ext:vitrine/web/subtle/parameters.js");
const { HASHES, failure, notSupported } = parameters;
const { bytesOfMember, checkAlg, checkJwk, dataError, toBase64Url } = core.loadExtScript("ext:vitrine/web/subtle/jwk.js");
const { checkUsages, needUsage } = core.loadExtScript("ext:vitrine/web/subtle/usages.js");
const { NOTHING, crypt, cipher, cryptWhole, hmacOf, openGcm, pbkdf2, randomBytes, sealGcm } = core.loadExtScript("ext:vitrine/web/crypto_steps.js");

// Lengths of the tags of AES-GCM, in bits.
const TAG_BITS = [32, 64, 96, 104, 112, 120, 128];

function operationError(message) {
  return failure("OperationError", message);
}

function formatError(name, format) {
  return notSupported(`A key of ${name} has no format "${format}"`);
}

// The bytes of a secret key that is imported. `check` looks at the rest of a JWK.
function importSecret(name, format, data, check) {
  if (format === "raw") return data.slice();
  if (format !== "jwk") throw formatError(name, format);
  check(data, "oct");
  return bytesOfMember(data, "k");
}

function exportSecret(name, format, material, alg) {
  if (format === "raw") return material.slice();
  if (format !== "jwk") throw formatError(name, format);
  return { kty: "oct", k: toBase64Url(material), alg };
}

function checkAesLength(length) {
  if (![128, 192, 256].includes(length)) throw operationError("A key of AES has 128, 192 or 256 bits");
}

function aes(mode, allowed, { parameters: more, ...operations }) {
  const name = `AES-${mode}`;
  const alg = (material) => `A${material.length * 8}${mode}`;
  const slots = (material) => ({ type: "secret", algorithm: { name, length: material.length * 8 }, material });
  return {
    name,
    parameters: {
      importKey: parameters.none, exportKey: parameters.none, generateKey: parameters.aesKey, "get key length": parameters.aesKey, ...more,
    },
    importKey(format, data, _, extractable, usages) {
      checkUsages(usages, allowed, `A key of ${name}`);
      const material = importSecret(name, format, data, (jwk, kty) => checkJwk(jwk, kty, "enc", usages, extractable));
      if (![16, 24, 32].includes(material.length)) throw dataError("A key of AES has 128, 192 or 256 bits");
      if (format === "jwk") checkAlg(data, alg(material));
      return slots(material);
    },
    exportKey: (format, { material }) => exportSecret(name, format, material, alg(material)),
    generateKey({ length }, usages) {
      checkUsages(usages, allowed, `A key of ${name}`);
      checkAesLength(length);
      needUsage(usages);
      return slots(randomBytes(length / 8));
    },
    keyLength({ length }) {
      checkAesLength(length);
      return length;
    },
    ...operations,
  };
}

const CRYPTS = ["encrypt", "decrypt", "wrapKey", "unwrapKey"];

function ivOf16Bytes(iv, what) {
  if (iv.length !== 16) throw operationError(`${what} must have 16 bytes`);
  return iv;
}

const AES_CBC = aes("CBC", CRYPTS, {
  parameters: { encrypt: parameters.aesCbc, decrypt: parameters.aesCbc },
  encrypt: ({ iv }, { material }, data) => cryptWhole("CBC", true, material, ivOf16Bytes(iv, "The iv of AES-CBC"), data),
  decrypt({ iv }, { material }, data) {
    const plain = cryptWhole("CBC", false, material, ivOf16Bytes(iv, "The iv of AES-CBC"), data);
    if (plain === null) throw operationError("The data was not encrypted with this key and iv");
    return plain;
  },
});

// The counter is the last `length` bits of its block, and starts over when it is at its end.
function aesCtr({ counter, length }, { material }, data) {
  ivOf16Bytes(counter, "The counter of AES-CTR");
  if (length < 1 || length > 128) throw operationError("The counter of AES-CTR has 1 to 128 bits");
  const number = BigInt(`0x${Array.from(counter, (byte) => byte.toString(16).padStart(2, "0")).join("")}`);
  const limit = 1n << BigInt(length);
  if (BigInt(Math.ceil(data.length / 16)) > limit) throw operationError("The data is too long for a counter of that length");
  const output = new Uint8Array(data.length);
  // V8 has no buffer of 2^53 bytes.
  const blocks = limit - (number % limit);
  const before = blocks * 16n < BigInt(data.length) ? Number(blocks) * 16 : data.length;
  crypt(cipher("CTR", true, material, counter), data.subarray(0, before), output, 0);
  if (before < data.length) {
    const digits = (number - (number % limit)).toString(16).padStart(32, "0");
    const start = Uint8Array.from(digits.match(/../g), (pair) => Number.parseInt(pair, 16));
    crypt(cipher("CTR", true, material, start), data.subarray(before), output, before);
  }
  return output;
}

const AES_CTR = aes("CTR", CRYPTS, {
  parameters: { encrypt: parameters.aesCtr, decrypt: parameters.aesCtr }, encrypt: aesCtr, decrypt: aesCtr,
});

function gcmTagBytes({ iv, tagLength = 128 }) {
  if (iv.length === 0) throw operationError("The iv of AES-GCM must not be empty");
  if (!TAG_BITS.includes(tagLength)) throw operationError(`The tagLength of AES-GCM must be one of ${TAG_BITS.join(", ")}`);
  return tagLength / 8;
}

const AES_GCM = aes("GCM", CRYPTS, {
  parameters: { encrypt: parameters.aesGcm, decrypt: parameters.aesGcm },
  encrypt: (given, { material }, data) => sealGcm(material, given.iv, given.additionalData ?? NOTHING, data, gcmTagBytes(given)),
  decrypt(given, { material }, data) {
    const plain = openGcm(material, given.iv, given.additionalData ?? NOTHING, data, gcmTagBytes(given));
    if (plain === null) throw operationError("The data was not encrypted with this key, iv and additionalData");
    return plain;
  },
});

const AES_KW = aes("KW", ["wrapKey", "unwrapKey"], {
  parameters: { wrapKey: parameters.none, unwrapKey: parameters.none },
  wrapKey(_, { material }, data) {
    const wrapped = op_aes_wrap(true, material, data);
    if (wrapped === null) throw operationError("AES-KW wraps keys of 16 bytes and more, in steps of 8, up to 64 KiB");
    return wrapped;
  },
  unwrapKey(_, { material }, data) {
    const key = op_aes_wrap(false, material, data);
    if (key === null) throw operationError("The key was not wrapped with this one");
    return key;
  },
});

const MACS = ["sign", "verify"];
const hmacAlg = (hash) => `HS${hash.slice("SHA-".length)}`;

function hmacSlots(hash, length, material) {
  // Bits beyond the length are none of the key.
  if (length % 8 !== 0) material[material.length - 1] &= 0xff << (8 - (length % 8));
  return { type: "secret", algorithm: { name: "HMAC", hash, length }, material };
}

const HMAC = {
  name: "HMAC",
  parameters: {
    importKey: parameters.hmacKey, exportKey: parameters.none, generateKey: parameters.hmacKey, "get key length": parameters.hmacKey,
    sign: parameters.none, verify: parameters.none,
  },
  importKey(format, data, { hash, length }, extractable, usages) {
    checkUsages(usages, MACS, "A key of HMAC");
    const material = importSecret("HMAC", format, data, (jwk, kty) => {
      checkAlg(jwk, hmacAlg(hash));
      checkJwk(jwk, kty, "sig", usages, extractable);
    });
    const bits = material.length * 8;
    if (bits === 0) throw dataError("A key of HMAC must not be empty");
    if (length !== undefined && (length > bits || length <= bits - 8)) throw dataError(`The key has ${bits} bits, not ${length}`);
    return hmacSlots(hash, length ?? bits, material);
  },
  exportKey: (format, { algorithm, material }) => exportSecret("HMAC", format, material, hmacAlg(algorithm.hash)),
  generateKey({ hash, length = HASHES[hash] * 8 }, usages) {
    checkUsages(usages, MACS, "A key of HMAC");
    if (length === 0) throw operationError("A key of HMAC must not be empty");
    needUsage(usages);
    return hmacSlots(hash, length, randomBytes(Math.ceil(length / 8)));
  },
  keyLength({ hash, length = HASHES[hash] * 8 }) {
    if (length === 0) throw new TypeError("The length of a key of HMAC must not be 0");
    return length;
  },
  sign: (_, { algorithm, material }, data) => hmacOf(algorithm.hash, material, data),
  verify: (_, { algorithm, material }, signature, data) => op_same_bytes(hmacOf(algorithm.hash, material, data), signature),
};

// Keys that others are derived from.
function derivation(name, converter, derive) {
  return {
    name,
    parameters: { importKey: parameters.none, deriveBits: converter, "get key length": parameters.none },
    importKey(format, data, _, extractable, usages) {
      if (format !== "raw") throw formatError(name, format);
      checkUsages(usages, ["deriveKey", "deriveBits"], `A key of ${name}`);
      if (extractable) throw failure("SyntaxError", `A key of ${name} can't be extractable`);
      return { type: "secret", algorithm: { name }, material: data.slice() };
    },
    keyLength: () => null,
    deriveBits(given, { material }, length) {
      if (length === null || length % 8 !== 0) throw operationError("The length must be a number of bits that makes whole bytes");
      return derive(given, material, length / 8);
    },
  };
}

function derived(derive) {
  try {
    return derive();
  } catch (error) {
    throw error instanceof RangeError ? operationError(error.message) : error;
  }
}

const HKDF = derivation("HKDF", parameters.hkdf, ({ hash, salt, info }, secret, length) => {
  const bytes = derived(() => op_hkdf(hash, secret, salt, info, length));
  if (bytes === null) throw operationError(`HKDF with ${hash} can't give that many bits`);
  return bytes;
});

const PBKDF2 = derivation("PBKDF2", parameters.pbkdf2, ({ hash, salt, iterations }, secret, length) => {
  if (iterations === 0) throw operationError("PBKDF2 needs an iteration");
  return derived(() => pbkdf2(hash, secret, salt, iterations, length));
});

return { AES_CBC, AES_CTR, AES_GCM, AES_KW, HKDF, HMAC, PBKDF2, formatError, operationError };
})();

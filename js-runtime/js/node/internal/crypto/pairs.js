// Pairs of keys of node:crypto: how they are made, and how two of them agree on a secret.
(function () {
const { core } = __bootstrap;
const { op_ec_agree, op_ec_compressed, op_ec_generate, op_ec_private_key, op_ec_public_key, op_edwards_generate, op_x25519_agree } = core.ops;
const { generateRsa, randomBytes } = core.loadExtScript("ext:vitrine/web/crypto_steps.js");
const { notice } = core.loadExtScript("ext:vitrine/runtime/snapshot_guard.js");
const { nextTick } = core.loadExtScript("ext:vitrine/runtime/bridge.js");
const { KINDS, innerOf, make, makeSecret, publicOf } = core.loadExtScript("ext:vitrine/node/internal/crypto/key_object.js");
const { answer, bufferOf, bytesOf, checkFunction, checkInteger, checkString, encoded, errors, failure } =
  core.loadExtScript("ext:vitrine/node/internal/crypto/shared.js");

// Curves by all of their names.
const CURVES = { __proto__: null };
for (const kind of ["P-256", "P-384", "P-521"]) Object.assign(CURVES, { [kind]: kind, [KINDS[kind].curve]: kind });
CURVES.secp256r1 = "P-256";

function curveNamed(name) {
  checkString(name, "options.namedCurve");
  if (CURVES[name] === undefined) {
    throw Object.assign(new TypeError(`Invalid EC curve name: "${name}" is not available; available are ${getCurves().join(", ")}`), { code: "ERR_CRYPTO_INVALID_CURVE" });
  }
  return CURVES[name];
}

function getCurves() {
  return ["prime256v1", "secp384r1", "secp521r1"];
}

function exponentBytes(number) {
  checkInteger(number, "options.publicExponent", 0, 2 ** 32 - 1);
  return new Uint8Array([number >>> 24, number >>> 16, number >>> 8, number]);
}

function rsaOf(kind, { modulusLength, publicExponent = 65537 }) {
  checkInteger(modulusLength, "options.modulusLength", 0, 2 ** 32 - 1);
  const exponent = exponentBytes(publicExponent);
  return () => {
    const key = generateRsa(modulusLength, exponent);
    if (key === null) throw failure("A key of RSA that is made here has 1024 to 4096 bits, and an exponent that is odd, from 3 on", "ERR_OUT_OF_RANGE");
    return make("private", kind, key);
  };
}

function random(act) {
  return () => {
    notice("randomness");
    return act();
  };
}

// Checks the options, and gives what makes the private key.
function maker(type, options) {
  switch (type) {
    case "rsa":
    case "rsa-pss":
      return rsaOf(type, options ?? {});
    case "ec": {
      const kind = curveNamed(options?.namedCurve);
      return random(() => make("private", kind, op_ec_generate(kind)));
    }
    case "ed25519":
    case "x25519": {
      const kind = type === "ed25519" ? "Ed25519" : "X25519";
      return random(() => make("private", kind, op_edwards_generate(kind)));
    }
    default:
      checkString(type, "type");
      throw new errors.ERR_INVALID_ARG_VALUE("type", type, "is not available; available are rsa, rsa-pss, ec, ed25519, x25519");
  }
}

// Checks at once, and gives what makes the pair, each key as its encoding has it.
function preparePair(type, options) {
  const makePrivate = maker(type, options);
  return () => {
    const privateKey = makePrivate();
    const publicKey = publicOf(innerOf(privateKey));
    const { publicKeyEncoding, privateKeyEncoding } = options ?? {};
    return {
      publicKey: publicKeyEncoding === undefined ? publicKey : publicKey.export(publicKeyEncoding),
      privateKey: privateKeyEncoding === undefined ? privateKey : privateKey.export(privateKeyEncoding),
    };
  };
}

function generateKeyPairSync(type, options) {
  return preparePair(type, options)();
}

function generateKeyPair(type, options, callback) {
  if (typeof options === "function") [options, callback] = [undefined, options];
  checkFunction(callback, "callback");
  const act = preparePair(type, options);
  let pair;
  try {
    pair = act();
  } catch (error) {
    nextTick(callback, [error]);
    return;
  }
  nextTick(callback, [null, pair.publicKey, pair.privateKey]);
}
Object.defineProperty(generateKeyPair, Symbol.for("nodejs.util.promisify.custom"), {
  __proto__: null,
  value: async (type, options) => preparePair(type, options)(),
});

function prepareKey(type, { length } = {}) {
  if (type === "hmac") {
    checkInteger(length, "options.length", 8, 2 ** 31 - 1);
  } else if (type === "aes") {
    if (![128, 192, 256].includes(length)) throw new errors.ERR_INVALID_ARG_VALUE("options.length", length, "must be one of: 128, 192, 256");
  } else {
    throw new errors.ERR_INVALID_ARG_VALUE("type", type, "must be a supported key type");
  }
  return () => makeSecret(randomBytes(Math.floor(length / 8)));
}

function generateKeySync(type, options) {
  return prepareKey(type, options)();
}

function generateKey(type, options, callback) {
  checkFunction(callback, "callback");
  answer(callback, prepareKey(type, options));
}

function diffieHellman({ privateKey, publicKey }, callback = undefined) {
  const [secret, open] = [innerOf(privateKey), innerOf(publicKey)];
  if (secret?.type !== "private") throw new errors.ERR_INVALID_ARG_VALUE("options.privateKey", privateKey, "must be a private KeyObject");
  if (open === undefined || open.type === "secret") throw new errors.ERR_INVALID_ARG_VALUE("options.publicKey", publicKey, "must be a public KeyObject");
  const other = open.type === "private" ? innerOf(publicOf(open)) : open;
  const [mine, theirs] = [KINDS[secret.kind].type, KINDS[other.kind].type];
  if (mine === "ec" && theirs === "ec" && secret.kind !== other.kind) {
    throw failure("The two keys are of different curves", "ERR_OSSL_MISMATCHING_DOMAIN_PARAMETERS");
  }
  if (mine !== theirs || (mine !== "ec" && mine !== "x25519")) {
    throw new errors.ERR_CRYPTO_INCOMPATIBLE_KEY("key types for Diffie-Hellman", `${mine} and ${theirs}`);
  }
  const act = () => {
    const shared = secret.kind === "X25519" ? op_x25519_agree(secret.material, other.material) : op_ec_agree(secret.kind, secret.material, other.material);
    if (shared === null) throw failure("The two keys share no secret", "ERR_OSSL_FAILED_DURING_DERIVATION");
    return bufferOf(shared);
  };
  if (callback === undefined) return act();
  checkFunction(callback, "callback");
  answer(callback, act);
}

function pointIn(curve, point, format) {
  if (format === undefined || format === "uncompressed") return point;
  if (format === "compressed") return op_ec_compressed(curve, point);
  throw new errors.ERR_CRYPTO_ECDH_INVALID_FORMAT(format);
}

class ECDH {
  #curve;
  #private = null;

  constructor(curve) {
    this.#curve = curveNamed(curve);
  }

  static convertKey(key, curve, inputEncoding, outputEncoding, format) {
    const kind = curveNamed(curve);
    const point = op_ec_public_key(kind, bytesOf(key, "key", inputEncoding));
    if (point === null) throw failure("Failed to convert Buffer to EC_POINT", "ERR_CRYPTO_OPERATION_FAILED");
    return encoded(pointIn(kind, point, format), outputEncoding);
  }

  #secretBytes() {
    return KINDS[this.#curve].secretBytes;
  }

  #key() {
    if (this.#private === null) throw failure("Failed to get ECDH private key: there is none yet", "ERR_CRYPTO_OPERATION_FAILED");
    return this.#private;
  }

  generateKeys(encoding, format) {
    notice("randomness");
    this.#private = op_ec_generate(this.#curve);
    return this.getPublicKey(encoding, format);
  }

  getPublicKey(encoding, format) {
    return encoded(pointIn(this.#curve, this.#key().slice(this.#secretBytes()), format), encoding);
  }

  getPrivateKey(encoding) {
    return encoded(this.#key().slice(0, this.#secretBytes()), encoding);
  }

  setPrivateKey(key, encoding) {
    const made = op_ec_private_key(this.#curve, bytesOf(key, "key", encoding));
    if (made === null) throw failure("Private key is not valid for specified curve.", "ERR_CRYPTO_INVALID_KEYTYPE");
    this.#private = made;
  }

  computeSecret(otherPublicKey, inputEncoding, outputEncoding) {
    if (this.#private === null) throw failure("Invalid key pair: there is no private key yet", "ERR_CRYPTO_INVALID_KEYPAIR");
    const shared = op_ec_agree(this.#curve, this.#private, bytesOf(otherPublicKey, "otherPublicKey", inputEncoding));
    if (shared === null) throw new errors.ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY();
    return encoded(shared, outputEncoding);
  }
}

function createECDH(curve) {
  return new ECDH(curve);
}

return { ECDH, createECDH, diffieHellman, generateKey, generateKeyPair, generateKeyPairSync, generateKeySync, getCurves };
})();

// The algorithms on elliptic curves: ECDSA, ECDH, Ed25519, X25519.
(function () {
const { core } = __bootstrap;
const {
  op_ec_agree, op_ec_generate, op_ec_private_key, op_ec_public_key, op_ec_sign, op_ec_verify, op_ed25519_sign, op_ed25519_verify,
  op_edwards_generate, op_edwards_private_key, op_same_bytes, op_x25519_agree,
} = core.ops;
const parameters = core.loadExtScript("ext:vitrine/web/subtle/parameters.js");
const { failure, notSupported } = parameters;
const { slotsOf } = core.loadExtScript("ext:vitrine/web/crypto_key.js");
const { bytesOfMember, checkAlg, dataError, toBase64Url } = core.loadExtScript("ext:vitrine/web/subtle/jwk.js");
const { pair } = core.loadExtScript("ext:vitrine/web/subtle/pairs.js");
const { digestOf } = core.loadExtScript("ext:vitrine/web/crypto_steps.js");
const { operationError } = core.loadExtScript("ext:vitrine/web/subtle/secrets.js");
const { notice } = core.loadExtScript("ext:vitrine/runtime/snapshot_guard.js");

// Bytes of a coordinate of each curve, and the name of ECDSA with it in a JWK.
const CURVES = {
  __proto__: null,
  "P-256": { bytes: 32, alg: "ES256" },
  "P-384": { bytes: 48, alg: "ES384" },
  "P-521": { bytes: 66, alg: "ES512" },
};

function curveOf({ namedCurve }) {
  if (CURVES[namedCurve] === undefined) {
    throw notSupported(`The curve "${namedCurve}" is not available; available are ${Object.keys(CURVES).join(", ")}`);
  }
  return namedCurve;
}

// The key of a JWK; null if its numbers don't fit together.
function ecFromJwk(curve, jwk) {
  const { bytes } = CURVES[curve];
  if (jwk.crv !== curve) throw dataError(`The "crv" of the JWK must be "${curve}"`);
  const point = new Uint8Array([4, ...bytesOfMember(jwk, "x", bytes), ...bytesOfMember(jwk, "y", bytes)]);
  if (jwk.d === undefined) return op_ec_public_key(curve, point);
  const material = op_ec_private_key(curve, bytesOfMember(jwk, "d", bytes));
  return material !== null && op_same_bytes(material.subarray(bytes), point) ? material : null;
}

function ecToJwk(curve, isPrivate, material) {
  const { bytes } = CURVES[curve];
  const point = isPrivate ? material.subarray(bytes + 1) : material.subarray(1);
  const secret = isPrivate ? { d: toBase64Url(material.subarray(0, bytes)) } : {};
  return { kty: "EC", crv: curve, x: toBase64Url(point.subarray(0, bytes)), y: toBase64Url(point.subarray(bytes)), ...secret };
}

function ec(name, { checkJwk = () => {}, ...usages }) {
  return pair({
    name,
    kty: "EC",
    ...usages,
    kind: curveOf,
    describe: (given) => ({ name, namedCurve: curveOf(given) }),
    fromJwk(jwk, given) {
      checkJwk(jwk, curveOf(given));
      return ecFromJwk(curveOf(given), jwk);
    },
    toJwk: ({ type, algorithm, material }) => ecToJwk(algorithm.namedCurve, type === "private", material),
    fromRaw: (data, given) => (data.length === 0 ? null : op_ec_public_key(curveOf(given), data)),
    toRaw: ({ material }) => material.slice(),
    generate(given, check) {
      const curve = curveOf(given);
      check();
      notice("randomness");
      return op_ec_generate(curve);
    },
    publicOf: (given, material) => material.slice(CURVES[curveOf(given)].bytes),
  });
}

const ECDSA = {
  ...ec("ECDSA", { use: "sig", public: ["verify"], private: ["sign"], checkJwk: (jwk, curve) => checkAlg(jwk, CURVES[curve].alg) }),
  parameters: {
    importKey: parameters.ecKey, exportKey: parameters.none, generateKey: parameters.ecKey, sign: parameters.ecdsa, verify: parameters.ecdsa,
  },
  sign({ hash }, { algorithm, material }, data) {
    const signature = op_ec_sign(algorithm.namedCurve, material, digestOf(hash, data));
    if (signature === null) throw operationError("The key can't sign");
    return signature;
  },
  verify: ({ hash }, { algorithm, material }, signature, data) => op_ec_verify(algorithm.namedCurve, material, digestOf(hash, data), signature),
};

// How two keys agree on a secret. `agree` gives it, or null.
function agreement(agree) {
  return {
    parameters: { deriveBits: parameters.ecdh },
    deriveBits({ public: publicKey }, { type, algorithm, material }, length) {
      const other = slotsOf(publicKey);
      if (type !== "private") throw failure("InvalidAccessError", "The key must be a private one");
      if (other.type !== "public") throw failure("InvalidAccessError", 'The key in "public" must be a public one');
      if (other.algorithm.name !== algorithm.name || other.algorithm.namedCurve !== algorithm.namedCurve) {
        throw failure("InvalidAccessError", "The two keys must be of the same algorithm and curve");
      }
      const secret = agree(algorithm, material, other.material);
      if (secret === null) throw operationError("The two keys share no secret");
      if (length === null) return secret;
      if (length > secret.length * 8) throw operationError(`The keys share ${secret.length * 8} bits`);
      const bits = secret.slice(0, Math.ceil(length / 8));
      if (length % 8 !== 0) bits[bits.length - 1] &= 0xff << (8 - (length % 8));
      return bits;
    },
  };
}

const DERIVES = { use: "enc", public: [], private: ["deriveKey", "deriveBits"] };
const ecdhAgreement = agreement(({ namedCurve }, secret, point) => op_ec_agree(namedCurve, secret, point));
const ECDH = {
  ...ec("ECDH", DERIVES),
  ...ecdhAgreement,
  parameters: { importKey: parameters.ecKey, exportKey: parameters.none, generateKey: parameters.ecKey, ...ecdhAgreement.parameters },
};

// The key of a JWK; null if its parts don't fit together.
function edwardsFromJwk(kind, jwk) {
  if (jwk.crv !== kind) throw dataError(`The "crv" of the JWK must be "${kind}"`);
  const open = bytesOfMember(jwk, "x");
  if (jwk.d === undefined) return open.length === 32 ? open : null;
  const material = op_edwards_private_key(kind, bytesOfMember(jwk, "d"));
  return material !== null && op_same_bytes(material.subarray(32), open) ? material : null;
}

function edwardsToJwk(kind, isPrivate, material) {
  const secret = isPrivate ? { d: toBase64Url(material.subarray(0, 32)) } : {};
  return { kty: "OKP", crv: kind, x: toBase64Url(isPrivate ? material.subarray(32) : material), ...secret };
}

function edwards(name, usages, operations) {
  return {
    ...pair({
      name,
      kty: "OKP",
      ...usages,
      kind: () => name,
      describe: () => ({ name }),
      fromJwk(jwk) {
        if (name === "Ed25519") checkAlg(jwk, "EdDSA", "Ed25519");
        return edwardsFromJwk(name, jwk);
      },
      toJwk: ({ type, material }) => ({ ...edwardsToJwk(name, type === "private", material), ...(name === "Ed25519" ? { alg: "Ed25519" } : {}) }),
      fromRaw: (data) => (data.length === 32 ? data.slice() : null),
      toRaw: ({ material }) => material.slice(),
      generate(_, check) {
        check();
        notice("randomness");
        return op_edwards_generate(name);
      },
      publicOf: (_, material) => material.slice(32),
    }),
    ...operations,
    parameters: { importKey: parameters.none, exportKey: parameters.none, generateKey: parameters.none, ...operations.parameters },
  };
}

function bounded(act) {
  try {
    return act();
  } catch (error) {
    throw error instanceof RangeError ? operationError(error.message) : error;
  }
}

const ED25519 = edwards("Ed25519", { use: "sig", public: ["verify"], private: ["sign"] }, {
  parameters: { sign: parameters.none, verify: parameters.none },
  sign: (_, { material }, data) => bounded(() => op_ed25519_sign(material, data)),
  verify: (_, { material }, signature, data) => bounded(() => op_ed25519_verify(material, data, signature)),
});

const X25519 = edwards("X25519", DERIVES, agreement((_, secret, open) => op_x25519_agree(secret, open)));

return { ECDH, ECDSA, ED25519, X25519, ecFromJwk, ecToJwk, edwardsFromJwk, edwardsToJwk };
})();

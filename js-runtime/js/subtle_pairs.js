// The algorithms of Web Crypto that sign with one key and verify with another: ECDSA, Ed25519, RSASSA-PKCS1-v1_5, RSA-PSS.
(function () {
const { core } = __bootstrap;
const { op_generate_key, op_public_key, op_sign, op_verify } = core.ops;
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
const der = core.loadExtScript("ext:vitrine/der.js");
const { dataError, fromJwk, fromPkcs8, fromSpki, toJwk, toSpki } = core.loadExtScript("ext:vitrine/key_formats.js");
const { notice } = core.loadExtScript("ext:vitrine/module_scope.js");
const { bytesOf, hashName, notSupported } = core.loadExtScript("ext:vitrine/subtle_secrets.js");

// Each curve goes with one hash here.
const CURVE_HASHES = { __proto__: null, "P-256": "SHA-256", "P-384": "SHA-384" };

// What is common to all: how keys come in and go out. `shape` gives the scheme of an algorithm, `describe` what a key says of itself,
// `sure` the name of a scheme that `op_public_key` knows.
function pair({ name, shape, describe, sure }) {
  const made = (type, material, algorithm) => ({ type, material, algorithm: describe(algorithm, type, material) });
  const checked = (algorithm, material) => {
    if (op_public_key(sure(algorithm), material) === null) throw dataError(`The key is no private key of ${name} that can be used here`);
    return material;
  };
  const importers = {
    spki: (data, algorithm) => made("public", fromSpki(shape(algorithm), bytesOf(data, "The key")), algorithm),
    pkcs8: (data, algorithm) => made("private", checked(algorithm, fromPkcs8(shape(algorithm), bytesOf(data, "The key"))), algorithm),
    jwk(data, algorithm) {
      const { type, material } = fromJwk(shape(algorithm), data ?? {});
      return made(type, type === "private" ? checked(algorithm, material) : material, algorithm);
    },
    raw(data, algorithm) {
      if (shape(algorithm).kind === "rsa") throw notSupported("A key of RSA has no raw format");
      return made("public", bytesOf(data, "The key").slice(), algorithm);
    },
  };
  return {
    name,
    usages: { public: ["verify"], private: ["sign"] },
    importKey(format, data, algorithm) {
      if (!Object.hasOwn(importers, format)) throw notSupported(`The key format "${format}" is not available`);
      return importers[format](data, algorithm);
    },
    exportKey(format, key, material) {
      const scheme = shape(key.algorithm);
      if (format === "jwk") return toJwk(scheme, sure(key.algorithm), key.type, material);
      const needed = format === "pkcs8" ? "private" : "public";
      if (key.type !== needed) throw new DOMException(`A ${key.type} key can't be exported as "${format}"`, "InvalidAccessError");
      if (format === "pkcs8") return material.slice().buffer;
      if (format === "spki") return toSpki(scheme, material).buffer;
      if (format === "raw" && scheme.kind !== "rsa") return material.slice().buffer;
      throw notSupported(`The key format "${format}" is not available`);
    },
    generateKey(algorithm) {
      if (shape(algorithm).kind === "rsa") throw notSupported("Keys of RSA can't be generated here; import one, or take ECDSA or Ed25519");
      notice("randomness");
      const secret = op_generate_key(sure(algorithm));
      return { publicKey: made("public", op_public_key(sure(algorithm), secret), algorithm), privateKey: made("private", secret, algorithm) };
    },
  };
}

function signing(schemeOf) {
  return {
    sign(algorithm, key, material, data) {
      const signed = op_sign(schemeOf(algorithm, key), material, data);
      if (signed === null) throw new DOMException("The key can't sign", "OperationError");
      return signed;
    },
    verify: (algorithm, key, material, signature, data) => op_verify(schemeOf(algorithm, key), material, data, signature),
  };
}

function curveOf({ namedCurve }) {
  if (CURVE_HASHES[namedCurve] === undefined) throw notSupported(`The curve "${namedCurve}" is not available; P-256 and P-384 are`);
  return namedCurve;
}

const ecdsaName = (curve) => `ECDSA ${curve} ${CURVE_HASHES[curve]}`;

const ECDSA = {
  ...pair({
    name: "ECDSA",
    shape: (algorithm) => ({ kind: "ec", curve: curveOf(algorithm) }),
    describe: (algorithm) => ({ name: "ECDSA", namedCurve: curveOf(algorithm) }),
    sure: (algorithm) => ecdsaName(curveOf(algorithm)),
  }),
  ...signing(({ hash }, { algorithm: { namedCurve } }) => {
    if (hashName(hash) !== CURVE_HASHES[namedCurve]) throw notSupported(`ECDSA with ${namedCurve} takes ${CURVE_HASHES[namedCurve]} here`);
    return ecdsaName(namedCurve);
  }),
};

const ED25519 = {
  ...pair({
    name: "Ed25519",
    shape: () => ({ kind: "Ed25519" }),
    describe: () => ({ name: "Ed25519" }),
    sure: () => "Ed25519",
  }),
  ...signing(() => "Ed25519"),
};

function rsaFacts(material, type, name) {
  const key = type === "public" ? material : op_public_key(`${name} SHA-256`, material);
  const [modulus, exponent] = der.items(der.contentOf(key, der.SEQUENCE)).map(({ content }) => (content[0] === 0 ? content.slice(1) : content.slice()));
  return { modulusLength: modulus.length * 8, publicExponent: exponent };
}

function rsa(name, check = () => {}) {
  return {
    ...pair({
      name,
      shape: () => ({ kind: "rsa" }),
      describe: ({ hash }, type, material) => ({ name, hash: { name: hashName(hash) }, ...rsaFacts(material, type, name) }),
      sure: () => `${name} SHA-256`,
    }),
    ...signing((algorithm, key) => {
      const hash = key.algorithm.hash.name;
      if (hash === "SHA-1") throw notSupported(`${name} with SHA-1 is not available`);
      check(algorithm, hash);
      return `${name} ${hash}`;
    }),
  };
}

const RSA_PKCS1 = rsa("RSASSA-PKCS1-v1_5");
const RSA_PSS = rsa("RSA-PSS", ({ saltLength }, hash) => {
  if (saltLength * 8 !== Number(hash.slice("SHA-".length))) throw notSupported("RSA-PSS takes a saltLength as long as the hash here");
});

return { ECDSA, ED25519, RSA_PKCS1, RSA_PSS };
})();

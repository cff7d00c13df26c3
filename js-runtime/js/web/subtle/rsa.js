// The algorithms of RSA.
(function () {
const { core } = __bootstrap;
const { op_rsa_decrypt, op_rsa_encrypt, op_rsa_key, op_rsa_numbers, op_rsa_public_key, op_rsa_sign, op_rsa_verify } = core.ops;
const parameters = core.loadExtScript("ext:vitrine/web/subtle/parameters.js");
const { notSupported } = parameters;
const { bytesOfMember, checkAlg, toBase64Url } = core.loadExtScript("ext:vitrine/web/subtle/jwk.js");
const { pair } = core.loadExtScript("ext:vitrine/web/subtle/pairs.js");
const { NOTHING, digestOf, generateRsa } = core.loadExtScript("ext:vitrine/web/crypto_steps.js");
const { operationError } = core.loadExtScript("ext:vitrine/web/subtle/secrets.js");

const PUBLIC_MEMBERS = ["n", "e"];
const PRIVATE_MEMBERS = [...PUBLIC_MEMBERS, "d", "p", "q", "dp", "dq", "qi"];

// The key of a JWK; null if its numbers don't fit together.
function rsaFromJwk(jwk) {
  if (jwk.oth !== undefined) throw notSupported("A key of RSA with more than two primes is not available");
  const members = jwk.d === undefined ? PUBLIC_MEMBERS : PRIVATE_MEMBERS;
  return op_rsa_key(members.map((name) => bytesOfMember(jwk, name)));
}

function rsaToJwk(isPrivate, material) {
  const numbers = op_rsa_numbers(isPrivate, material);
  const members = isPrivate ? PRIVATE_MEMBERS : PUBLIC_MEMBERS;
  return { kty: "RSA", ...Object.fromEntries(members.map((name, index) => [name, toBase64Url(numbers[index])])) };
}

// { modulusLength, publicExponent } of a key.
function rsaFacts(isPrivate, material) {
  const [modulus, publicExponent] = op_rsa_numbers(isPrivate, material);
  return { modulusLength: modulus.length * 8 - Math.clz32(modulus[0]) + 24, publicExponent };
}

function rsa(name, alg, usages, operations) {
  return {
    ...pair({
      name,
      kty: "RSA",
      ...usages,
      kind: () => "rsa",
      describe: ({ hash }, type, material) => ({ name, ...rsaFacts(type === "private", material), hash }),
      fromJwk(jwk, { hash }) {
        checkAlg(jwk, alg(hash));
        return rsaFromJwk(jwk);
      },
      toJwk: ({ type, algorithm, material }) => ({ ...rsaToJwk(type === "private", material), alg: alg(algorithm.hash) }),
      generate({ modulusLength, publicExponent }, check) {
        if (modulusLength < 1024 || modulusLength > 4096) throw operationError("A key of RSA that is made here has 1024 to 4096 bits");
        const exponent = publicExponent.reduce((sum, byte) => sum * 256 + byte, 0);
        if (exponent < 3 || exponent % 2 === 0 || exponent >= 2 ** 33) throw operationError("The publicExponent must be odd, from 3 to 2^33");
        check();
        return generateRsa(modulusLength, publicExponent);
      },
      publicOf: (_, material) => op_rsa_public_key(material),
    }),
    ...operations,
    parameters: { importKey: parameters.rsaHashed, exportKey: parameters.none, generateKey: parameters.rsaKey, ...operations.parameters },
  };
}

function signing(padding, converter) {
  return {
    parameters: { sign: converter, verify: converter },
    sign({ saltLength = 0 }, { algorithm: { hash }, material }, data) {
      const signature = op_rsa_sign(padding, hash, saltLength, material, digestOf(hash, data));
      if (signature === null) throw operationError("The key is too short for this hash and saltLength");
      return signature;
    },
    verify: ({ saltLength = 0 }, { algorithm: { hash }, material }, signature, data) =>
      op_rsa_verify(padding, hash, saltLength, material, digestOf(hash, data), signature),
  };
}

const bits = (hash) => hash.slice("SHA-".length);
const SIGNS = { use: "sig", public: ["verify"], private: ["sign"] };

const RSA_PKCS1 = rsa("RSASSA-PKCS1-v1_5", (hash) => `RS${bits(hash)}`, SIGNS, signing("PKCS1", parameters.none));
const RSA_PSS = rsa("RSA-PSS", (hash) => `PS${bits(hash)}`, SIGNS, signing("PSS", parameters.rsaPss));

const ENCRYPTS = { use: "enc", public: ["encrypt", "wrapKey"], private: ["decrypt", "unwrapKey"] };
const RSA_OAEP = rsa("RSA-OAEP", (hash) => (hash === "SHA-1" ? "RSA-OAEP" : `RSA-OAEP-${bits(hash)}`), ENCRYPTS, {
  parameters: { encrypt: parameters.rsaOaep, decrypt: parameters.rsaOaep },
  encrypt({ label = NOTHING }, { algorithm: { hash }, material }, data) {
    const encrypted = op_rsa_encrypt("OAEP", hash, label, material, data);
    if (encrypted === null) throw operationError("The data is too long for the key");
    return encrypted;
  },
  decrypt({ label = NOTHING }, { algorithm: { hash }, material }, data) {
    const plain = op_rsa_decrypt("OAEP", hash, label, material, data);
    if (plain === null) throw operationError("The data was not encrypted for this key and label");
    return plain;
  },
});

return { RSA_OAEP, RSA_PKCS1, RSA_PSS, rsaFacts, rsaFromJwk, rsaToJwk };
})();

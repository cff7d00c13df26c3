// Cases of Web Crypto that give the same in Node.js and in an isolate.
const { subtle } = crypto;
const bytes = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
const count = (length, start = 0) => Uint8Array.from({ length }, (_, index) => (index * 7 + start) & 255);
const HASHES = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"];
const CURVES = ["P-256", "P-384", "P-521"];
const AES = { "AES-CBC": { iv: count(16, 3) }, "AES-CTR": { counter: count(16, 3), length: 64 }, "AES-GCM": { iv: count(12, 3) } };

async function each(list, run) {
  const given = [];
  for (const item of list) given.push(await run(item));
  return given;
}

async function fails(act) {
  try {
    await act();
    return "it did not fail";
  } catch (error) {
    return error.name;
  }
}

function secret(name, length = 16, usages = ["encrypt", "decrypt"], extractable = true) {
  return subtle.importKey("raw", count(length, 1), name, extractable, usages);
}

export function cases(keys) {
  const data = bytes(keys.data);
  const rsaKey = (format, name, hash, usages) => subtle.importKey(format, bytes(keys.rsa[format]), { name, hash }, true, usages);
  const ecKey = (format, curve, name, usages) => {
    const file = keys[curve];
    const jwk = format === "jwk public" ? { ...file.jwk, d: undefined } : file.jwk;
    const from = format.startsWith("jwk") ? "jwk" : format;
    return subtle.importKey(from, from === "jwk" ? jwk : bytes(file[format]), { name, namedCurve: curve.split(" ")[0] }, true, usages);
  };
  const edwardsKey = (format, name, usages, suffix = "") =>
    subtle.importKey(format, format === "jwk" ? keys[`${name.toLowerCase()}${suffix}`].jwk : bytes(keys[`${name.toLowerCase()}${suffix}`][format]), name, true, usages);

  return {
    digests: () => each(HASHES, async (hash) => [hex(await subtle.digest(hash, new Uint8Array(0))), hex(await subtle.digest({ name: hash.toLowerCase() }, data))]),

    muchData: async () => {
      const much = count((1 << 20) + 4097);
      const key = await secret("AES-GCM", 32);
      const sealed = await subtle.encrypt({ name: "AES-GCM", iv: count(12), additionalData: much }, key, much);
      const mac = await subtle.importKey("raw", count(20), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
      const opened = await subtle.decrypt({ name: "AES-GCM", iv: count(12), additionalData: much }, key, sealed);
      return [hex(await subtle.digest("SHA-256", much)), hex(await subtle.sign("HMAC", mac, much)), hex(await subtle.digest("SHA-1", sealed)), opened.byteLength];
    },

    aes: () => each(Object.keys(AES), (name) => each([16, 24, 32], async (length) => {
      const key = await secret(name, length);
      return each([0, 1, 15, 16, 17, 100], async (size) => {
        const sealed = await subtle.encrypt({ name, ...AES[name] }, key, count(size, 9));
        const opened = await subtle.decrypt({ name, ...AES[name] }, key, sealed);
        return [hex(sealed), hex(opened) === hex(count(size, 9))];
      });
    })),

    gcmOptions: () => each([12, 13, 16, 60], (ivLength) => each([32, 64, 96, 104, 112, 120, 128], async (tagLength) => {
      const key = await secret("AES-GCM", 24);
      const algorithm = { name: "AES-GCM", iv: count(ivLength, 5), tagLength, additionalData: count(tagLength) };
      const sealed = await subtle.encrypt(algorithm, key, data);
      const damaged = new Uint8Array(sealed.slice(0));
      damaged[damaged.length - 1] ^= 1;
      return [hex(sealed), hex(await subtle.decrypt(algorithm, key, sealed)) === keys.data, await fails(() => subtle.decrypt(algorithm, key, damaged))];
    })),

    counters: () => each([1, 4, 8, 9, 127, 128], async (length) => {
      const key = await secret("AES-CTR");
      const counter = new Uint8Array(16).fill(255);
      return [
        length < 2 ? null : hex(await subtle.encrypt({ name: "AES-CTR", counter, length }, key, count(64))),
        hex(await subtle.encrypt({ name: "AES-CTR", counter: count(16, 200), length }, key, count(32))),
      ];
    }),

    keyWrap: () => each([16, 24, 32], async (length) => {
      const wrapping = await secret("AES-KW", length, ["wrapKey", "unwrapKey"]);
      return each([16, 24, 32], async (size) => {
        const key = await subtle.importKey("raw", count(size, 8), "AES-CBC", true, ["encrypt"]);
        const wrapped = await subtle.wrapKey("raw", key, wrapping, "AES-KW");
        const back = await subtle.unwrapKey("raw", wrapped, wrapping, "AES-KW", "AES-CBC", true, ["decrypt"]);
        const damaged = new Uint8Array(wrapped.slice(0));
        damaged[9] ^= 1;
        return [
          hex(wrapped), hex(await subtle.exportKey("raw", back)) === hex(count(size, 8)), back.usages,
          await fails(() => subtle.unwrapKey("raw", damaged, wrapping, "AES-KW", "AES-CBC", true, ["decrypt"])),
        ];
      });
    }),

    hmac: () => each(HASHES, (hash) => each([1, 16, 64, 128, 200], async (length) => {
      const key = await subtle.importKey("raw", count(length), { name: "HMAC", hash }, true, ["verify", "sign"]);
      const signature = await subtle.sign("HMAC", key, data);
      return [hex(signature), await subtle.verify("HMAC", key, signature, data), await subtle.verify("HMAC", key, signature, data.subarray(1)), key.algorithm, key.usages];
    })),

    derived: () => each(HASHES, async (hash) => {
      const hkdf = await secret("HKDF", 22, ["deriveBits", "deriveKey"], false);
      const pbkdf2 = await secret("PBKDF2", 12, ["deriveBits", "deriveKey"], false);
      const byHkdf = { name: "HKDF", hash, salt: count(13), info: count(10, 240) };
      const byPbkdf2 = { name: "PBKDF2", hash, salt: count(8), iterations: 1000 };
      const aes = await subtle.deriveKey(byPbkdf2, pbkdf2, { name: "AES-GCM", length: 192 }, true, ["encrypt"]);
      const hmac = await subtle.deriveKey(byHkdf, hkdf, { name: "HMAC", hash }, true, ["sign"]);
      return [
        hex(await subtle.deriveBits(byHkdf, hkdf, 1024)), hex(await subtle.deriveBits(byPbkdf2, pbkdf2, 1024)),
        hex(await subtle.exportKey("raw", aes)), aes.algorithm, hex(await subtle.exportKey("raw", hmac)), hmac.algorithm,
      ];
    }),

    rsa: () => each(HASHES, async (hash) => {
      const given = [];
      for (const name of ["RSASSA-PKCS1-v1_5", "RSA-PSS"]) {
        const [open, secret] = [await rsaKey("spki", name, hash, ["verify"]), await rsaKey("pkcs8", name, hash, ["sign"])];
        const { publicExponent, ...algorithm } = open.algorithm;
        given.push(algorithm, hex(publicExponent), await subtle.exportKey("jwk", open), (await subtle.exportKey("jwk", secret)).alg);
        const signature = await subtle.sign({ name, saltLength: 7 }, secret, data);
        given.push(await subtle.verify({ name, saltLength: 7 }, open, signature, data), await subtle.verify({ name, saltLength: 7 }, open, signature, bytes("00")));
        if (name !== "RSA-PSS") given.push(hex(signature));
        else given.push(await each(keys.rsa.pss[hash], (known) => each([0, 20, 33], (saltLength) => subtle.verify({ name, saltLength }, open, bytes(known), data))));
      }
      const [open, secret] = [await rsaKey("spki", "RSA-OAEP", hash, ["encrypt"]), await rsaKey("pkcs8", "RSA-OAEP", hash, ["decrypt"])];
      const label = new TextEncoder().encode("a label");
      const [plain, labelled] = keys.rsa.oaep[hash].map(bytes);
      given.push(
        hex(await subtle.decrypt("RSA-OAEP", secret, plain)), hex(await subtle.decrypt({ name: "RSA-OAEP", label }, secret, labelled)),
        await fails(() => subtle.decrypt("RSA-OAEP", secret, labelled)),
        hex(await subtle.decrypt({ name: "RSA-OAEP", label }, secret, await subtle.encrypt({ name: "RSA-OAEP", label }, open, data))),
        await fails(() => subtle.encrypt("RSA-OAEP", open, count(256))),
      );
      return given;
    }),

    rsaFormats: async () => {
      const secret = await subtle.importKey("jwk", keys.rsa.jwk, { name: "RSA-PSS", hash: "SHA-256" }, true, ["sign"]);
      const { d, p, q, dp, dq, qi, ...open } = keys.rsa.jwk;
      const known = await subtle.importKey("jwk", open, { name: "RSA-PSS", hash: "SHA-256" }, true, ["verify"]);
      return [
        hex(await subtle.exportKey("pkcs8", secret)) === keys.rsa.pkcs8, hex(await subtle.exportKey("spki", known)) === keys.rsa.spki,
        await subtle.exportKey("jwk", secret),
      ];
    },

    rsaGenerated: async () => {
      const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) };
      const { publicKey, privateKey } = await subtle.generateKey(algorithm, false, ["sign", "verify"]);
      const signature = await subtle.sign(algorithm.name, privateKey, data);
      return [
        await subtle.verify(algorithm.name, publicKey, signature, data), publicKey.usages, privateKey.usages, publicKey.extractable, privateKey.extractable,
        publicKey.algorithm.modulusLength, (await subtle.exportKey("jwk", publicKey)).n.length,
      ];
    },

    ecdsa: () => each(CURVES, async (curve) => {
      const given = [];
      for (const format of ["spki", "jwk public"]) {
        const open = await ecKey(format, curve, "ECDSA", ["verify"]);
        given.push(hex(await subtle.exportKey("spki", open)) === keys[curve].spki, hex(await subtle.exportKey("raw", open)), await subtle.exportKey("jwk", open));
        for (const format of ["pkcs8", "jwk"]) {
          const secret = await ecKey(format, curve, "ECDSA", ["sign"]);
          given.push(hex(await subtle.exportKey("pkcs8", secret)) === keys[curve].pkcs8, await subtle.exportKey("jwk", secret));
          for (const hash of HASHES) {
            const signature = await subtle.sign({ name: "ECDSA", hash }, secret, data);
            given.push([
              signature.byteLength, await subtle.verify({ name: "ECDSA", hash }, open, signature, data),
              await subtle.verify({ name: "ECDSA", hash }, open, bytes(keys[curve].signatures[hash]), data),
              await subtle.verify({ name: "ECDSA", hash }, open, bytes(keys[`${curve} other`].signatures[hash]), data),
            ]);
          }
        }
      }
      return given;
    }),

    ecdh: () => each(CURVES, async (curve) => {
      const open = await ecKey("spki", `${curve} other`, "ECDH", []);
      const secret = await ecKey("pkcs8", curve, "ECDH", ["deriveBits", "deriveKey"]);
      const algorithm = { name: "ECDH", public: open };
      const key = await subtle.deriveKey(algorithm, secret, { name: "AES-CBC", length: 256 }, true, ["encrypt"]);
      const hkdf = await subtle.deriveKey(algorithm, secret, "HKDF", false, ["deriveBits"]);
      return [
        hex(await subtle.deriveBits(algorithm, secret, null)), hex(await subtle.deriveBits(algorithm, secret, 128)), hex(await subtle.exportKey("raw", key)),
        hex(await subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: count(4), info: count(2) }, hkdf, 256)), secret.usages, open.usages,
      ];
    }),

    edwards: async () => {
      const open = await edwardsKey("spki", "Ed25519", ["verify"]);
      const secret = await edwardsKey("jwk", "Ed25519", ["sign"]);
      const signature = await subtle.sign("Ed25519", secret, data);
      const theirs = await edwardsKey("spki", "X25519", [], " other");
      const mine = await edwardsKey("pkcs8", "X25519", ["deriveBits"]);
      const { alg, ...jwk } = await subtle.exportKey("jwk", secret);
      return [
        hex(signature), await subtle.verify("Ed25519", open, signature, data), await subtle.verify("Ed25519", open, signature, bytes("01")),
        hex(await subtle.exportKey("raw", open)), hex(await subtle.exportKey("pkcs8", secret)) === keys.ed25519.pkcs8, jwk,
        hex(await subtle.deriveBits({ name: "X25519", public: theirs }, mine, 256)), await subtle.exportKey("jwk", mine), hex(await subtle.exportKey("spki", theirs)) === keys["x25519 other"].spki,
      ];
    },

    generated: () => each([
      [{ name: "Ed25519" }, ["sign", "verify"]], [{ name: "X25519" }, ["deriveBits"]],
      ...CURVES.map((namedCurve) => [{ name: "ECDSA", namedCurve }, ["sign", "verify"]]), ...CURVES.map((namedCurve) => [{ name: "ECDH", namedCurve }, ["deriveKey", "deriveBits"]]),
      [{ name: "HMAC", hash: "SHA-512" }, ["verify"]], [{ name: "HMAC", hash: "SHA-256", length: 80 }, ["sign"]], [{ name: "AES-KW", length: 192 }, ["wrapKey"]],
      [{ name: "AES-CTR", length: 256 }, ["decrypt", "encrypt"]],
    ], async ([algorithm, usages]) => {
      const made = await subtle.generateKey(algorithm, true, usages);
      const list = made.publicKey === undefined ? [made] : [made.publicKey, made.privateKey];
      return each(list, async (key) => {
        const format = { secret: "raw", public: "spki", private: "pkcs8" }[key.type];
        return [key.type, key.algorithm, key.usages, key.extractable, (await subtle.exportKey(format, key)).byteLength];
      });
    }),

    wrapped: async () => {
      const wrapping = await secret("AES-GCM", 32, ["wrapKey", "unwrapKey"]);
      const algorithm = { name: "AES-GCM", iv: count(12) };
      const key = await ecKey("pkcs8", "P-384", "ECDSA", ["sign"]);
      return each(["pkcs8", "jwk"], async (format) => {
        const wrapped = await subtle.wrapKey(format, key, wrapping, algorithm);
        const back = await subtle.unwrapKey(format, wrapped, wrapping, algorithm, { name: "ECDSA", namedCurve: "P-384" }, true, ["sign"]);
        return hex(await subtle.exportKey("pkcs8", back)) === keys["P-384"].pkcs8;
      });
    },

    cloned: async () => {
      const key = await secret("AES-CBC", 16, ["encrypt"], false);
      const clone = structuredClone({ key, twice: [key] }).key;
      const algorithm = { name: "AES-CBC", iv: count(16) };
      return [
        clone instanceof CryptoKey, clone !== key, clone.extractable, clone.usages, clone.algorithm,
        hex(await subtle.encrypt(algorithm, clone, data)) === hex(await subtle.encrypt(algorithm, key, data)), await fails(() => subtle.exportKey("raw", clone)),
      ];
    },

    shape: () => [
      Object.prototype.toString.call(subtle), Object.getOwnPropertyNames(SubtleCrypto.prototype).filter((name) => !/encapsulate|decapsulate|getPublicKey/.test(name)).sort(),
      ["digest", "importKey", "deriveBits", "unwrapKey"].map((name) => subtle[name].length), Object.keys(CryptoKey.prototype).sort(),
    ],

    refusals: async () => {
      const aes = await secret("AES-GCM", 16, ["encrypt"]);
      const cbc = await secret("AES-CBC", 16);
      const hmac = await subtle.importKey("raw", count(8), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
      const pbkdf2 = await secret("PBKDF2", 8, ["deriveBits"], false);
      const p256 = await ecKey("pkcs8", "P-256", "ECDH", ["deriveBits"]);
      const p384 = await ecKey("spki", "P-384", "ECDH", []);
      const own = await ecKey("spki", "P-256", "ECDH", []);
      const jwk = { kty: "oct", k: "AAAAAAAAAAAAAAAAAAAAAA" };
      const rsa = { name: "RSA-PSS", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
      const importing = (format, key, algorithm, usages, extractable = true) => () => subtle.importKey(format, key, algorithm, extractable, usages);
      const acts = {
        "digest of {}": () => subtle.digest({}, data), "digest of nothing": () => subtle.digest(), "digest by MD5": () => subtle.digest("MD5", data), "digest of text": () => subtle.digest("SHA-1", "text"),
        "generate {}": () => subtle.generateKey({}, true, []), "generate AES": () => subtle.generateKey("AES", true, ["encrypt"]), "generate without length": () => subtle.generateKey("AES-CBC", true, ["encrypt"]),
        "generate 100 bits": () => subtle.generateKey({ name: "AES-CBC", length: 100 }, true, ["encrypt"]), "generate too long": () => subtle.generateKey({ name: "AES-CBC", length: 70000 }, true, ["encrypt"]),
        "generate unused": () => subtle.generateKey({ name: "AES-CBC", length: 128 }, true, []), "generate to sign": () => subtle.generateKey({ name: "AES-CBC", length: 128 }, true, ["sign"]),
        "generate to fly": () => subtle.generateKey({ name: "AES-CBC", length: 128 }, true, ["fly"]), "generate P-1": () => subtle.generateKey({ name: "ECDSA", namedCurve: "P-1" }, true, ["sign"]),
        "generate to verify only": () => subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]), "generate HMAC of MD5": () => subtle.generateKey({ name: "HMAC", hash: "MD5" }, true, ["sign"]),
        "generate RSA of 1": () => subtle.generateKey({ ...rsa, publicExponent: new Uint8Array([1]) }, true, ["sign"]), "generate RSA of [1]": () => subtle.generateKey({ ...rsa, publicExponent: [1, 0, 1] }, true, ["sign"]),
        "generate RSA unused": () => subtle.generateKey(rsa, true, []), "generate empty HMAC": () => subtle.generateKey({ name: "HMAC", hash: "SHA-1", length: 0 }, true, ["sign"]),
        "encrypt without right": () => subtle.decrypt({ name: "AES-GCM", iv: count(12) }, aes, data), "encrypt with another": () => subtle.encrypt({ name: "AES-CBC", iv: count(16) }, aes, data),
        "encrypt without iv": () => subtle.encrypt("AES-GCM", aes, data), "encrypt with {}": () => subtle.encrypt({ name: "AES-GCM", iv: count(12) }, {}, data), "encrypt by ECDSA": () => subtle.encrypt({ name: "ECDSA", hash: "SHA-1" }, aes, data),
        "short iv": () => subtle.encrypt({ name: "AES-CBC", iv: count(15) }, cbc, data), "bad tagLength": () => subtle.encrypt({ name: "AES-GCM", iv: count(12), tagLength: 33 }, aes, data),
        "bad padding": () => subtle.decrypt({ name: "AES-CBC", iv: count(16) }, cbc, count(32)), "cut off": () => subtle.decrypt({ name: "AES-CBC", iv: count(16) }, cbc, count(17)),
        "not extractable": () => subtle.exportKey("raw", hmac), "no spki of HMAC": async () => subtle.exportKey("spki", await secret("AES-GCM")), "export of PBKDF2": () => subtle.exportKey("raw", pbkdf2), "export as pem": () => subtle.exportKey("pem", aes),
        "raw of 5 bytes": importing("raw", count(5), "AES-GCM", ["encrypt"]), "raw to sign": importing("raw", count(16), "AES-GCM", ["sign"]), "raw unused": importing("raw", count(16), "AES-GCM", []), "raw as {}": importing("raw", {}, "AES-GCM", ["encrypt"]),
        "raw of RSA": importing("raw", count(16), { name: "RSA-PSS", hash: "SHA-1" }, ["verify"]), "empty HMAC": importing("raw", count(0), { name: "HMAC", hash: "SHA-1" }, ["sign"]), "HMAC of wrong length": importing("raw", count(4), { name: "HMAC", hash: "SHA-1", length: 24 }, ["sign"]),
        "extractable PBKDF2": importing("raw", count(4), "PBKDF2", ["deriveBits"]), "jwk as bytes": importing("jwk", count(4), "AES-GCM", ["encrypt"]), "jwk of EC for AES": importing("jwk", { ...jwk, kty: "EC" }, "AES-GCM", ["encrypt"]),
        "jwk of another alg": importing("jwk", { ...jwk, alg: "A256GCM" }, "AES-GCM", ["encrypt"]), "jwk of another use": importing("jwk", { ...jwk, use: "sig" }, "AES-GCM", ["encrypt"]), "jwk of other key_ops": importing("jwk", { ...jwk, key_ops: ["decrypt"] }, "AES-GCM", ["encrypt"]),
        "jwk of double key_ops": importing("jwk", { ...jwk, key_ops: ["encrypt", "encrypt"] }, "AES-GCM", ["encrypt"]), "jwk that stays": importing("jwk", { ...jwk, ext: false }, "AES-GCM", ["encrypt"]), "jwk without k": importing("jwk", { kty: "oct" }, "AES-GCM", ["encrypt"]),
        "spki cut off": importing("spki", count(20), { name: "ECDSA", namedCurve: "P-256" }, ["verify"]), "spki to sign": importing("spki", bytes(keys["P-256"].spki), { name: "ECDSA", namedCurve: "P-256" }, ["sign"]),
        "spki of P-384 as P-256": importing("spki", bytes(keys["P-384"].spki), { name: "ECDSA", namedCurve: "P-256" }, ["verify"]), "pkcs8 of EC as RSA": importing("pkcs8", bytes(keys["P-256"].pkcs8), { name: "RSA-PSS", hash: "SHA-1" }, ["sign"]),
        "empty point": importing("raw", count(0), { name: "ECDSA", namedCurve: "P-256" }, ["verify"]), "point beside the curve": importing("raw", new Uint8Array(65).fill(4), { name: "ECDSA", namedCurve: "P-256" }, ["verify"]), "short Ed25519": importing("raw", count(31), "Ed25519", ["verify"]),
        "jwk of another point": importing("jwk", { ...keys["P-256"].jwk, x: keys["P-256 other"].jwk.x, y: keys["P-256 other"].jwk.y }, { name: "ECDSA", namedCurve: "P-256" }, ["sign"]), "jwk of another x": importing("jwk", { ...keys.ed25519.jwk, x: keys["ed25519 other"].jwk.x }, "Ed25519", ["sign"]),
        "jwk of another curve": importing("jwk", keys["P-384"].jwk, { name: "ECDSA", namedCurve: "P-256" }, ["sign"]), "jwk of RSA without n": importing("jwk", { kty: "RSA", e: "AQAB" }, { name: "RSA-PSS", hash: "SHA-1" }, ["verify"]),
        "raw of unknown curve": importing("raw", count(65), { name: "ECDSA", namedCurve: "P-1" }, ["verify"]), "raw of an Ed25519 private key": async () => subtle.exportKey("raw", await edwardsKey("pkcs8", "Ed25519", ["sign"])),
        "PBKDF2 of 0 iterations": () => subtle.deriveBits({ name: "PBKDF2", hash: "SHA-1", salt: count(1), iterations: 0 }, pbkdf2, 128), "PBKDF2 of 9 bits": () => subtle.deriveBits({ name: "PBKDF2", hash: "SHA-1", salt: count(1), iterations: 1 }, pbkdf2, 9),
        "PBKDF2 of no length": () => subtle.deriveBits({ name: "PBKDF2", hash: "SHA-1", salt: count(1), iterations: 1 }, pbkdf2, null), "PBKDF2 without salt": () => subtle.deriveBits({ name: "PBKDF2", hash: "SHA-1", iterations: 1 }, pbkdf2, 128),
        "ECDH of two curves": () => subtle.deriveBits({ name: "ECDH", public: p384 }, p256, 128), "ECDH of two secrets": () => subtle.deriveBits({ name: "ECDH", public: p256 }, p256, 128), "ECDH of too much": () => subtle.deriveBits({ name: "ECDH", public: own }, p256, 512),
        "ECDH with a text": () => subtle.deriveBits({ name: "ECDH", public: "key" }, p256, 128), "ECDH for a key": () => subtle.deriveKey({ name: "ECDH", public: own }, p256, { name: "AES-GCM", length: 128 }, true, ["encrypt"]),
        "wrap without right": () => subtle.wrapKey("raw", aes, cbc, { name: "AES-CBC", iv: count(16) }), "PSS of much salt": async () => subtle.sign({ name: "RSA-PSS", saltLength: 250 }, await rsaKey("pkcs8", "RSA-PSS", "SHA-256", ["sign"]), data),
        "counter of 0 bits": async () => subtle.encrypt({ name: "AES-CTR", counter: count(16), length: 0 }, await secret("AES-CTR"), data), "counter too short": async () => subtle.encrypt({ name: "AES-CTR", counter: count(16), length: 1 }, await secret("AES-CTR"), count(33)),
      };
      const given = {};
      for (const [name, act] of Object.entries(acts)) given[name] = await fails(act);
      return given;
    },
  };
}

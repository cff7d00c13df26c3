// Cases of node:crypto that give the same in Node.js and in an isolate.
import crypto, { KeyObject, createCipheriv, createDecipheriv, createHash, createHmac, createPrivateKey, createPublicKey, createSecretKey } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";

const count = (length, start = 0) => Buffer.from(Uint8Array.from({ length }, (_, index) => (index * 7 + start) & 255));
const HASHES = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha512-256", "sha3-256", "sha3-512", "RSA-SHA256", "SHA256"];
const CURVES = ["P-256", "P-384", "P-521"];

function fails(act) {
  try {
    act();
    return "it did not fail";
  } catch (error) {
    return error.code ?? `${error.name}: ${error.message}`;
  }
}

const called = (act) => new Promise((resolve, reject) => {
  act((error, ...results) => (error === null || error === undefined ? resolve(results.length === 1 ? results[0] : results) : reject(error)));
});

export function cases(keys) {
  const data = Buffer.from(keys.data, "hex");
  const der = (name, kind) => Buffer.from(keys[name][kind], "hex");
  const secretKey = (name) => createPrivateKey({ key: der(name, "pkcs8"), format: "der", type: "pkcs8" });
  const openKey = (name) => createPublicKey({ key: der(name, "spki"), format: "der", type: "spki" });

  return {
    hashes: async () => {
      const copied = createHash("sha256").update("a");
      const streamed = createHash("sha1");
      await pipeline(async function* () { yield data; yield "text"; }, streamed);
      const much = createHash("sha256");
      for (let i = 0; i < 40; i += 1) much.update(count(5000, i));
      return [
        HASHES.map((name) => [createHash(name).update("a page ").update(data).digest("hex"), createHmac(name, "key").update(data).digest("base64")]),
        copied.copy().update("b").digest("hex"), copied.digest("base64url"), streamed.read().toString("hex"), much.copy().digest("hex"), much.update("end").digest("hex"),
        crypto.hash("sha1", "text"), crypto.hash("md5", data, "base64"), createHash("sha1").update("ff", "hex").digest("latin1"), createHash("sha512").digest().length,
        fails(() => copied.update("c")), fails(() => copied.digest()), fails(() => createHash("sha1").update(5)), fails(() => createHash(5)), createHash("sha1") instanceof crypto.Hash,
        createHmac("sha256", createSecretKey(count(10))).update("x").digest("hex"), createHmac("sha512", count(300)).update("x").digest("hex"),
      ];
    },

    ciphers: () => [128, 192, 256].flatMap((bits) => ["cbc", "ctr", "gcm", "ecb"].map((mode) => {
      const iv = { ecb: null, gcm: count(12, 4) }[mode] === undefined ? count(16, 4) : { ecb: null, gcm: count(12, 4) }[mode];
      const name = `aes-${bits}-${mode}`;
      const cipher = createCipheriv(name, count(bits / 8), iv);
      if (mode === "gcm") cipher.setAAD(Buffer.from("more"));
      let text = cipher.update("a page for ", "utf8", "base64") + cipher.update("everybody who asks for it", "utf8", "base64");
      text += cipher.final("base64");
      const tag = mode === "gcm" ? cipher.getAuthTag() : null;
      const decipher = createDecipheriv(name, createSecretKey(count(bits / 8)), iv);
      if (mode === "gcm") decipher.setAAD(Buffer.from("more")).setAuthTag(tag);
      const plain = Buffer.concat([decipher.update(text.slice(0, 20), "base64"), decipher.update(text.slice(20), "base64"), decipher.final()]).toString();
      return [name, text, tag?.toString("hex"), plain];
    })),

    cipherOptions: async () => {
      const short = createCipheriv("aes-256-gcm", count(32), count(9), { authTagLength: 4 });
      const plain = createCipheriv("aes-128-cbc", count(16), count(16)).setAutoPadding(false);
      const streamed = createCipheriv("aes128", count(16), count(16));
      const pieces = [];
      await pipeline(async function* () { yield data; yield count(30); }, streamed, async function (source) { for await (const piece of source) pieces.push(piece); });
      const gcm = (tag) => () => { const opened = createDecipheriv("aes-128-gcm", count(16), count(12)); if (tag) opened.setAuthTag(tag); opened.update(data); opened.final(); };
      const cut = createDecipheriv("aes-128-cbc", count(16), count(16));
      cut.update(count(20));
      return [
        short.update(data, null, "hex"), short.final("hex"), short.getAuthTag().toString("hex"), plain.update(count(32), null, "hex"), plain.final("hex"), Buffer.concat(pieces).toString("hex"),
        crypto.getCipherInfo("aes-256-gcm"), crypto.getCipherInfo("aes-128-cbc"), crypto.getCipherInfo("aes-192-ctr"), crypto.getCipherInfo("nothing"), crypto.getCiphers().includes("aes-256-gcm"),
        fails(gcm()), fails(gcm(count(16))), fails(gcm(count(3))), fails(() => createCipheriv("aes-128-cbc", count(15), count(16))), fails(() => createCipheriv("aes-128-cbc", count(16), count(15))),
        fails(() => createCipheriv("rot-13", count(16), count(16))), fails(() => createCipheriv("aes-128-ctr", count(16), null)), fails(() => { plain.update(data); }), fails(() => short.final()),
        fails(() => createCipheriv("aes-128-gcm", count(16), count(12)).getAuthTag()),
      ];
    },

    derived: async () => [
      ...await Promise.all(["sha1", "sha256", "sha512", "md5"].map(async (digest) => [
        crypto.pbkdf2Sync("secret", "salt", 1000, 70, digest).toString("hex"), (await promisify(crypto.pbkdf2)(count(4), count(9), 1, 20, digest)).toString("hex"),
        Buffer.from(crypto.hkdfSync(digest, "secret", "salt", "info", 50)).toString("hex"), Buffer.from(await called((done) => crypto.hkdf(digest, count(3), count(0), count(5), 10, done))).toString("hex"),
      ])),
      crypto.scryptSync("pleaseletmein", "SodiumChloride", 64, { N: 1024 }).toString("hex"), (await called((done) => crypto.scrypt("", "", 64, { cost: 16, blockSize: 1, parallelization: 1 }, done))).toString("hex"),
      fails(() => crypto.pbkdf2Sync("a", "b", 0, 1, "sha1")), fails(() => crypto.pbkdf2Sync("a", "b", 1, 1, "rot13")), fails(() => crypto.scryptSync("a", "b", 1, { N: 2 ** 20 })), fails(() => crypto.pbkdf2("a", "b", 1, 1, "sha1")),
      fails(() => crypto.hkdfSync("sha1", "a", "b", "c", 6000)),
    ],

    randomness: async () => [
      crypto.randomBytes(9).length, (await called((done) => crypto.randomBytes(3, done))).length, crypto.randomInt(5, 6), await called((done) => crypto.randomInt(1, done)), crypto.randomUUID().length,
      crypto.randomFillSync(new Uint16Array(4), 1, 2)[0], (await called((done) => crypto.randomFill(Buffer.alloc(4), done))).length, crypto.timingSafeEqual(count(4), count(4)), crypto.timingSafeEqual(count(4), count(4, 1)),
      fails(() => crypto.timingSafeEqual(count(4), count(5))), fails(() => crypto.randomInt(3, 3)), fails(() => crypto.randomBytes(-1)), fails(() => crypto.timingSafeEqual("a", "a")), crypto.getRandomValues(new Uint8Array(3)).length,
    ],

    keyObjects: () => [...CURVES, "ed25519", "x25519", "rsa"].map((name) => {
      const [secret, open] = [secretKey(name), openKey(name)];
      const { publicExponent, ...details } = secret.asymmetricKeyDetails;
      const again = createPublicKey(secret);
      return [
        secret.type, open.type, secret.asymmetricKeyType, details, String(publicExponent), open.equals(again), secret.equals(createPrivateKey({ key: keys[name].jwk, format: "jwk" })), open.equals(secret),
        secret.export({ format: "jwk" }), open.export({ format: "jwk" }), open.export({ type: "spki", format: "pem" }), secret.export({ type: "pkcs8", format: "der" }).toString("hex") === keys[name].pkcs8,
        createPrivateKey(secret.export({ type: "pkcs8", format: "pem" })).equals(secret), createPublicKey(open.export({ type: "spki", format: "pem" })).equals(open),
        createPublicKey({ key: keys[name].jwk, format: "jwk" }).type, Object.prototype.toString.call(secret), secret instanceof KeyObject,
      ];
    }),

    pem: () => [
      createPrivateKey(keys.rsa.pkcs1).equals(secretKey("rsa")), createPrivateKey(keys["P-521"].sec1).equals(secretKey("P-521")), secretKey("rsa").export({ type: "pkcs1", format: "pem" }) === keys.rsa.pkcs1,
      secretKey("P-256").export({ type: "sec1", format: "pem" }) === keys["P-256"].sec1, createPublicKey(keys.rsa.pkcs1).export({ type: "pkcs1", format: "pem" }), createPublicKey(Buffer.from(keys["P-256"].sec1)).equals(openKey("P-256")),
      fails(() => createPrivateKey("nothing")), fails(() => createPublicKey(5)), fails(() => createPrivateKey(openKey("rsa"))), fails(() => createPublicKey(openKey("rsa"))), fails(() => openKey("rsa").export()), fails(() => openKey("rsa").export({ format: "pem", type: "pkcs8" })),
      fails(() => secretKey("P-256").export({ format: "pem", type: "pkcs1" })), createSecretKey(count(4)).export().toString("hex"), createSecretKey("text", "utf8").export({ format: "jwk" }), createSecretKey(count(4)).symmetricKeySize, createSecretKey(count(4)).equals(createSecretKey(count(4))),
    ],

    signatures: async () => {
      const given = [];
      for (const name of [...CURVES, "rsa"]) {
        const [secret, open] = [secretKey(name), openKey(name)];
        for (const hash of ["sha1", "sha256", "RSA-SHA384", "SHA512"]) {
          const signature = crypto.createSign(hash).update(data.subarray(0, 4)).update(data.subarray(4)).sign(secret);
          given.push([
            crypto.createVerify(hash).update(data).verify(open, signature), crypto.createVerify(hash).update("x").verify(open, signature), crypto.verify(hash, data, open, signature),
            crypto.verify(hash, data, open.export({ type: "spki", format: "pem" }), crypto.sign(hash, data, secret.export({ type: "pkcs8", format: "pem" }))), name === "rsa" ? signature.toString("hex") : null,
          ]);
        }
        if (name !== "rsa") {
          const options = { key: secret, dsaEncoding: "ieee-p1363" };
          given.push([
            crypto.sign("sha256", data, options).length, crypto.verify("sha256", data, { key: open, dsaEncoding: "ieee-p1363" }, Buffer.from(keys[name].signatures["SHA-256"], "hex")),
            crypto.verify("sha256", data, open, der(name, "der")), crypto.verify("sha256", data, open, count(70)), await called((done) => crypto.verify(null, data, open, der(name, "der"), done)),
          ]);
        }
      }
      const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST, RSA_PSS_SALTLEN_AUTO } = crypto.constants;
      const [secret, open] = [secretKey("rsa"), openKey("rsa")];
      for (const saltLength of [0, 20, RSA_PSS_SALTLEN_DIGEST, undefined]) {
        const signature = crypto.sign("sha256", data, { key: secret, padding, saltLength });
        given.push([crypto.verify("sha256", data, { key: open, padding, saltLength }, signature), crypto.verify("sha256", data, { key: open, padding, saltLength: RSA_PSS_SALTLEN_AUTO }, signature), crypto.verify("sha256", data, { key: open, padding, saltLength: 5 }, signature)]);
      }
      given.push(crypto.verify("sha256", data, { key: open, padding }, Buffer.from(keys.rsa.longestSalt, "hex")));
      given.push(crypto.sign(null, data, secretKey("ed25519")).toString("hex"), await called((done) => crypto.sign(undefined, data, secretKey("ed25519"), done)).then((signature) => crypto.verify(null, data, openKey("ed25519"), signature)));
      given.push(fails(() => crypto.createSign("sha256").sign()), fails(() => crypto.sign("sha256", data, createSecretKey(count(5)))), fails(() => crypto.sign("rot13", data, secret)));
      return given;
    },

    encrypted: () => {
      const [secret, open] = [secretKey("rsa"), openKey("rsa")];
      const { RSA_PKCS1_PADDING: padding } = crypto.constants;
      const both = (options) => crypto.privateDecrypt({ key: secret, ...options }, crypto.publicEncrypt({ key: open, ...options }, data)).toString();
      return [
        both({}), both({ padding }), both({ oaepHash: "sha512", oaepLabel: Buffer.from("x") }), crypto.privateDecrypt(secret, Buffer.from(keys.rsa.oaep["SHA-1"][0], "hex")).toString(),
        crypto.privateDecrypt({ key: secret, oaepHash: "sha384", oaepLabel: Buffer.from("a label") }, Buffer.from(keys.rsa.oaep["SHA-384"][1], "hex")).toString(),
        crypto.privateDecrypt({ key: secret, padding }, Buffer.from(keys.rsa.pkcs1Encrypted, "hex")).toString(), crypto.privateDecrypt(secret.export({ type: "pkcs1", format: "pem" }), crypto.publicEncrypt(secret, data)).toString(),
        fails(() => crypto.publicEncrypt(open, count(300))),
      ];
    },

    agreed: async () => {
      const given = [];
      for (const name of [...CURVES, "x25519"]) {
        const shared = crypto.diffieHellman({ privateKey: secretKey(name), publicKey: openKey(`${name} other`) });
        given.push(shared.toString("hex"), shared.equals(crypto.diffieHellman({ privateKey: secretKey(`${name} other`), publicKey: openKey(name) })));
      }
      for (const curve of ["prime256v1", "secp384r1", "secp521r1"]) {
        const [alice, bob] = [crypto.createECDH(curve), crypto.createECDH(curve)];
        const secret = alice.computeSecret(bob.generateKeys("hex", alice.generateKeys() && "compressed"), "hex", "hex");
        bob.setPrivateKey(bob.getPrivateKey());
        const point = bob.getPublicKey("hex", "compressed");
        given.push(secret === bob.computeSecret(alice.getPublicKey()).toString("hex"), secret.length, point.length, crypto.ECDH.convertKey(point, curve, "hex", "hex", "uncompressed") === bob.getPublicKey("hex"));
      }
      given.push(fails(() => crypto.createECDH("prime256v1").generateKeys() && crypto.createECDH("prime256v1").computeSecret(count(65))), fails(() => crypto.diffieHellman({ privateKey: secretKey("P-256"), publicKey: openKey("P-384") })));
      return given;
    },

    generated: async () => {
      const given = [];
      for (const [type, options] of [["rsa", { modulusLength: 1024 }], ["ec", { namedCurve: "P-256" }], ["ec", { namedCurve: "secp521r1" }], ["ed25519"], ["x25519"]]) {
        const { publicKey, privateKey } = crypto.generateKeyPairSync(type, options);
        given.push([publicKey.asymmetricKeyType, createPublicKey(privateKey).equals(publicKey), privateKey.type, publicKey.asymmetricKeyDetails?.modulusLength, publicKey.asymmetricKeyDetails?.namedCurve]);
      }
      const encodings = { namedCurve: "P-256", publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs8", format: "der" } };
      const [open, secret] = await called((done) => crypto.generateKeyPair("ec", encodings, done));
      const promised = await promisify(crypto.generateKeyPair)("ed25519", {});
      given.push(open.split("\n")[0], createPrivateKey({ key: secret, format: "der", type: "pkcs8" }).type, promised.publicKey.type, promised.privateKey.type);
      given.push(crypto.generateKeySync("hmac", { length: 128 }).symmetricKeySize, (await called((done) => crypto.generateKey("aes", { length: 256 }, done))).symmetricKeySize);
      given.push(fails(() => crypto.generateKeyPairSync("fish")), fails(() => crypto.generateKeyPairSync("ec", { namedCurve: "P-1" })), fails(() => crypto.generateKeySync("aes", { length: 5 })));
      return given;
    },

    both: async () => {
      const key = await crypto.webcrypto.subtle.importKey("pkcs8", der("P-256", "pkcs8"), { name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
      const hmac = await crypto.subtle.importKey("raw", count(5), { name: "HMAC", hash: "SHA-1" }, true, ["sign"]);
      return [KeyObject.from(key).equals(secretKey("P-256")), KeyObject.from(hmac).export().toString("hex"), crypto.webcrypto === globalThis.crypto];
    },
  };
}

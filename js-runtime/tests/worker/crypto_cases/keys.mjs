// Makes keys.json with Node.js: keys, and signatures and ciphertexts that are another each time. `node keys.mjs > keys.json`
import crypto from "node:crypto";

const data = Buffer.from("a page for everybody");
const keys = { data: data.toString("hex") };

function written({ publicKey, privateKey }) {
  return {
    spki: publicKey.export({ type: "spki", format: "der" }).toString("hex"),
    pkcs8: privateKey.export({ type: "pkcs8", format: "der" }).toString("hex"),
    jwk: privateKey.export({ format: "jwk" }),
  };
}

for (const namedCurve of ["P-256", "P-384", "P-521"]) {
  for (const name of [namedCurve, `${namedCurve} other`]) {
    const pair = crypto.generateKeyPairSync("ec", { namedCurve });
    keys[name] = { ...written(pair), sec1: pair.privateKey.export({ type: "sec1", format: "pem" }), signatures: {} };
    for (const hash of ["SHA-1", "SHA-256", "SHA-384", "SHA-512"]) {
      keys[name].signatures[hash] = crypto.sign(hash.replace("-", ""), data, { key: pair.privateKey, dsaEncoding: "ieee-p1363" }).toString("hex");
    }
    keys[name].der = crypto.sign("sha256", data, pair.privateKey).toString("hex");
  }
}
for (const type of ["ed25519", "x25519"]) {
  for (const name of [type, `${type} other`]) keys[name] = written(crypto.generateKeyPairSync(type));
}
const rsa = crypto.generateKeyPairSync("rsa", { modulusLength: 2048 });
keys.rsa = { ...written(rsa), pkcs1: rsa.privateKey.export({ type: "pkcs1", format: "pem" }), pss: {}, oaep: {} };
for (const hash of ["SHA-1", "SHA-256", "SHA-384", "SHA-512"]) {
  keys.rsa.pss[hash] = [0, 20, 33].map((saltLength) =>
    crypto.sign(hash.replace("-", ""), data, { key: rsa.privateKey, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength }).toString("hex"));
  keys.rsa.oaep[hash] = ["", "a label"].map((label) =>
    crypto.publicEncrypt({ key: rsa.publicKey, oaepHash: hash.replace("-", ""), oaepLabel: Buffer.from(label) }, data).toString("hex"));
}
keys.rsa.pkcs1Encrypted = crypto.publicEncrypt({ key: rsa.publicKey, padding: crypto.constants.RSA_PKCS1_PADDING }, data).toString("hex");
keys.rsa.longestSalt = crypto.sign("sha256", data, { key: rsa.privateKey, padding: crypto.constants.RSA_PKCS1_PSS_PADDING }).toString("hex");
console.log(JSON.stringify(keys, null, 1));

//! Web Crypto, held against published vectors and against keys and signatures that Node.js made.

use crate::support::{Ask, Setup, run};

/// Keys and signatures of `a page for everybody`, made for these tests by Node.js.
const SIGNING_KEYS: &str = include_str!("signing_keys.json");

const SOURCE: &str = r#"
const { subtle } = crypto;
const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (buffer) => Buffer.from(buffer).toString("hex");
const base64 = (text) => new Uint8Array(Buffer.from(text, "base64"));
const data = new TextEncoder().encode("a page for everybody");
const fails = (promise) => promise.then(() => "it did not fail", (error) => error.name);
const tests = {
  // RFC 5869, A.1.
  async hkdf() {
    const key = await subtle.importKey("raw", bytes("0b".repeat(22)), "HKDF", false, ["deriveBits"]);
    const algorithm = { name: "HKDF", hash: "SHA-256", salt: bytes("000102030405060708090a0b0c"), info: bytes("f0f1f2f3f4f5f6f7f8f9") };
    return hex(await subtle.deriveBits(algorithm, key, 42 * 8));
  },
  // RFC 7914, 11.
  async pbkdf2() {
    const key = await subtle.importKey("raw", new TextEncoder().encode("passwd"), "PBKDF2", false, ["deriveBits", "deriveKey"]);
    const algorithm = { name: "PBKDF2", hash: "SHA-256", salt: new TextEncoder().encode("salt"), iterations: 1 };
    const derived = await subtle.deriveKey(algorithm, key, { name: "AES-GCM", length: 128 }, true, ["encrypt"]);
    return hex(await subtle.deriveBits(algorithm, key, 128)) + (hex(await subtle.exportKey("raw", derived)) === hex(await subtle.deriveBits(algorithm, key, 128)));
  },
  // The GCM specification, test case 14.
  async aesGcm() {
    const key = await subtle.importKey("raw", new Uint8Array(32), "AES-GCM", false, ["encrypt", "decrypt"]);
    const algorithm = { name: "AES-GCM", iv: new Uint8Array(12) };
    const sealed = await subtle.encrypt(algorithm, key, new Uint8Array(16));
    const opened = await subtle.decrypt(algorithm, key, sealed);
    const damaged = new Uint8Array(sealed.slice());
    damaged[3] ^= 1;
    const other = { ...algorithm, additionalData: bytes("01") };
    return [hex(sealed), hex(opened), await fails(subtle.decrypt(algorithm, key, damaged)), await fails(subtle.decrypt(other, key, sealed))];
  },
  async wrapped() {
    const wrapping = await subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["wrapKey", "unwrapKey"]);
    const key = await subtle.generateKey({ name: "HMAC", hash: "SHA-512" }, true, ["sign", "verify"]);
    const algorithm = { name: "AES-GCM", iv: new Uint8Array(12) };
    const wrapped = await subtle.wrapKey("jwk", key, wrapping, algorithm);
    const back = await subtle.unwrapKey("jwk", wrapped, wrapping, algorithm, { name: "HMAC", hash: "SHA-512" }, false, ["verify"]);
    return [await subtle.verify("HMAC", back, await subtle.sign("HMAC", key, data), data), back.usages, back.extractable];
  },
  async signatures() {
    const said = [];
    for (const [name, made] of Object.entries(KEYS)) {
      for (const [algorithmName, signature] of Object.entries(made.signatures)) {
        const hash = name.endsWith("384") ? "SHA-384" : "SHA-256";
        const algorithm = { name: algorithmName, hash, namedCurve: name.split(" ")[1], saltLength: 32 };
        const open = [
          await subtle.importKey("spki", base64(made.spki), algorithm, true, ["verify"]),
          await subtle.importKey("jwk", made.publicJwk, algorithm, true, ["verify"]),
        ];
        const secret = [
          await subtle.importKey("pkcs8", base64(made.pkcs8), algorithm, true, ["sign"]),
          await subtle.importKey("jwk", made.privateJwk, algorithm, true, ["sign"]),
        ];
        for (const key of open) {
          said.push(await subtle.verify(algorithm, key, base64(signature), data));
          said.push(!(await subtle.verify(algorithm, key, base64(signature), data.subarray(1))));
          for (const other of secret) said.push(await subtle.verify(algorithm, key, await subtle.sign(algorithm, other, data), data));
        }
        said.push(hex(await subtle.exportKey("spki", open[1])) === hex(base64(made.spki)));
        const back = await subtle.exportKey("jwk", secret[0]);
        said.push(Object.entries(made.privateJwk).every(([part, value]) => back[part] === value));
      }
    }
    return [said.length, said.every((right) => right)];
  },
  async generated() {
    const said = [];
    for (const algorithm of [{ name: "Ed25519" }, { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }, { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" }]) {
      const { publicKey, privateKey } = await subtle.generateKey(algorithm, false, ["sign", "verify"]);
      said.push(await subtle.verify(algorithm, publicKey, await subtle.sign(algorithm, privateKey, data), data), publicKey.extractable, privateKey.extractable);
    }
    return said;
  },
  async refusals() {
    const hmac = await subtle.importKey("raw", new Uint8Array(8), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    return [
      await fails(subtle.verify("HMAC", hmac, new Uint8Array(32), data)),
      await fails(subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array(12) }, hmac, data)),
      await fails(subtle.exportKey("raw", hmac)),
      await fails(subtle.importKey("raw", new Uint8Array(5), "AES-GCM", false, ["encrypt"])),
      await fails(subtle.importKey("raw", new Uint8Array(16), "AES-GCM", false, ["sign"])),
      await fails(subtle.importKey("raw", new Uint8Array(16), "AES-GCM", false, [])),
      await fails(subtle.importKey("spki", new Uint8Array([48, 130]), { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"])),
      await fails(subtle.digest("MD5", data)),
      await fails(subtle.generateKey({ name: "AES-OFB", length: 128 }, false, ["encrypt"])),
      (() => { try { return new CryptoKey(); } catch (error) { return error.name; } })(),
    ];
  },
};
export default async (request) => Response.json(await tests[new URL(request.url).pathname.slice(1)]());
"#;

/// What the test called `name` gives, as JSON.
async fn given(name: &str) -> String {
    let source = format!("const KEYS = {SIGNING_KEYS};\n{SOURCE}");
    Setup::fetch(&source).boot().await.ask(Ask::get(&format!("/{name}"))).await.text()
}

#[test]
fn keys_are_derived_as_the_standards_have_it() {
    run(async {
        let okm = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
        assert_eq!(given("hkdf").await, format!("\"{okm}\""));
        assert_eq!(given("pbkdf2").await, "\"55ac046e56e3089fec1691c22544b605true\"");
    });
}

#[test]
fn aes_gcm_encrypts_and_notices_what_was_changed() {
    run(async {
        let sealed = "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919";
        let zeros = "0".repeat(32);
        let expected = format!(r#"["{sealed}","{zeros}","OperationError","OperationError"]"#);
        assert_eq!(given("aesGcm").await, expected);
        assert_eq!(given("wrapped").await, r#"[true,["verify"],false]"#);
    });
}

#[test]
fn signatures_agree_with_those_of_node() {
    run(async {
        assert_eq!(given("signatures").await, "[50,true]");
        assert_eq!(given("generated").await, "[true,true,false,true,true,false,true,true,false]");
    });
}

#[test]
fn what_is_wrong_is_refused_by_the_error_of_the_standard() {
    run(async {
        let expected = [
            "InvalidAccessError",
            "InvalidAccessError",
            "InvalidAccessError",
            "DataError",
            "SyntaxError",
            "SyntaxError",
            "DataError",
            "NotSupportedError",
            "NotSupportedError",
            "TypeError",
        ];
        assert_eq!(given("refusals").await, serde_json::to_string(&expected).unwrap());
    });
}

//! Web Crypto and `node:crypto`, case by case against what Node.js gave: `crypto_cases/expected.mjs` writes that down.

use crate::support::{Ask, Setup, Worker, evaluate, run};
use serde_json::Value;
use vitrine_wire::Outcome;

const KEYS: &str = include_str!("crypto_cases/keys.json");

/// A worker that runs the cases of a file.
async fn booted(cases: &str) -> Worker {
    let source = format!(
        "import {{ cases }} from './cases.js';
         const all = cases({KEYS});
         export default async (request) => Response.json(await all[new URL(request.url).pathname.slice(1)]());"
    );
    // Code of dependencies is optimized here, what is generic in them is not.
    let setup = Setup::fetch(&source).file("server/cases.js", cases).limits(|limits| limits.cpu_ms = 20_000);
    setup.limits(|limits| limits.wall_ms = 60_000).boot().await
}

async fn compare(cases: &str, expected: &str) {
    let worker = booted(cases).await;
    let expected: serde_json::Map<String, Value> = serde_json::from_str(expected).expect("JSON");
    assert!(expected.len() > 5);
    for (name, expected) in expected {
        let given = worker.ask(Ask::get(&format!("/{name}"))).await.text();
        let given: Value = serde_json::from_str(&given).expect("JSON");
        if given != expected {
            panic!("{name}\n{}", differences("", &given, &expected).join("\n"));
        }
    }
}

/// Where two values differ.
fn differences(place: &str, given: &Value, expected: &Value) -> Vec<String> {
    match (given, expected) {
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let pairs = left.iter().zip(right).enumerate();
            pairs
                .flat_map(|(at, (left, right))| differences(&format!("{place}[{at}]"), left, right))
                .collect()
        }
        (Value::Object(left), Value::Object(right)) if left.keys().eq(right.keys()) => left
            .iter()
            .flat_map(|(key, left)| differences(&format!("{place}.{key}"), left, &right[key]))
            .collect(),
        _ if given == expected => Vec::new(),
        _ => vec![format!("{place}: {given}, Node.js gives {expected}")],
    }
}

#[test]
fn web_crypto_gives_what_node_gives() {
    run(compare(include_str!("crypto_cases/web.js"), include_str!("crypto_cases/web.json")));
}

#[test]
fn node_crypto_gives_what_node_gives() {
    run(compare(include_str!("crypto_cases/node.js"), include_str!("crypto_cases/node.json")));
}

/// Work that takes longer than any page may, a step at a time.
const ENDLESS: &str = r#"
import { pbkdf2Sync, generateKeyPairSync, createHash } from 'node:crypto';
const { subtle } = crypto;
const secret = (name) => subtle.importKey('raw', new Uint8Array(16), name, false, ['deriveBits']);
const routes = {
  '/pbkdf2': async () => subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(16), iterations: 4e9 }, await secret('PBKDF2'), 512),
  '/blocks': async () => subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: new Uint8Array(16), iterations: 1 }, await secret('PBKDF2'), 2 ** 28),
  '/pbkdf2Sync': () => pbkdf2Sync('a', 'b', 2e9, 64, 'sha1'),
  '/rsa': async () => { for (;;) await subtle.generateKey({ name: 'RSA-PSS', hash: 'SHA-256', modulusLength: 4096, publicExponent: new Uint8Array([1, 0, 1]) }, true, ['sign']); },
  '/rsaSync': () => { for (;;) generateKeyPairSync('rsa', { modulusLength: 4096 }); },
  '/hash': () => { const much = new Uint8Array(32 << 20); for (;;) createHash('sha512').update(much).digest(); },
};
export default { async fetch(request) {
  const route = routes[new URL(request.url).pathname];
  if (route !== undefined) await route();
  return new Response('fine');
} };
"#;

#[test]
fn work_that_takes_too_long_is_ended_between_two_steps() {
    run(async {
        let setup = Setup::fetch(ENDLESS).limits(|limits| {
            limits.cpu_ms = 150;
            limits.wall_ms = 60_000;
        });
        let worker = setup.boot().await;
        for path in ["/pbkdf2", "/blocks", "/pbkdf2Sync", "/rsa", "/rsaSync", "/hash"] {
            assert_eq!(worker.get(path).await.done.outcome, Outcome::CpuLimit, "{path}");
            assert_eq!(worker.get("/").await.text(), "fine", "after {path}");
        }
    });
}

/// What an op can't be interrupted in is refused above its bound.
#[test]
fn work_that_can_not_be_ended_is_bounded() {
    run(async {
        let body = "const said = async (act) => { try { await act(); return null; } catch (error) { return `${error.name}: ${error.message}`; } };
          const key = async (name, usages, length = 16) => crypto.subtle.importKey('raw', new Uint8Array(length), name, true, usages);
          const hkdf = { name: 'HKDF', hash: 'SHA-1', salt: new Uint8Array(1), info: new Uint8Array(1 << 19) };
          const much = await key({ name: 'HMAC', hash: 'SHA-1' }, ['sign'], 1 << 17);
          const pair = await crypto.subtle.generateKey('Ed25519', false, ['sign']);
          return [
            await said(async () => crypto.subtle.deriveBits(hkdf, await crypto.subtle.importKey('raw', new Uint8Array(1), 'HKDF', false, ['deriveBits']), 8)),
            await said(() => scryptSync('a', 'b', 8, { N: 2 ** 14, r: 8, p: 16, maxmem: 1e9 })),
            await said(() => scryptSync('a', 'b', 8, { N: 2 ** 18, r: 8, maxmem: 1e9 })),
            await said(async () => crypto.subtle.wrapKey('raw', much, await key('AES-KW', ['wrapKey']), 'AES-KW')),
            await said(() => crypto.subtle.sign('Ed25519', pair.privateKey, new Uint8Array(65 << 20))),
            await said(() => generateKeyPairSync('rsa', { modulusLength: 8192 })),
          ].map((text) => text?.split(' ').slice(0, 4).join(' '));";
        let imports = "import { generateKeyPairSync, scryptSync } from 'node:crypto';";
        let expected = [
            "OperationError: Secret, salt and",
            "RangeError: scrypt: 128 *",
            "RangeError: scrypt: 128 *",
            "OperationError: AES-KW wraps keys",
            "OperationError: Ed25519 takes at",
            "Error: A key of",
        ];
        assert_eq!(evaluate(imports, body).await, serde_json::to_string(&expected).unwrap());
    });
}

/// Values of the standards, which Node.js was not asked for.
#[test]
fn the_standards_own_vectors_hold() {
    run(async {
        let body = "const { subtle } = crypto;
          const bytes = (text) => new Uint8Array(Buffer.from(text, 'hex'));
          const hex = (buffer) => Buffer.from(buffer).toString('hex');
          const key = (name, usage, text) => subtle.importKey('raw', bytes(text), name, true, [usage]);
          const block = '6bc1bee22e409f96e93d7e117393172a';
          const aes = '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4';
          return [
            // NIST SP 800-38A, F.2.5 and F.5.5.
            hex(await subtle.encrypt({ name: 'AES-CBC', iv: bytes('000102030405060708090a0b0c0d0e0f') }, await key('AES-CBC', 'encrypt', aes), bytes(block))).slice(0, 32),
            hex(await subtle.encrypt({ name: 'AES-CTR', length: 128, counter: bytes('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff') }, await key('AES-CTR', 'encrypt', aes), bytes(block))),
            // RFC 3394, 4.1.
            hex(await subtle.wrapKey('raw', await key('AES-CBC', 'encrypt', '00112233445566778899aabbccddeeff'), await key('AES-KW', 'wrapKey', '000102030405060708090a0b0c0d0e0f'), 'AES-KW')),
            // The GCM specification, test case 5.
            hex(await subtle.encrypt({ name: 'AES-GCM', iv: bytes('cafebabefacedbad'), additionalData: bytes('feedfacedeadbeeffeedfacedeadbeefabaddad2') }, await key('AES-GCM', 'encrypt', 'feffe9928665731c6d6a8f9467308308'),
              bytes('d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39'))).slice(-32),
            // RFC 8032, 7.1.
            await subtle.verify('Ed25519', await key('Ed25519', 'verify', 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'), bytes('e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b'), new Uint8Array(0)),
          ];";
        let expected = [
            "\"f58c4c04d6e5f1ba779eabfb5f7bfbd6\"",
            "\"601ec313775789a5b7a7f504bbf3d228\"",
            "\"1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5\"",
            "\"3612d2e79e3b0785561be14aaca2fccb\"",
            "true",
        ];
        assert_eq!(evaluate("", body).await, format!("[{}]", expected.join(",")));
    });
}

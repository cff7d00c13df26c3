//! Randomness and hashes.

use deno_core::op2;
use deno_error::JsErrorBox;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

/// Fills a buffer with random bytes.
#[op2(fast)]
pub fn op_random_fill(#[buffer] bytes: &mut [u8]) -> Result<(), JsErrorBox> {
    getrandom::fill(bytes)
        .map_err(|error| JsErrorBox::generic(format!("The system gives no random bytes: {error}")))
}

/// A random UUID.
#[op2]
#[string]
pub fn op_random_uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// The digest of `data` by the hash called `name`.
#[op2]
#[buffer]
pub fn op_digest(#[string] name: &str, #[buffer] data: &[u8]) -> Result<Box<[u8]>, JsErrorBox> {
    Ok(match name {
        "MD5" => digest::<Md5>(data),
        "SHA-1" => digest::<Sha1>(data),
        "SHA-256" => digest::<Sha256>(data),
        "SHA-384" => digest::<Sha384>(data),
        "SHA-512" => digest::<Sha512>(data),
        _ => return Err(unknown(name)),
    })
}

/// The HMAC of `data` under `key` with the hash called `name`.
#[op2]
#[buffer]
pub fn op_hmac(
    #[string] name: &str,
    #[buffer] key: &[u8],
    #[buffer] data: &[u8],
) -> Result<Box<[u8]>, JsErrorBox> {
    match name {
        "MD5" => mac::<Hmac<Md5>>(key, data),
        "SHA-1" => mac::<Hmac<Sha1>>(key, data),
        "SHA-256" => mac::<Hmac<Sha256>>(key, data),
        "SHA-384" => mac::<Hmac<Sha384>>(key, data),
        "SHA-512" => mac::<Hmac<Sha512>>(key, data),
        _ => Err(unknown(name)),
    }
}

/// Whether two byte strings are the same, in a time that does not tell where they differ.
#[op2(fast)]
pub fn op_same_bytes(#[buffer] left: &[u8], #[buffer] right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

fn digest<D: Digest>(data: &[u8]) -> Box<[u8]> {
    D::digest(data).to_vec().into_boxed_slice()
}

fn mac<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Result<Box<[u8]>, JsErrorBox> {
    let keyed = <M as KeyInit>::new_from_slice(key);
    let mut mac = keyed.map_err(|_| JsErrorBox::type_error("The key has a length that HMAC can't use"))?;
    mac.update(data);
    Ok(mac.finalize().into_bytes().to_vec().into_boxed_slice())
}

fn unknown(name: &str) -> JsErrorBox {
    JsErrorBox::type_error(format!("The hash \"{name}\" is not available"))
}

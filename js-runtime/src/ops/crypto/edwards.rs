//! Ed25519 and X25519.

use super::{fill, unknown};
use crate::limits::isolate::ED25519_DATA_BYTES_MAX;
use curve25519_dalek::MontgomeryPoint;
use deno_core::op2;
use deno_error::JsErrorBox;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

/// Bytes of a seed, and of a public key.
const KEY_BYTES: usize = 32;

/// The private key with that seed, or nothing if it is none.
///
/// # Errors
/// There is no kind of that name.
pub fn private_key(kind: &str, seed: &[u8]) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    let Ok(bytes) = <[u8; KEY_BYTES]>::try_from(seed) else { return Ok(None) };
    let public = match kind {
        "Ed25519" => SigningKey::from_bytes(&bytes).verifying_key().to_bytes(),
        "X25519" => MontgomeryPoint::mul_base_clamped(bytes).to_bytes(),
        other => return Err(unknown(other)),
    };
    Ok(Some([bytes, public].concat().into()))
}

/// The private key with that seed, or nothing if it is none.
///
/// # Errors
/// There is no kind of that name.
#[op2]
#[buffer]
pub fn op_edwards_private_key(
    #[string] kind: &str,
    #[buffer] seed: &[u8],
) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    private_key(kind, seed)
}

/// A new private key.
///
/// # Errors
/// There is no kind of that name, or the system gives no random bytes.
#[op2]
#[buffer]
pub fn op_edwards_generate(#[string] kind: &str) -> Result<Box<[u8]>, JsErrorBox> {
    let mut seed = [0; KEY_BYTES];
    fill(&mut seed)?;
    private_key(kind, &seed)?.ok_or_else(|| unknown(kind))
}

fn bounded(data: &[u8]) -> Result<(), JsErrorBox> {
    if data.len() <= ED25519_DATA_BYTES_MAX {
        return Ok(());
    }
    let message = format!("Ed25519 takes at most {ED25519_DATA_BYTES_MAX} bytes at once");
    Err(JsErrorBox::range_error(message))
}

/// A signature by Ed25519; nothing if the key can't sign.
///
/// # Errors
/// There is too much data.
#[op2]
#[buffer]
pub fn op_ed25519_sign(
    #[buffer] private: &[u8],
    #[buffer] data: &[u8],
) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    bounded(data)?;
    let pair = <[u8; 2 * KEY_BYTES]>::try_from(private).ok();
    let key = pair.and_then(|pair| SigningKey::from_keypair_bytes(&pair).ok());
    Ok(key.map(|key| key.sign(data).to_bytes().into()))
}

/// Whether a signature by Ed25519 is right.
///
/// # Errors
/// There is too much data.
#[op2(fast)]
pub fn op_ed25519_verify(
    #[buffer] public: &[u8],
    #[buffer] data: &[u8],
    #[buffer] signature: &[u8],
) -> Result<bool, JsErrorBox> {
    bounded(data)?;
    let key = <[u8; KEY_BYTES]>::try_from(public).ok();
    let key = key.and_then(|key| VerifyingKey::from_bytes(&key).ok());
    let signature = Signature::from_slice(signature).ok();
    Ok(key.zip(signature).is_some_and(|(key, signature)| key.verify_strict(data, &signature).is_ok()))
}

/// The secret that two keys of X25519 share; nothing if they share none.
#[op2]
#[buffer]
pub fn op_x25519_agree(#[buffer] private: &[u8], #[buffer] public: &[u8]) -> Option<Box<[u8]>> {
    let seed: [u8; KEY_BYTES] = private.get(..KEY_BYTES)?.try_into().ok()?;
    let public: [u8; KEY_BYTES] = public.try_into().ok()?;
    let shared = MontgomeryPoint(public).mul_clamped(seed).to_bytes();
    (shared != [0; KEY_BYTES]).then(|| shared.into())
}

//! Randomness, hashes, ciphers, keys and signatures: what Web Crypto and `node:crypto` stand on.
//!
//! The watchdog can't interrupt an op. What takes long is done in steps, each of them bounded, and `js/web/crypto_steps.js` calls them until
//! there is nothing left to do.
//!
//! A key crosses the boundary as bytes of one form:
//!
//! | kind | public | private |
//! |---|---|---|
//! | `rsa` | PKCS #1 | PKCS #1 |
//! | `P-256`, `P-384`, `P-521` | the point, uncompressed | the scalar, then the point |
//! | `Ed25519`, `X25519` | 32 bytes | the seed, then the public key |

pub mod cipher;
pub mod curve;
pub mod derivation;
pub mod edwards;
pub mod hash;
pub mod key_file;
pub mod rsa;
pub mod rsa_generation;

use deno_core::op2;
use deno_error::JsErrorBox;
use subtle::ConstantTimeEq;

/// Fills a buffer with random bytes.
///
/// # Errors
/// The system gives none.
#[op2(fast)]
pub fn op_random_fill(#[buffer] bytes: &mut [u8]) -> Result<(), JsErrorBox> {
    fill(bytes)
}

/// A random UUID.
#[op2]
#[string]
pub fn op_random_uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Whether two byte strings are the same, in a time that does not tell where they differ.
#[op2(fast)]
pub fn op_same_bytes(#[buffer] left: &[u8], #[buffer] right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// Fills `bytes` with random ones.
fn fill(bytes: &mut [u8]) -> Result<(), JsErrorBox> {
    getrandom::fill(bytes)
        .map_err(|error| JsErrorBox::generic(format!("The system gives no random bytes: {error}")))
}

fn unknown(name: &str) -> JsErrorBox {
    JsErrorBox::type_error(format!("\"{name}\" is not available"))
}

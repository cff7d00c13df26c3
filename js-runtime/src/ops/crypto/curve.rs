//! Elliptic curves: ECDSA and ECDH.

use super::{fill, unknown};
use deno_core::op2;
use deno_error::JsErrorBox;
use p256::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use p256::elliptic_curve::sec1::ToSec1Point as _;

/// Evaluates an expression with the crate of a curve under the name that is given; an error if there is no curve of that name.
macro_rules! with_curve {
    ($name:expr, $curve:ident => $body:expr) => {
        match $name {
            "P-256" => {
                use p256 as $curve;
                Ok($body)
            }
            "P-384" => {
                use p384 as $curve;
                Ok($body)
            }
            "P-521" => {
                use p521 as $curve;
                Ok($body)
            }
            other => Err(unknown(other)),
        }
    };
}

/// Bytes of a coordinate of a curve.
///
/// # Errors
/// There is no curve of that name.
pub fn coordinate_bytes(curve: &str) -> Result<usize, JsErrorBox> {
    match curve {
        "P-256" => Ok(32),
        "P-384" => Ok(48),
        "P-521" => Ok(66),
        other => Err(unknown(other)),
    }
}

/// A number, its most significant byte first, in as many bytes; nothing if it has more.
fn padded(number: &[u8], bytes: usize) -> Option<Vec<u8>> {
    let zeros = bytes.checked_sub(number.len())?;
    Some([&vec![0; zeros], number].concat())
}

/// The hash as ECDSA takes it: one that is shorter than a coordinate stands for the same number.
fn message(hash: &[u8], bytes: usize) -> Vec<u8> {
    padded(hash, bytes).unwrap_or_else(|| hash.to_vec())
}

/// The scalar of a private key.
fn scalar(private: &[u8], bytes: usize) -> &[u8] {
    private.get(..bytes).unwrap_or_default()
}

/// The private key with that scalar; `None` if the scalar is out of range.
///
/// # Errors
/// There is no curve of that name.
pub fn private_key(curve: &str, number: &[u8]) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    let Some(number) = padded(number, coordinate_bytes(curve)?) else { return Ok(None) };
    with_curve!(curve, c => c::SecretKey::from_slice(&number).ok().map(|secret| {
        let point = secret.public_key().to_sec1_point(false);
        [number.as_slice(), point.as_bytes()].concat().into()
    }))
}

/// The point as it is kept, from any of its forms; nothing if it is none of the curve.
///
/// # Errors
/// There is no curve of that name.
pub fn public_key(curve: &str, point: &[u8]) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    with_curve!(curve, c => {
        let key = c::PublicKey::from_sec1_bytes(point).ok();
        key.map(|key| key.to_sec1_point(false).as_bytes().into())
    })
}

/// The private key with that scalar; `None` if the scalar is out of range.
///
/// # Errors
/// There is no curve of that name.
#[op2]
#[buffer]
pub fn op_ec_private_key(
    #[string] curve: &str,
    #[buffer] number: &[u8],
) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    private_key(curve, number)
}

/// The point as it is kept, from any of its forms; nothing if it is none of the curve.
///
/// # Errors
/// There is no curve of that name.
#[op2]
#[buffer]
pub fn op_ec_public_key(
    #[string] curve: &str,
    #[buffer] point: &[u8],
) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    public_key(curve, point)
}

/// A point in its short form.
///
/// # Errors
/// There is no curve of that name.
#[op2]
#[buffer]
pub fn op_ec_compressed(
    #[string] curve: &str,
    #[buffer] point: &[u8],
) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    with_curve!(curve, c => {
        let key = c::PublicKey::from_sec1_bytes(point).ok();
        key.map(|key| key.to_sec1_point(true).as_bytes().into())
    })
}

/// A new private key.
///
/// # Errors
/// There is no curve of that name, or the system gives no random bytes.
#[op2]
#[buffer]
pub fn op_ec_generate(#[string] curve: &str) -> Result<Box<[u8]>, JsErrorBox> {
    let mut number = vec![0; coordinate_bytes(curve)?];
    loop {
        fill(&mut number)?;
        if curve == "P-521" {
            // All but one of 128 numbers of 66 bytes would be too large.
            number[0] &= 1;
        }
        if let Some(key) = private_key(curve, &number)? {
            return Ok(key);
        }
    }
}

/// A signature of a hash by ECDSA: r, then s. Nothing if the key can't sign.
///
/// # Errors
/// There is no curve of that name.
#[op2]
#[buffer]
pub fn op_ec_sign(
    #[string] curve: &str,
    #[buffer] private: &[u8],
    #[buffer] hash: &[u8],
) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    let bytes = coordinate_bytes(curve)?;
    with_curve!(curve, c => {
        let key = c::ecdsa::SigningKey::from_slice(scalar(private, bytes)).ok();
        let signed = key.and_then(|key| key.sign_prehash(&message(hash, bytes)).ok());
        signed.map(|signature: c::ecdsa::Signature| signature.to_bytes().to_vec().into())
    })
}

/// Whether a signature of a hash is right: r, then s.
///
/// # Errors
/// There is no curve of that name.
#[op2(fast)]
pub fn op_ec_verify(
    #[string] curve: &str,
    #[buffer] public: &[u8],
    #[buffer] hash: &[u8],
    #[buffer] signature: &[u8],
) -> Result<bool, JsErrorBox> {
    let bytes = coordinate_bytes(curve)?;
    with_curve!(curve, c => {
        let key = c::ecdsa::VerifyingKey::from_sec1_bytes(public);
        match (key, c::ecdsa::Signature::from_slice(signature)) {
            (Ok(key), Ok(signature)) => key.verify_prehash(&message(hash, bytes), &signature).is_ok(),
            _ => false,
        }
    })
}

/// The secret that two keys share; nothing if they are none of the curve.
///
/// # Errors
/// There is no curve of that name.
#[op2]
#[buffer]
pub fn op_ec_agree(
    #[string] curve: &str,
    #[buffer] private: &[u8],
    #[buffer] public: &[u8],
) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    let bytes = coordinate_bytes(curve)?;
    with_curve!(curve, c => {
        let secret = c::SecretKey::from_slice(scalar(private, bytes)).ok();
        secret.zip(c::PublicKey::from_sec1_bytes(public).ok()).map(|(secret, public)| {
            let shared = c::ecdh::diffie_hellman(secret.to_nonzero_scalar(), public.as_affine());
            shared.raw_secret_bytes().to_vec().into()
        })
    })
}

/// A signature as DER, from r and s.
///
/// # Errors
/// There is no curve of that name.
#[op2]
#[buffer]
pub fn op_ec_signature_to_der(
    #[string] curve: &str,
    #[buffer] signature: &[u8],
) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    with_curve!(curve, c => {
        let signature = c::ecdsa::Signature::from_slice(signature).ok();
        signature.map(|signature| signature.to_der().as_bytes().into())
    })
}

/// r and s of a signature as DER; nothing if it is none.
///
/// # Errors
/// There is no curve of that name.
#[op2]
#[buffer]
pub fn op_ec_signature_from_der(
    #[string] curve: &str,
    #[buffer] signature: &[u8],
) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    with_curve!(curve, c => {
        let signature = c::ecdsa::Signature::from_der(signature).ok();
        signature.map(|signature| signature.to_bytes().to_vec().into())
    })
}

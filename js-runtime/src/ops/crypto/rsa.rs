//! RSA: signatures and encryption.

use super::hash::with_hash;
use super::unknown;
use crate::limits::isolate::RSA_KEY_BYTES_MAX;
use deno_core::{JsBuffer, ToJsBuffer, op2};
use deno_error::JsErrorBox;
use getrandom::SysRng;
use rsa::pkcs1::{
    self, DecodeRsaPrivateKey as _, DecodeRsaPublicKey as _, EncodeRsaPrivateKey as _,
    EncodeRsaPublicKey as _,
};
use rsa::traits::SignatureScheme;
use rsa::{Oaep, Pkcs1v15Encrypt, Pkcs1v15Sign, PrivateKey, Pss, PublicKey};

fn private_key(bytes: &[u8]) -> Option<PrivateKey> {
    if bytes.len() > RSA_KEY_BYTES_MAX {
        return None;
    }
    PrivateKey::from_pkcs1_der(bytes).ok()
}

fn public_key(bytes: &[u8]) -> Option<PublicKey> {
    if bytes.len() > RSA_KEY_BYTES_MAX {
        return None;
    }
    PublicKey::from_pkcs1_der(bytes).ok()
}

/// The key in PKCS #1 as it is kept, or nothing if it is none that can be used.
pub fn checked(is_private: bool, bytes: &[u8]) -> Option<Box<[u8]>> {
    if is_private {
        let key = private_key(bytes)?;
        PublicKey::new(modulus(&key), exponent(&key)).ok()?;
        encoded(&key)
    } else {
        Some(public_key(bytes)?.to_pkcs1_der().ok()?.as_bytes().into())
    }
}

/// A private key in PKCS #1.
pub fn encoded(key: &PrivateKey) -> Option<Box<[u8]>> {
    Some(key.to_pkcs1_der().ok()?.as_bytes().into())
}

fn modulus(key: &PrivateKey) -> crypto_bigint::BoxedUint {
    use rsa::traits::PublicKeyParts as _;
    key.n().as_ref().clone()
}

fn exponent(key: &PrivateKey) -> crypto_bigint::BoxedUint {
    use rsa::traits::PublicKeyParts as _;
    key.e().clone()
}

/// The public key of a private one.
#[op2]
#[buffer]
pub fn op_rsa_public_key(#[buffer] private: &[u8]) -> Option<Box<[u8]>> {
    let key = pkcs1::RsaPrivateKeyRef::try_from(private).ok()?;
    let public = pkcs1::RsaPublicKeyRef { modulus: key.modulus, public_exponent: key.public_exponent };
    Some(pkcs1::der::Encode::to_der(&public).ok()?.into())
}

/// The numbers of a key, their most significant byte first: n, e; of a private key also d, p, q, dp, dq, qi.
#[op2]
#[serde]
pub fn op_rsa_numbers(is_private: bool, #[buffer] key: &[u8]) -> Option<Vec<ToJsBuffer>> {
    let owned = |numbers: &[pkcs1::UintRef<'_>]| {
        numbers.iter().map(|number| ToJsBuffer::from(number.as_bytes().to_vec())).collect()
    };
    if is_private {
        let key = pkcs1::RsaPrivateKeyRef::try_from(key).ok()?;
        return Some(owned(&[
            key.modulus,
            key.public_exponent,
            key.private_exponent,
            key.prime1,
            key.prime2,
            key.exponent1,
            key.exponent2,
            key.coefficient,
        ]));
    }
    let key = pkcs1::RsaPublicKeyRef::try_from(key).ok()?;
    Some(owned(&[key.modulus, key.public_exponent]))
}

/// The key with these numbers, in the order of [`op_rsa_numbers`]; nothing if they don't fit together.
#[op2]
#[buffer]
pub fn op_rsa_key(#[serde] numbers: Vec<JsBuffer>) -> Option<Box<[u8]>> {
    use pkcs1::der::Encode as _;
    if numbers.iter().map(|number| number.len()).sum::<usize>() > RSA_KEY_BYTES_MAX {
        return None;
    }
    let numbers: Vec<pkcs1::UintRef<'_>> =
        numbers.iter().map(|number| pkcs1::UintRef::new(number).ok()).collect::<Option<_>>()?;
    match numbers[..] {
        [modulus, public_exponent] => {
            let key = pkcs1::RsaPublicKeyRef { modulus, public_exponent };
            checked(false, &key.to_der().ok()?)
        }
        [modulus, public_exponent, private_exponent, prime1, prime2, exponent1, exponent2, coefficient] => {
            let key = pkcs1::RsaPrivateKey {
                modulus,
                public_exponent,
                private_exponent,
                prime1,
                prime2,
                exponent1,
                exponent2,
                coefficient,
                other_prime_infos: None,
            };
            let checked = checked(true, &key.to_der().ok()?)?;
            // Those that follow from the others are computed again; a key that says something else is damaged.
            let again = pkcs1::RsaPrivateKeyRef::try_from(&checked[..]).ok()?;
            let same = again.exponent1 == exponent1
                && again.exponent2 == exponent2
                && again.coefficient == coefficient;
            same.then_some(checked)
        }
        _ => None,
    }
}

/// The salt of PSS: its bytes, or any length, where a signature is checked.
fn salt(bytes: i32) -> Option<usize> {
    usize::try_from(bytes).ok()
}

fn sign(scheme: impl SignatureScheme, key: &PrivateKey, hash: &[u8]) -> Option<Box<[u8]>> {
    key.sign_with_rng(&mut SysRng, scheme, hash).ok().map(Into::into)
}

/// A signature of a hash with the padding `PKCS1` or `PSS`; nothing if the key can't sign.
///
/// # Errors
/// There is no padding or hash of that name.
#[op2]
#[buffer]
pub fn op_rsa_sign(
    #[string] padding: &str,
    #[string] hash_name: &str,
    salt_bytes: i32,
    #[buffer] private: &[u8],
    #[buffer] hash: &[u8],
) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    let Some(key) = private_key(private) else { return Ok(None) };
    match (padding, salt(salt_bytes)) {
        ("PKCS1", _) => with_hash!(hash_name, Hash => sign(Pkcs1v15Sign::new::<Hash>(), &key, hash)),
        ("PSS", Some(salt)) => {
            with_hash!(hash_name, Hash => sign(Pss::<Hash>::new_with_salt(salt), &key, hash))
        }
        _ => Err(unknown(padding)),
    }
}

/// Whether a signature of a hash is right. A negative salt stands for one of any length.
///
/// # Errors
/// There is no padding or hash of that name.
#[op2(nofast)]
pub fn op_rsa_verify(
    #[string] padding: &str,
    #[string] hash_name: &str,
    salt_bytes: i32,
    #[buffer] public: &[u8],
    #[buffer] hash: &[u8],
    #[buffer] signature: &[u8],
) -> Result<bool, JsErrorBox> {
    let Some(key) = public_key(public) else { return Ok(false) };
    match padding {
        "PKCS1" => {
            with_hash!(hash_name, Hash => key.verify(Pkcs1v15Sign::new::<Hash>(), hash, signature).is_ok())
        }
        "PSS" => with_hash!(hash_name, Hash => {
            let scheme = Pss::<Hash> { salt_len: salt(salt_bytes), ..Pss::new() };
            key.verify(scheme, hash, signature).is_ok()
        }),
        _ => Err(unknown(padding)),
    }
}

/// Encrypts with the padding `PKCS1` or `OAEP`; nothing if the data is too long for the key.
///
/// # Errors
/// There is no padding or hash of that name.
#[op2]
#[buffer]
pub fn op_rsa_encrypt(
    #[string] padding: &str,
    #[string] hash_name: &str,
    #[buffer] label: &[u8],
    #[buffer] public: &[u8],
    #[buffer] data: &[u8],
) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    let Some(key) = public_key(public) else { return Ok(None) };
    let encrypted = match padding {
        "PKCS1" => key.encrypt(&mut SysRng, Pkcs1v15Encrypt, data),
        "OAEP" => with_hash!(hash_name, Hash => {
            key.encrypt(&mut SysRng, Oaep::<Hash>::new_with_label(label), data)
        })?,
        _ => return Err(unknown(padding)),
    };
    Ok(encrypted.ok().map(Into::into))
}

/// Decrypts what [`op_rsa_encrypt`] made; nothing if it was made for another key.
///
/// # Errors
/// There is no padding or hash of that name.
#[op2]
#[buffer]
pub fn op_rsa_decrypt(
    #[string] padding: &str,
    #[string] hash_name: &str,
    #[buffer] label: &[u8],
    #[buffer] private: &[u8],
    #[buffer] data: &[u8],
) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    let Some(key) = private_key(private) else { return Ok(None) };
    let decrypted = match padding {
        "PKCS1" => key.decrypt(Pkcs1v15Encrypt, data),
        "OAEP" => with_hash!(hash_name, Hash => key.decrypt(Oaep::<Hash>::new_with_label(label), data))?,
        _ => return Err(unknown(padding)),
    };
    Ok(decrypted.ok().map(Into::into))
}

//! Encryption, signatures and derived keys. A public key is what the BIT STRING of its SPKI holds, a private one is PKCS #8.

use deno_core::op2;
use deno_error::JsErrorBox;
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair, UnparsedPublicKey};
use ring::{hkdf, pbkdf2};
use std::num::NonZeroU32;

/// Encrypts with AES-GCM; the tag is at the end. The nonce has 12 bytes.
#[op2]
#[buffer]
pub fn op_aes_gcm_seal(
    #[buffer] key: &[u8],
    #[buffer] nonce: &[u8],
    #[buffer] additional: &[u8],
    #[buffer] data: &[u8],
) -> Result<Box<[u8]>, JsErrorBox> {
    let (key, nonce) = aes_gcm(key, nonce)?;
    let mut bytes = data.to_vec();
    key.seal_in_place_append_tag(nonce, Aad::from(additional), &mut bytes)
        .map_err(|_| JsErrorBox::type_error("The data is too long for AES-GCM"))?;
    Ok(bytes.into())
}

/// Decrypts what [`op_aes_gcm_seal`] made; nothing if the tag does not fit.
#[op2]
#[buffer]
pub fn op_aes_gcm_open(
    #[buffer] key: &[u8],
    #[buffer] nonce: &[u8],
    #[buffer] additional: &[u8],
    #[buffer] data: &[u8],
) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    let (key, nonce) = aes_gcm(key, nonce)?;
    let mut bytes = data.to_vec();
    let opened = key.open_in_place(nonce, Aad::from(additional), &mut bytes);
    Ok(opened.ok().map(|plain| plain.to_vec().into()))
}

fn aes_gcm(key: &[u8], nonce: &[u8]) -> Result<(LessSafeKey, Nonce), JsErrorBox> {
    let algorithm = if key.len() == AES_128_GCM.key_len() { &AES_128_GCM } else { &AES_256_GCM };
    let key = UnboundKey::new(algorithm, key)
        .map_err(|_| JsErrorBox::type_error("A key of AES-GCM has 16 or 32 bytes here"))?;
    let nonce = Nonce::try_assume_unique_for_key(nonce)
        .map_err(|_| JsErrorBox::type_error("The iv of AES-GCM has 12 bytes here"))?;
    Ok((LessSafeKey::new(key), nonce))
}

/// Length of a derived key, as `ring` asks for it.
struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// Bytes derived by HKDF; nothing if the hash can't give as many.
#[op2]
#[buffer]
pub fn op_hkdf(
    #[string] hash: &str,
    #[buffer] secret: &[u8],
    #[buffer] salt: &[u8],
    #[buffer] info: &[u8],
    length: u32,
) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    let algorithm = match hash {
        "SHA-1" => hkdf::HKDF_SHA1_FOR_LEGACY_USE_ONLY,
        "SHA-256" => hkdf::HKDF_SHA256,
        "SHA-384" => hkdf::HKDF_SHA384,
        "SHA-512" => hkdf::HKDF_SHA512,
        _ => return Err(unknown(hash)),
    };
    let mut bytes = vec![0; length as usize];
    let pseudo_random = hkdf::Salt::new(algorithm, salt).extract(secret);
    let filled = pseudo_random.expand(&[info], Length(bytes.len())).and_then(|okm| okm.fill(&mut bytes));
    Ok(filled.ok().map(|()| bytes.into()))
}

/// Bytes derived by PBKDF2.
#[op2]
#[buffer]
pub fn op_pbkdf2(
    #[string] hash: &str,
    #[buffer] secret: &[u8],
    #[buffer] salt: &[u8],
    iterations: u32,
    length: u32,
) -> Result<Box<[u8]>, JsErrorBox> {
    let algorithm = match hash {
        "SHA-1" => pbkdf2::PBKDF2_HMAC_SHA1,
        "SHA-256" => pbkdf2::PBKDF2_HMAC_SHA256,
        "SHA-384" => pbkdf2::PBKDF2_HMAC_SHA384,
        "SHA-512" => pbkdf2::PBKDF2_HMAC_SHA512,
        _ => return Err(unknown(hash)),
    };
    let iterations =
        NonZeroU32::new(iterations).ok_or_else(|| JsErrorBox::type_error("PBKDF2 needs an iteration"))?;
    let mut bytes = vec![0; length as usize];
    pbkdf2::derive(algorithm, iterations, salt, secret, &mut bytes);
    Ok(bytes.into())
}

/// Whether a signature is right. `scheme` is the algorithm and what it is used with, such as `ECDSA P-256 SHA-256`.
#[op2(fast)]
pub fn op_verify(
    #[string] scheme: &str,
    #[buffer] key: &[u8],
    #[buffer] data: &[u8],
    #[buffer] signed: &[u8],
) -> Result<bool, JsErrorBox> {
    let algorithm: &dyn signature::VerificationAlgorithm = match scheme {
        "ECDSA P-256 SHA-256" => &signature::ECDSA_P256_SHA256_FIXED,
        "ECDSA P-384 SHA-384" => &signature::ECDSA_P384_SHA384_FIXED,
        "Ed25519" => &signature::ED25519,
        "RSASSA-PKCS1-v1_5 SHA-256" => &signature::RSA_PKCS1_2048_8192_SHA256,
        "RSASSA-PKCS1-v1_5 SHA-384" => &signature::RSA_PKCS1_2048_8192_SHA384,
        "RSASSA-PKCS1-v1_5 SHA-512" => &signature::RSA_PKCS1_2048_8192_SHA512,
        "RSA-PSS SHA-256" => &signature::RSA_PSS_2048_8192_SHA256,
        "RSA-PSS SHA-384" => &signature::RSA_PSS_2048_8192_SHA384,
        "RSA-PSS SHA-512" => &signature::RSA_PSS_2048_8192_SHA512,
        _ => return Err(unknown(scheme)),
    };
    Ok(UnparsedPublicKey::new(algorithm, key).verify(data, signed).is_ok())
}

/// A signature by a private key; nothing if the key is none of the scheme.
#[op2]
#[buffer]
pub fn op_sign(
    #[string] scheme: &str,
    #[buffer] pkcs8: &[u8],
    #[buffer] data: &[u8],
) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    let rsa: &dyn signature::RsaEncoding = match scheme {
        "Ed25519" => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).ok();
            return Ok(pair.map(|pair| pair.sign(data).as_ref().into()));
        }
        "ECDSA P-256 SHA-256" | "ECDSA P-384 SHA-384" => {
            let signed = ecdsa(scheme, pkcs8).and_then(|pair| pair.sign(&SystemRandom::new(), data).ok());
            return Ok(signed.map(|signed| signed.as_ref().into()));
        }
        "RSASSA-PKCS1-v1_5 SHA-256" => &signature::RSA_PKCS1_SHA256,
        "RSASSA-PKCS1-v1_5 SHA-384" => &signature::RSA_PKCS1_SHA384,
        "RSASSA-PKCS1-v1_5 SHA-512" => &signature::RSA_PKCS1_SHA512,
        "RSA-PSS SHA-256" => &signature::RSA_PSS_SHA256,
        "RSA-PSS SHA-384" => &signature::RSA_PSS_SHA384,
        "RSA-PSS SHA-512" => &signature::RSA_PSS_SHA512,
        _ => return Err(unknown(scheme)),
    };
    Ok(RsaKeyPair::from_pkcs8(pkcs8).ok().and_then(|pair| {
        let mut signed = vec![0; pair.public().modulus_len()];
        pair.sign(rsa, &SystemRandom::new(), data, &mut signed).ok()?;
        Some(signed.into())
    }))
}

/// A new private key.
#[op2]
#[buffer]
pub fn op_generate_key(#[string] scheme: &str) -> Result<Box<[u8]>, JsErrorBox> {
    let random = SystemRandom::new();
    let made = match scheme {
        "Ed25519" => Ed25519KeyPair::generate_pkcs8(&random),
        "ECDSA P-256 SHA-256" => {
            EcdsaKeyPair::generate_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &random)
        }
        "ECDSA P-384 SHA-384" => {
            EcdsaKeyPair::generate_pkcs8(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, &random)
        }
        _ => return Err(unknown(scheme)),
    };
    let made = made.map_err(|_| JsErrorBox::generic("The system gives no random bytes"))?;
    Ok(made.as_ref().into())
}

/// The public key that goes with a private one; nothing if the key is none of the scheme.
#[op2]
#[buffer]
pub fn op_public_key(#[string] scheme: &str, #[buffer] pkcs8: &[u8]) -> Option<Box<[u8]>> {
    if scheme == "Ed25519" {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).ok()?;
        return Some(pair.public_key().as_ref().into());
    }
    if scheme.starts_with("ECDSA") {
        return ecdsa(scheme, pkcs8).map(|pair| pair.public_key().as_ref().into());
    }
    RsaKeyPair::from_pkcs8(pkcs8).ok().map(|pair| pair.public_key().as_ref().into())
}

fn ecdsa(scheme: &str, pkcs8: &[u8]) -> Option<EcdsaKeyPair> {
    let algorithm = match scheme {
        "ECDSA P-256 SHA-256" => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        _ => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
    };
    EcdsaKeyPair::from_pkcs8(algorithm, pkcs8, &SystemRandom::new()).ok()
}

fn unknown(name: &str) -> JsErrorBox {
    JsErrorBox::type_error(format!("\"{name}\" is not available"))
}

//! Hashes, and HMAC over them.

use super::unknown;
use crate::limits::isolate::CRYPTO_STEP_BYTES;
use deno_core::{GarbageCollected, op2, v8};
use deno_error::JsErrorBox;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Digest;
use std::cell::RefCell;
use std::ffi::CStr;

/// Evaluates an expression with the hash of a name as a type; an error if there is none of that name.
macro_rules! with_hash {
    ($name:expr, $Hash:ident => $body:expr) => {
        $crate::ops::crypto::hash::with_hash!(@ $name, $Hash => $body;
            "MD5" md5::Md5, "SHA-1" sha1::Sha1,
            "SHA-224" sha2::Sha224, "SHA-256" sha2::Sha256, "SHA-384" sha2::Sha384, "SHA-512" sha2::Sha512,
            "SHA-512/224" sha2::Sha512_224, "SHA-512/256" sha2::Sha512_256,
            "SHA3-224" sha3::Sha3_224, "SHA3-256" sha3::Sha3_256, "SHA3-384" sha3::Sha3_384, "SHA3-512" sha3::Sha3_512
        )
    };
    (@ $name:expr, $Hash:ident => $body:expr; $($known:literal $type:ty),*) => {
        match $name {
            $($known => {
                type $Hash = $type;
                Ok($body)
            })*
            other => Err($crate::ops::crypto::unknown(other)),
        }
    };
}
pub(super) use with_hash;

/// A hash or an HMAC under way.
trait Absorb {
    fn update(&mut self, data: &[u8]);
    fn value(&self) -> Box<[u8]>;
    fn copy(&self) -> Box<dyn Absorb>;
}

struct Plain<D>(D);

impl<D: Digest + Clone + 'static> Absorb for Plain<D> {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn value(&self) -> Box<[u8]> {
        self.0.clone().finalize().to_vec().into()
    }

    fn copy(&self) -> Box<dyn Absorb> {
        Box::new(Self(self.0.clone()))
    }
}

struct Keyed<M>(M);

impl<M: Mac + Clone + 'static> Absorb for Keyed<M> {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn value(&self) -> Box<[u8]> {
        self.0.clone().finalize().into_bytes().to_vec().into()
    }

    fn copy(&self) -> Box<dyn Absorb> {
        Box::new(Self(self.0.clone()))
    }
}

/// A hash or an HMAC under way that JavaScript holds.
pub struct Hasher(RefCell<Box<dyn Absorb>>);

// SAFETY: it refers to nothing of the heap.
unsafe impl GarbageCollected for Hasher {
    fn trace(&self, _: &mut v8::cppgc::Visitor) {}

    fn get_name(&self) -> &'static CStr {
        c"Hasher"
    }
}

/// The digest of `data` by the hash called `name`; nothing if that takes more than one step.
///
/// # Errors
/// There is no hash of that name.
#[op2]
#[buffer]
pub fn op_digest(#[string] name: &str, #[buffer] data: &[u8]) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    if data.len() > CRYPTO_STEP_BYTES {
        return Ok(None);
    }
    with_hash!(name, Hash => Some(Hash::digest(data).to_vec().into()))
}

/// The HMAC of `data` under `key` with the hash called `name`; nothing if that takes more than one step.
///
/// # Errors
/// There is no hash of that name.
#[op2]
#[buffer]
pub fn op_hmac(
    #[string] name: &str,
    #[buffer] key: &[u8],
    #[buffer] data: &[u8],
) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    if data.len() + key.len() > CRYPTO_STEP_BYTES {
        return Ok(None);
    }
    with_hash!(name, Hash => {
        let mut mac = keyed::<Hmac<Hash>>(key)?;
        mac.update(data);
        Some(mac.finalize().into_bytes().to_vec().into())
    })
}

/// An HMAC under `key` that has been given nothing yet.
pub(super) fn keyed<M: KeyInit>(key: &[u8]) -> Result<M, JsErrorBox> {
    M::new_from_slice(key).map_err(|_| unknown("A key of this length"))
}

/// A hash that has been given nothing yet; an HMAC, if there is a key.
///
/// # Errors
/// There is no hash of that name, or the key is longer than what one step takes.
#[op2]
#[cppgc]
pub fn op_hasher(#[string] name: &str, #[buffer] key: Option<&[u8]>) -> Result<Hasher, JsErrorBox> {
    let absorb: Box<dyn Absorb> = match key {
        None => with_hash!(name, Hash => Box::new(Plain(Hash::new())) as Box<dyn Absorb>)?,
        Some(key) if key.len() > CRYPTO_STEP_BYTES => {
            let message = format!("A key of HMAC has at most {CRYPTO_STEP_BYTES} bytes here");
            return Err(JsErrorBox::range_error(message));
        }
        Some(key) => with_hash!(name, Hash => Box::new(Keyed(keyed::<Hmac<Hash>>(key)?)) as Box<dyn Absorb>)?,
    };
    Ok(Hasher(RefCell::new(absorb)))
}

/// Takes a step's part of `data` from `start` on. Gives where the next one starts.
#[op2(fast)]
pub fn op_hasher_update(#[cppgc] hasher: &Hasher, #[buffer] data: &[u8], start: u32) -> u32 {
    let start = (start as usize).min(data.len());
    let end = data.len().min(start + CRYPTO_STEP_BYTES);
    hasher.0.borrow_mut().update(&data[start..end]);
    // No buffer of V8's is longer on the machines that a worker runs on than what the caller cuts into pieces.
    u32::try_from(end).unwrap_or(u32::MAX)
}

/// The digest of what it was given so far.
#[op2]
#[buffer]
pub fn op_hasher_value(#[cppgc] hasher: &Hasher) -> Box<[u8]> {
    hasher.0.borrow().value()
}

/// Another one that was given the same.
#[op2]
#[cppgc]
pub fn op_hasher_copy(#[cppgc] hasher: &Hasher) -> Hasher {
    Hasher(RefCell::new(hasher.0.borrow().copy()))
}

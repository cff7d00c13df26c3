//! New keys of RSA, found in steps.

use super::fill;
use super::rsa::encoded;
use crate::limits::isolate::{RSA_GENERATED_BITS_MAX, RSA_STEP_CANDIDATES};
use crypto_bigint::{BitOps as _, BoxedUint};
use crypto_primes::hazmat::SmallFactorsSieve;
use crypto_primes::{Flavor, is_prime};
use deno_core::{GarbageCollected, op2, v8};
use deno_error::JsErrorBox;
use rsa::{PrivateKey, PublicKey};
use std::cell::RefCell;
use std::ffi::CStr;
use std::num::NonZeroU32;

struct Search {
    bits: u32,
    exponent: BoxedUint,
    found: Vec<BoxedUint>,
    /// Candidates without small factors for the prime that is looked for.
    candidates: Option<SmallFactorsSieve<BoxedUint>>,
}

impl Search {
    /// Tries some candidates. The key, once there is one.
    fn step(&mut self) -> Result<Option<Box<[u8]>>, JsErrorBox> {
        for _ in 0..RSA_STEP_CANDIDATES {
            if self.candidates.is_none() {
                self.candidates = Some(self.sieve()?);
            }
            let Some(candidate) = self.candidates.as_mut().and_then(Iterator::next) else {
                self.candidates = None;
                continue;
            };
            if !is_prime(Flavor::Any, &candidate) {
                continue;
            }
            self.candidates = None;
            self.found.push(candidate);
            if let [p, q] = &self.found[..] {
                let key = PrivateKey::from_p_q(p.clone(), q.clone(), self.exponent.clone()).ok();
                self.found.clear();
                if let Some(key) = key.as_ref().and_then(encoded) {
                    return Ok(Some(key));
                }
            }
            return Ok(None);
        }
        Ok(None)
    }

    /// Candidates from a random number on whose two highest bits are set: the product of two has all of its bits.
    fn sieve(&self) -> Result<SmallFactorsSieve<BoxedUint>, JsErrorBox> {
        let bits = if self.found.is_empty() { self.bits.div_ceil(2) } else { self.bits / 2 };
        let mut bytes = vec![0; bits.div_ceil(8) as usize];
        fill(&mut bytes)?;
        let impossible = || JsErrorBox::generic("No prime has that many bits");
        bytes[0] &= u8::MAX >> (bytes.len() as u32 * 8 - bits);
        let mut start = BoxedUint::from_be_slice(&bytes, bits).map_err(|_| impossible())?;
        start.set_bit_vartime(0, true);
        start.set_bit_vartime(bits - 1, true);
        start.set_bit_vartime(bits - 2, true);
        let bits = NonZeroU32::new(bits).ok_or_else(impossible)?;
        SmallFactorsSieve::new(start, bits, false).map_err(|_| impossible())
    }
}

/// The search for a key that JavaScript holds.
pub struct RsaSearch(RefCell<Search>);

// SAFETY: it refers to nothing of the heap.
unsafe impl GarbageCollected for RsaSearch {
    fn trace(&self, _: &mut v8::cppgc::Visitor) {}

    fn get_name(&self) -> &'static CStr {
        c"RsaSearch"
    }
}

/// Begins to look for a key whose modulus has that many bits; nothing if there can't be one with that exponent.
#[op2]
#[cppgc]
pub fn op_rsa_search(bits: u32, #[buffer] exponent: &[u8]) -> Option<RsaSearch> {
    let significant = exponent.iter().position(|byte| *byte != 0).unwrap_or(exponent.len());
    let mut digits = exponent[significant..].iter();
    let number = digits.try_fold(0_u64, |sum, byte| sum.checked_mul(256)?.checked_add((*byte).into()))?;
    let is_usable = number % 2 == 1 && (3..=PublicKey::MAX_PUB_EXPONENT).contains(&number);
    let has_room = (PublicKey::MIN_SIZE..=RSA_GENERATED_BITS_MAX).contains(&(bits as usize));
    let exponent = BoxedUint::from(number);
    (is_usable && has_room)
        .then(|| RsaSearch(RefCell::new(Search { bits, exponent, found: Vec::new(), candidates: None })))
}

/// Tries some candidates. The private key, once there is one.
///
/// # Errors
/// The system gives no random bytes.
#[op2]
#[buffer]
pub fn op_rsa_search_step(#[cppgc] search: &RsaSearch) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    search.0.borrow_mut().step()
}

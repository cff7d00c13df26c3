//! Keys from secrets: HKDF, PBKDF2, scrypt.

use super::hash::{keyed, with_hash};
use crate::limits::isolate::{
    DERIVATION_INPUT_BYTES_MAX, PBKDF2_STEP_ITERATIONS, SCRYPT_BYTES_MAX, SCRYPT_WORK_MAX,
};
use deno_core::{GarbageCollected, op2, v8};
use deno_error::JsErrorBox;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use std::cell::RefCell;
use std::ffi::CStr;

fn bounded(inputs: &[&[u8]]) -> Result<(), JsErrorBox> {
    if inputs.iter().all(|input| input.len() <= DERIVATION_INPUT_BYTES_MAX) {
        return Ok(());
    }
    let message = format!(
        "Secret, salt and info have at most {DERIVATION_INPUT_BYTES_MAX} bytes each when keys are derived"
    );
    Err(JsErrorBox::range_error(message))
}

/// Bytes derived by HKDF; nothing if the hash can't give as many.
///
/// # Errors
/// There is no hash of that name, or an input is too long.
#[op2]
#[buffer]
pub fn op_hkdf(
    #[string] hash: &str,
    #[buffer] secret: &[u8],
    #[buffer] salt: &[u8],
    #[buffer] info: &[u8],
    length: u32,
) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    bounded(&[secret, salt, info])?;
    with_hash!(hash, Hash => {
        let length = length as usize;
        // The bound of the standard.
        if length > 255 * <Hash as sha2::Digest>::output_size() {
            return Ok(None);
        }
        let mut bytes = vec![0; length];
        let derived = Hkdf::<Hash>::new(Some(salt), secret).expand(info, &mut bytes);
        derived.ok().map(|()| bytes.into())
    })
}

/// PBKDF2 under way.
trait Iterate {
    /// Goes on for a step, and fills blocks of `output` as they are done. Whether all are.
    fn step(&mut self, output: &mut [u8]) -> bool;
}

struct Blocks<M> {
    keyed: M,
    salted: M,
    iterations: u32,
    /// Of the block that is under way, from 0.
    index: u32,
    /// Iterations that it has had.
    done: u32,
    last: Vec<u8>,
    sum: Vec<u8>,
}

impl<M: Mac + Clone> Iterate for Blocks<M> {
    fn step(&mut self, output: &mut [u8]) -> bool {
        let mut left = PBKDF2_STEP_ITERATIONS;
        let block_bytes = M::output_size();
        while self.index as usize * block_bytes < output.len() {
            if self.done == 0 {
                let mut mac = self.salted.clone();
                mac.update(&(self.index + 1).to_be_bytes());
                self.last = mac.finalize().into_bytes().to_vec();
                self.sum.clone_from(&self.last);
                self.done = 1;
            }
            let rounds = (self.iterations - self.done).min(left);
            for _ in 0..rounds {
                let mut mac = self.keyed.clone();
                mac.update(&self.last);
                self.last.copy_from_slice(&mac.finalize().into_bytes());
                self.sum.iter_mut().zip(&self.last).for_each(|(sum, byte)| *sum ^= byte);
            }
            self.done += rounds;
            // A block costs something also when it has no further iteration.
            left = left.saturating_sub(rounds + 1);
            if self.done == self.iterations {
                let start = self.index as usize * block_bytes;
                let end = output.len().min(start + block_bytes);
                output[start..end].copy_from_slice(&self.sum[..end - start]);
                self.index += 1;
                self.done = 0;
            }
            if left == 0 {
                return self.index as usize * block_bytes >= output.len();
            }
        }
        true
    }
}

/// PBKDF2 under way that JavaScript holds.
pub struct Pbkdf2(RefCell<Box<dyn Iterate>>);

// SAFETY: it refers to nothing of the heap.
unsafe impl GarbageCollected for Pbkdf2 {
    fn trace(&self, _: &mut v8::cppgc::Visitor) {}

    fn get_name(&self) -> &'static CStr {
        c"Pbkdf2"
    }
}

/// Begins with PBKDF2.
///
/// # Errors
/// There is no hash of that name, no iteration, or an input is too long.
#[op2]
#[cppgc]
pub fn op_pbkdf2(
    #[string] hash: &str,
    #[buffer] secret: &[u8],
    #[buffer] salt: &[u8],
    iterations: u32,
) -> Result<Pbkdf2, JsErrorBox> {
    bounded(&[secret, salt])?;
    if iterations == 0 {
        return Err(JsErrorBox::range_error("PBKDF2 needs an iteration"));
    }
    let blocks = with_hash!(hash, Hash => {
        let keyed = keyed::<Hmac<Hash>>(secret)?;
        let mut salted = keyed.clone();
        salted.update(salt);
        let (last, sum) = (Vec::new(), Vec::new());
        Box::new(Blocks { keyed, salted, iterations, index: 0, done: 0, last, sum }) as Box<dyn Iterate>
    })?;
    Ok(Pbkdf2(RefCell::new(blocks)))
}

/// Goes on for a step, with the same `output` each time. Whether that is full.
#[op2(fast)]
pub fn op_pbkdf2_step(#[cppgc] pbkdf2: &Pbkdf2, #[buffer] output: &mut [u8]) -> bool {
    pbkdf2.0.borrow_mut().step(output)
}

/// Fills `output` with bytes derived by scrypt. `cost` is a power of two.
///
/// # Errors
/// The parameters are none of scrypt, or it would take more memory or time than an op may.
#[op2(nofast)]
pub fn op_scrypt(
    scope: &mut v8::PinScope<'_, '_>,
    #[buffer] secret: &[u8],
    #[buffer] salt: &[u8],
    cost: u32,
    block_size: u32,
    parallelization: u32,
    #[buffer] output: &mut [u8],
) -> Result<(), JsErrorBox> {
    bounded(&[secret, salt])?;
    let work = u64::from(cost) * u64::from(block_size) * u64::from(parallelization);
    let bytes = 128 * u64::from(block_size) * (u64::from(cost) + u64::from(parallelization));
    if bytes > SCRYPT_BYTES_MAX || work > SCRYPT_WORK_MAX || output.len() > DERIVATION_INPUT_BYTES_MAX {
        let message = format!(
            "scrypt: 128 * N * r is at most {SCRYPT_BYTES_MAX}, N * r * p at most {SCRYPT_WORK_MAX}, and the key \
             has at most {DERIVATION_INPUT_BYTES_MAX} bytes"
        );
        return Err(JsErrorBox::range_error(message));
    }
    let wrong =
        || JsErrorBox::range_error("scrypt: N must be a power of two above 1, r and p must be above 0");
    if !cost.is_power_of_two() || cost < 2 {
        return Err(wrong());
    }
    let log_cost = u8::try_from(cost.trailing_zeros()).map_err(|_| wrong())?;
    let params = scrypt::Params::new(log_cost, block_size, parallelization).map_err(|_| wrong())?;
    let memory = i64::try_from(bytes).unwrap_or(i64::MAX);
    // The isolate's limit counts it: V8 collects, or has the isolate ended, when there is no room.
    scope.adjust_amount_of_external_allocated_memory(memory);
    let derived = scrypt::scrypt(secret, salt, &params, output);
    scope.adjust_amount_of_external_allocated_memory(-memory);
    derived.map_err(|_| wrong())
}

//! AES in the modes ECB, CBC, CTR and GCM, and as a wrapper of keys.

mod gcm;

use super::unknown;
use crate::limits::isolate::{CRYPTO_STEP_BYTES, KEY_WRAP_BYTES_MAX};
use aes::cipher::array::Array;
use aes::cipher::common::{BlockSizeUser, InnerInit, InnerIvInit, KeyInit};
use aes::cipher::consts::U16;
use aes::cipher::{
    Block, BlockCipherDecClosure, BlockCipherDecrypt, BlockCipherEncClosure, BlockCipherEncrypt,
    BlockModeDecrypt, BlockModeEncrypt, StreamCipher,
};
use aes::{Aes128, Aes192, Aes256};
use aes_kw::AesKw;
use deno_core::{GarbageCollected, op2, v8};
use deno_error::JsErrorBox;
use gcm::Gcm;
use std::cell::RefCell;
use std::ffi::CStr;

/// Bytes of a block of AES.
const BLOCK_BYTES: usize = 16;

/// AES with a key of any of its lengths.
#[derive(Clone)]
pub enum Aes {
    Short(Aes128),
    Middle(Aes192),
    Long(Aes256),
}

impl Aes {
    fn new(key: &[u8]) -> Result<Self, JsErrorBox> {
        let aes = match key.len() {
            16 => Aes128::new_from_slice(key).map(Self::Short),
            24 => Aes192::new_from_slice(key).map(Self::Middle),
            _ => Aes256::new_from_slice(key).map(Self::Long),
        };
        aes.map_err(|_| JsErrorBox::range_error("A key of AES has 16, 24 or 32 bytes"))
    }
}

impl BlockSizeUser for Aes {
    type BlockSize = U16;
}

impl BlockCipherEncrypt for Aes {
    fn encrypt_with_backend(&self, f: impl BlockCipherEncClosure<BlockSize = U16>) {
        match self {
            Self::Short(aes) => aes.encrypt_with_backend(f),
            Self::Middle(aes) => aes.encrypt_with_backend(f),
            Self::Long(aes) => aes.encrypt_with_backend(f),
        }
    }
}

impl BlockCipherDecrypt for Aes {
    fn decrypt_with_backend(&self, f: impl BlockCipherDecClosure<BlockSize = U16>) {
        match self {
            Self::Short(aes) => aes.decrypt_with_backend(f),
            Self::Middle(aes) => aes.decrypt_with_backend(f),
            Self::Long(aes) => aes.decrypt_with_backend(f),
        }
    }
}

enum Mode {
    EcbEncrypt(Aes),
    EcbDecrypt(Aes),
    CbcEncrypt(cbc::Encryptor<Aes>),
    CbcDecrypt(cbc::Decryptor<Aes>),
    Ctr(ctr::Ctr128BE<Aes>),
    Gcm(Box<Gcm>),
}

impl Mode {
    fn new(name: &str, encrypts: bool, key: &[u8], iv: &[u8]) -> Result<Self, JsErrorBox> {
        let aes = Aes::new(key)?;
        let wrong = || JsErrorBox::range_error("The iv has a length that the cipher can't use");
        if name == "GCM" {
            return if iv.is_empty() {
                Err(wrong())
            } else {
                Ok(Self::Gcm(Box::new(Gcm::new(aes, iv, encrypts))))
            };
        }
        if name == "ECB" {
            return Ok(if encrypts { Self::EcbEncrypt(aes) } else { Self::EcbDecrypt(aes) });
        }
        let iv: [u8; BLOCK_BYTES] = iv.try_into().map_err(|_| wrong())?;
        match name {
            "CBC" if encrypts => Ok(Self::CbcEncrypt(cbc::Encryptor::inner_iv_init(aes, &iv.into()))),
            "CBC" => Ok(Self::CbcDecrypt(cbc::Decryptor::inner_iv_init(aes, &iv.into()))),
            "CTR" => {
                let core = ctr::CtrCore::inner_iv_init(aes, &iv.into());
                Ok(Self::Ctr(ctr::Ctr128BE::from_core(core)))
            }
            _ => Err(unknown(name)),
        }
    }

    /// Whether it works on whole blocks only.
    fn is_of_blocks(&self) -> bool {
        !matches!(self, Self::Ctr(_) | Self::Gcm(_))
    }

    fn encrypts(&self) -> bool {
        matches!(self, Self::EcbEncrypt(_) | Self::CbcEncrypt(_))
    }

    /// Encrypts or decrypts in place; whole blocks if it is of blocks.
    fn apply(&mut self, bytes: &mut [u8]) -> Result<(), JsErrorBox> {
        let (blocks, _): (&mut [Block<Aes>], _) = Array::slice_as_chunks_mut(bytes);
        match self {
            Self::EcbEncrypt(aes) => aes.encrypt_blocks(blocks),
            Self::EcbDecrypt(aes) => aes.decrypt_blocks(blocks),
            Self::CbcEncrypt(mode) => mode.encrypt_blocks(blocks),
            Self::CbcDecrypt(mode) => mode.decrypt_blocks(blocks),
            Self::Ctr(mode) => mode.try_apply_keystream(bytes).map_err(|_| too_long())?,
            Self::Gcm(mode) => mode.apply(bytes).map_err(|_| too_long())?,
        }
        Ok(())
    }
}

fn too_long() -> JsErrorBox {
    JsErrorBox::range_error("The data is too long for one key and iv")
}

struct State {
    mode: Mode,
    pads: bool,
    /// What waits for the rest of its block, and in decryption for being the last one.
    held: [u8; BLOCK_BYTES],
    held_bytes: usize,
}

impl State {
    /// Works on `input`; gives how many bytes of `output` it has filled.
    fn update(&mut self, input: &[u8], output: &mut [u8]) -> Result<usize, JsErrorBox> {
        let total = self.held_bytes + input.len();
        let keeps_last = self.mode.is_of_blocks() && self.pads && !self.mode.encrypts();
        let kept = match total % BLOCK_BYTES {
            _ if !self.mode.is_of_blocks() => 0,
            0 if keeps_last => total.min(BLOCK_BYTES),
            rest => rest,
        };
        let ready = total - kept;
        if ready == 0 {
            self.held[self.held_bytes..total].copy_from_slice(input);
            self.held_bytes = total;
            return Ok(0);
        }
        let output =
            output.get_mut(..ready).ok_or_else(|| JsErrorBox::range_error("The output is too short"))?;
        let (first, rest) = output.split_at_mut(self.held_bytes);
        first.copy_from_slice(&self.held[..self.held_bytes]);
        let (now, later) = input.split_at(rest.len());
        rest.copy_from_slice(now);
        self.held[..kept].copy_from_slice(later);
        self.held_bytes = kept;
        self.mode.apply(output)?;
        Ok(ready)
    }

    /// The end of the output; nothing if the input is not what can be decrypted.
    fn finish(&mut self) -> Result<Option<Box<[u8]>>, JsErrorBox> {
        if !self.mode.is_of_blocks() || !self.pads {
            return Ok((self.held_bytes == 0).then(Box::default));
        }
        let mut block = self.held;
        if self.mode.encrypts() {
            let padding = BLOCK_BYTES - self.held_bytes;
            block[self.held_bytes..].fill(u8::try_from(padding).unwrap_or(u8::MAX));
            self.mode.apply(&mut block)?;
            return Ok(Some(block.into()));
        }
        if self.held_bytes != BLOCK_BYTES {
            return Ok(None);
        }
        self.mode.apply(&mut block)?;
        let padding = usize::from(block[BLOCK_BYTES - 1]);
        let text = BLOCK_BYTES.checked_sub(padding).filter(|text| *text < BLOCK_BYTES);
        let right = text.filter(|text| block[*text..].iter().all(|byte| usize::from(*byte) == padding));
        Ok(right.map(|text| block[..text].into()))
    }
}

/// A cipher under way that JavaScript holds.
pub struct Cipher(RefCell<State>);

// SAFETY: it refers to nothing of the heap.
unsafe impl GarbageCollected for Cipher {
    fn trace(&self, _: &mut v8::cppgc::Visitor) {}

    fn get_name(&self) -> &'static CStr {
        c"Cipher"
    }
}

/// A cipher in the mode `ECB`, `CBC`, `CTR` or `GCM`. With `pads`, the first two fill the last block as PKCS #7 has it.
///
/// # Errors
/// Key or iv have a length that the cipher can't use.
#[op2]
#[cppgc]
pub fn op_cipher(
    #[string] mode: &str,
    encrypts: bool,
    #[buffer] key: &[u8],
    #[buffer] iv: &[u8],
    pads: bool,
) -> Result<Cipher, JsErrorBox> {
    let mode = Mode::new(mode, encrypts, key, iv)?;
    Ok(Cipher(RefCell::new(State { mode, pads, held: [0; BLOCK_BYTES], held_bytes: 0 })))
}

/// Whether it fills the last block.
#[op2(fast)]
pub fn op_cipher_pads(#[cppgc] cipher: &Cipher, pads: bool) {
    cipher.0.borrow_mut().pads = pads;
}

/// Has GCM authenticate a step's part of `data` from `start` on. Gives where the next one starts.
///
/// # Errors
/// It has been given something to encrypt already.
#[op2(fast)]
pub fn op_cipher_authenticate(
    #[cppgc] cipher: &Cipher,
    #[buffer] data: &[u8],
    start: u32,
) -> Result<u32, JsErrorBox> {
    let start = (start as usize).min(data.len());
    let end = data.len().min(start + CRYPTO_STEP_BYTES);
    let taken = match &mut cipher.0.borrow_mut().mode {
        Mode::Gcm(gcm) => gcm.authenticate(&data[start..end]),
        _ => false,
    };
    if taken {
        return Ok(u32::try_from(end).unwrap_or(u32::MAX));
    }
    Err(JsErrorBox::type_error("Additional data comes before all other"))
}

/// Works on a step's part of `input`. `progress` has where in `input` and in `output` it starts, and gets where the next one does.
/// `output` has room for what is left of `input` and one block, and is another buffer.
///
/// # Errors
/// The output is too short, or the data too long.
#[op2(nofast)]
pub fn op_cipher_update(
    #[cppgc] cipher: &Cipher,
    #[buffer] input: &[u8],
    #[buffer] output: &mut [u8],
    #[buffer] progress: &mut [u32],
) -> Result<(), JsErrorBox> {
    let [in_start, out_start, ..] = progress else { return Err(too_long()) };
    let start = (*in_start as usize).min(input.len());
    let end = input.len().min(start + CRYPTO_STEP_BYTES);
    let room = output.get_mut(*out_start as usize..).ok_or_else(too_long)?;
    let produced = cipher.0.borrow_mut().update(&input[start..end], room)?;
    *in_start = u32::try_from(end).map_err(|_| too_long())?;
    *out_start += u32::try_from(produced).map_err(|_| too_long())?;
    Ok(())
}

/// The end of the output; nothing if the input is not what can be decrypted.
///
/// # Errors
/// The data is too long.
#[op2]
#[buffer]
pub fn op_cipher_finish(#[cppgc] cipher: &Cipher) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    cipher.0.borrow_mut().finish()
}

/// The whole tag of GCM.
///
/// # Errors
/// It is another cipher.
#[op2]
#[buffer]
pub fn op_cipher_tag(#[cppgc] cipher: &Cipher) -> Result<Box<[u8]>, JsErrorBox> {
    match &cipher.0.borrow().mode {
        Mode::Gcm(gcm) => Ok(gcm.tag().into()),
        _ => Err(JsErrorBox::type_error("The cipher has no tag")),
    }
}

/// Wraps a key with AES (RFC 3394), or unwraps it; nothing if it can't be.
///
/// # Errors
/// The wrapping key has a length that AES can't use.
#[op2]
#[buffer]
pub fn op_aes_wrap(
    wraps: bool,
    #[buffer] key: &[u8],
    #[buffer] data: &[u8],
) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    if data.len() > KEY_WRAP_BYTES_MAX {
        return Ok(None);
    }
    let wrapper = AesKw::inner_init(Aes::new(key)?);
    let mut output = vec![0; data.len() + 8];
    let done = if wraps {
        // The standard begins with two halves of a block.
        if data.len() < BLOCK_BYTES {
            return Ok(None);
        }
        wrapper.wrap_key(data, &mut output)
    } else {
        if data.len() < BLOCK_BYTES + 8 {
            return Ok(None);
        }
        wrapper.unwrap_key(data, &mut output)
    };
    Ok(done.ok().map(Into::into))
}

//! GCM (NIST SP 800-38D) that takes its data in pieces, an iv of any length and gives its whole tag.

use super::Aes;
use aes::cipher::common::InnerIvInit;
use aes::cipher::{Block, BlockCipherEncrypt, StreamCipher, StreamCipherError};
use ghash::GHash;
use ghash::universal_hash::UniversalHash;

/// Bytes of a block.
const BLOCK_BYTES: usize = 16;

/// Bytes of an iv that is used as it is.
const IV_BYTES: usize = 12;

/// Bytes of one key and iv, by the standard.
const DATA_BYTES_MAX: u64 = (1 << 36) - 32;

/// AES in the mode GCM.
pub struct Gcm {
    stream: ctr::Ctr32BE<Aes>,
    /// The key stream of the first counter, which the tag is masked by.
    mask: Block<Aes>,
    hash: GHash,
    /// What waits for the rest of its block.
    part: [u8; BLOCK_BYTES],
    part_bytes: usize,
    additional_bytes: u64,
    data_bytes: u64,
    encrypts: bool,
}

impl Gcm {
    /// The iv must not be empty.
    pub fn new(aes: Aes, iv: &[u8], encrypts: bool) -> Self {
        let mut key = ghash::Key::default();
        aes.encrypt_block(&mut key);
        let hash = GHash::new(&key);
        let mut first = Block::<Aes>::default();
        if iv.len() == IV_BYTES {
            first[..IV_BYTES].copy_from_slice(iv);
            first[BLOCK_BYTES - 1] = 1;
        } else {
            let mut hash = hash.clone();
            hash.update_padded(iv);
            first[8..].copy_from_slice(&bits(iv.len() as u64));
            hash.update(&[first]);
            first = hash.finalize();
        }
        let mut stream = ctr::Ctr32BE::from_core(ctr::CtrCore::inner_iv_init(aes, &first));
        let mut mask = Block::<Aes>::default();
        stream.apply_keystream(&mut mask);
        Self {
            stream,
            mask,
            hash,
            part: [0; BLOCK_BYTES],
            part_bytes: 0,
            additional_bytes: 0,
            data_bytes: 0,
            encrypts,
        }
    }

    /// Authenticates `data`, which is not encrypted. False if there was something to encrypt before.
    #[must_use]
    pub fn authenticate(&mut self, data: &[u8]) -> bool {
        if self.data_bytes > 0 {
            return false;
        }
        self.additional_bytes += data.len() as u64;
        self.absorb(data);
        true
    }

    /// Encrypts or decrypts in place.
    ///
    /// # Errors
    /// There is more data than the standard has for one key and iv.
    pub fn apply(&mut self, bytes: &mut [u8]) -> Result<(), StreamCipherError> {
        if self.data_bytes == 0 && !bytes.is_empty() {
            self.fill_block();
        }
        self.data_bytes += bytes.len() as u64;
        if self.data_bytes > DATA_BYTES_MAX {
            return Err(StreamCipherError);
        }
        if self.encrypts {
            self.stream.try_apply_keystream(bytes)?;
            self.absorb(bytes);
            return Ok(());
        }
        self.absorb(bytes);
        self.stream.try_apply_keystream(bytes)
    }

    /// The tag of what it was given so far.
    pub fn tag(&self) -> [u8; BLOCK_BYTES] {
        let mut hash = self.hash.clone();
        hash.update_padded(&self.part[..self.part_bytes]);
        let mut lengths = Block::<Aes>::default();
        lengths[..8].copy_from_slice(&bits(self.additional_bytes));
        lengths[8..].copy_from_slice(&bits(self.data_bytes));
        hash.update(&[lengths]);
        let mut tag = hash.finalize();
        tag.iter_mut().zip(&self.mask).for_each(|(byte, mask)| *byte ^= mask);
        tag.into()
    }

    fn absorb(&mut self, mut data: &[u8]) {
        if self.part_bytes > 0 {
            let taken = data.len().min(BLOCK_BYTES - self.part_bytes);
            self.part[self.part_bytes..self.part_bytes + taken].copy_from_slice(&data[..taken]);
            self.part_bytes += taken;
            data = &data[taken..];
            if self.part_bytes < BLOCK_BYTES {
                return;
            }
            self.fill_block();
        }
        let whole = data.len() / BLOCK_BYTES * BLOCK_BYTES;
        self.hash.update_padded(&data[..whole]);
        self.part_bytes = data.len() - whole;
        self.part[..self.part_bytes].copy_from_slice(&data[whole..]);
    }

    /// Ends a block, with zeros if it is not full.
    fn fill_block(&mut self) {
        self.hash.update_padded(&self.part[..self.part_bytes]);
        self.part_bytes = 0;
    }
}

fn bits(bytes: u64) -> [u8; 8] {
    (bytes * 8).to_be_bytes()
}

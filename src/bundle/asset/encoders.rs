//! From plain bytes to each coding.

use super::Encoding;
use brotli::enc::BrotliEncoderParams;
use std::io::{self, Read as _};
use vitrine_core::limits::{ENCODE_WINDOW_BITS_MAX, ENCODER_KEPT_FILE_BYTES_MAX};
use zstd::zstd_safe::CParameter;

/// How hard each encoder tries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Levels {
    brotli: i32,
    zstd: i32,
    gzip: u32,
}

/// The next steps (brotli 10, zstd 19) save another 7 percent and take six times as long.
pub(super) const SLOW: Levels = Levels { brotli: 9, zstd: 15, gzip: 9 };
pub(super) const FAST: Levels = Levels { brotli: 5, zstd: 9, gzip: 6 };
/// Version of what is made here. A host with another one makes the variants anew.
pub(super) const ENCODERS: u32 = 1;

/// One thread's encoders, as far as they can be used again: brotli's and gzip's have no such state.
#[derive(Default)]
pub(super) struct Encoders {
    zstd: Option<zstd::bulk::Compressor<'static>>,
}

impl Encoders {
    pub(super) fn compress(
        &mut self,
        plain: &[u8],
        encoding: Encoding,
        levels: Levels,
    ) -> io::Result<Vec<u8>> {
        // A window that is larger than the file is memory for nothing.
        let window = plain.len().next_power_of_two().ilog2().clamp(10, ENCODE_WINDOW_BITS_MAX);
        match encoding {
            Encoding::Br => brotli(plain, levels.brotli, window),
            Encoding::Zstd => self.zstd(plain, levels.zstd, window),
            Encoding::Gzip => {
                let mut encoded = Vec::with_capacity(plain.len() / 3);
                let level = flate2::Compression::new(levels.gzip);
                flate2::bufread::GzEncoder::new(plain, level).read_to_end(&mut encoded)?;
                Ok(encoded)
            }
        }
    }

    fn zstd(&mut self, plain: &[u8], level: i32, window: u32) -> io::Result<Vec<u8>> {
        let encoder = match &mut self.zstd {
            Some(encoder) => encoder,
            none => none.insert(zstd::bulk::Compressor::new(level)?),
        };
        encoder.set_compression_level(level)?;
        encoder.set_parameter(CParameter::WindowLog(window))?;
        let encoded = encoder.compress(plain);
        if plain.len() as u64 > ENCODER_KEPT_FILE_BYTES_MAX {
            // Its tables would lie beside those of the next file's brotli.
            self.zstd = None;
        }
        encoded
    }
}

fn brotli(plain: &[u8], level: i32, window: u32) -> io::Result<Vec<u8>> {
    let settings = BrotliEncoderParams {
        quality: level,
        lgwin: window as i32,
        size_hint: plain.len(),
        ..BrotliEncoderParams::default()
    };
    let mut encoded = Vec::with_capacity(plain.len() / 3);
    brotli::BrotliCompress(&mut &plain[..], &mut encoded, &settings)?;
    Ok(encoded)
}

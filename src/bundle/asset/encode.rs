//! Precompressed variants of the client's files.

use super::{Encoding, variant_name};
use crate::bundle::unpack::io_error;
use crate::bundle::{BundleDir, BundleError};
use crate::id::Digest;
use crate::limits::{ENCODE_SLOW_BYTES_MAX, ENCODE_THREADS_MAX};
use brotli::enc::BrotliEncoderParams;
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// A file to compress.
pub(super) struct Candidate {
    pub digest: Digest,
    pub path: PathBuf,
    pub bytes: u64,
}

/// Variants of one file by coding, each with its length and digest.
pub(super) type Variants = BTreeMap<Encoding, (u64, Digest)>;

#[derive(Debug, Clone, Copy)]
struct Levels {
    brotli: i32,
    zstd: i32,
    gzip: u32,
}

/// The next steps (brotli 10, zstd 19) save another 7 percent and take six times as long.
const SLOW: Levels = Levels { brotli: 9, zstd: 15, gzip: 9 };
const FAST: Levels = Levels { brotli: 5, zstd: 9, gzip: 6 };

/// Writes the variants that are smaller than their file, on a few threads.
pub(super) fn encode(
    candidates: &[Candidate],
    dir: &BundleDir,
) -> Result<BTreeMap<Digest, Variants>, BundleError> {
    let total: u64 = candidates.iter().map(|candidate| candidate.bytes).sum();
    let levels = if total <= ENCODE_SLOW_BYTES_MAX { SLOW } else { FAST };
    let folder = dir.encoded();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    let work = || -> Result<(), BundleError> {
        while let Some(candidate) = candidates.get(next.fetch_add(1, Ordering::Relaxed)) {
            let variants = encode_file(candidate, &folder, levels)?;
            done.lock().unwrap_or_else(PoisonError::into_inner).insert(candidate.digest, variants);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let helpers: Vec<_> =
            (1..ENCODE_THREADS_MAX.min(candidates.len())).map(|_| scope.spawn(work)).collect();
        let own = work();
        let results = helpers.into_iter().map(|helper| match helper.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        results.fold(own, Result::and)
    })?;
    Ok(done.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn encode_file(candidate: &Candidate, folder: &Path, levels: Levels) -> Result<Variants, BundleError> {
    let path = &candidate.path;
    let plain = fs::read(path).map_err(|source| io_error("read", path, source))?;
    let mut variants = Variants::new();
    for encoding in [Encoding::Br, Encoding::Zstd, Encoding::Gzip] {
        let encoded =
            compress(&plain, encoding, levels).map_err(|source| io_error("compress", path, source))?;
        if encoded.len() >= plain.len() {
            continue;
        }
        let target = folder.join(variant_name(candidate.digest, encoding));
        fs::write(&target, &encoded)
            .and_then(|()| fs::set_permissions(&target, Permissions::from_mode(0o644)))
            .map_err(|source| io_error("write", &target, source))?;
        variants.insert(encoding, (encoded.len() as u64, Digest::of(&encoded)));
    }
    Ok(variants)
}

fn compress(plain: &[u8], encoding: Encoding, levels: Levels) -> io::Result<Vec<u8>> {
    let mut encoded = Vec::with_capacity(plain.len() / 3);
    match encoding {
        Encoding::Br => {
            let settings = BrotliEncoderParams {
                quality: levels.brotli,
                size_hint: plain.len(),
                ..BrotliEncoderParams::default()
            };
            let mut source = plain;
            brotli::BrotliCompress(&mut source, &mut encoded, &settings)?;
        }
        Encoding::Zstd => {
            // A window above 8 MiB is more than a browser has to accept (RFC 9659).
            let mut encoder = zstd::Encoder::new(&mut encoded, levels.zstd)?;
            encoder.window_log(23)?;
            encoder.set_pledged_src_size(Some(plain.len() as u64))?;
            encoder.write_all(plain)?;
            encoder.finish()?;
        }
        Encoding::Gzip => {
            let level = flate2::Compression::new(levels.gzip);
            flate2::bufread::GzEncoder::new(plain, level).read_to_end(&mut encoded)?;
        }
    }
    Ok(encoded)
}

//! Precompressed variants of the client's files. What was compressed before is taken from where it is kept; the rest goes through
//! the host's compressing threads.

use super::encoders::{Encoders, FAST, Levels, SLOW};
use super::pool;
use super::variants::{Kept, Made, Variants};
use super::{Encoding, variant_name};
use crate::unpack::io_error;
use crate::{BundleDir, BundleError};
use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use vitrine_core::id::Digest;
use vitrine_core::limits::ENCODE_SLOW_BYTES_MAX;

/// A file to compress.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub digest: Digest,
    pub path: PathBuf,
    pub bytes: u64,
}

/// Puts the variants that are smaller than their file, and a record of them, into `encoded/` of the bundle.
pub(super) fn encode(
    candidates: Vec<Candidate>,
    dir: &BundleDir,
    kept: &Kept,
) -> Result<BTreeMap<Digest, Made>, BundleError> {
    let folder = dir.encoded();
    let expected = candidates.len();
    let mut done = BTreeMap::new();
    let mut new = Vec::new();
    for candidate in candidates {
        match kept.take(candidate.digest, &folder) {
            Some(made) => drop(done.insert(candidate.digest, made)),
            None => new.push(candidate),
        }
    }
    let total: u64 = new.iter().map(|candidate| candidate.bytes).sum();
    let levels = if total <= ENCODE_SLOW_BYTES_MAX { SLOW } else { FAST };
    let (made, results) = mpsc::sync_channel(new.len());
    for candidate in new {
        let (folder, made) = (folder.clone(), made.clone());
        pool::run(Box::new(move |encoders| {
            let result = encode_file(&candidate, &folder, levels, encoders);
            // The rest is not awaited once one has failed.
            let _ = made.send((candidate, result));
        }));
    }
    drop(made);
    let mut failed = None;
    // To the end also after a failure: no thread may write into the folder while it is removed.
    for (candidate, result) in results {
        match result {
            Ok(made) => drop(done.insert(candidate.digest, made)),
            Err(error) => drop(failed.get_or_insert(error)),
        }
    }
    match failed {
        Some(error) => Err(error),
        None if done.len() < expected => {
            Err(io_error("compress", &dir.files(), io::Error::other("an encoder panicked")))
        }
        None => Ok(done),
    }
}

fn encode_file(
    candidate: &Candidate,
    folder: &Path,
    levels: Levels,
    encoders: &mut Encoders,
) -> Result<Made, BundleError> {
    let path = &candidate.path;
    let plain = fs::read(path).map_err(|source| io_error("read", path, source))?;
    let mut variants = Variants::new();
    for encoding in [Encoding::Br, Encoding::Zstd, Encoding::Gzip] {
        let encoded = encoders
            .compress(&plain, encoding, levels)
            .map_err(|source| io_error("compress", path, source))?;
        if encoded.len() >= plain.len() {
            continue;
        }
        write(&folder.join(variant_name(candidate.digest, encoding)), &encoded)?;
        variants.insert(encoding, (encoded.len() as u64, Digest::of(&encoded)));
    }
    let made = Made::new(variants);
    write(&folder.join(Made::record_name(candidate.digest)), &made.record())?;
    Ok(made)
}

/// Makes a file, and never writes into one that is there: it may be another bundle's too.
fn write(path: &Path, content: &[u8]) -> Result<(), BundleError> {
    let written = || -> io::Result<()> {
        let mut file = File::create_new(path)?;
        file.write_all(content)?;
        file.set_permissions(Permissions::from_mode(0o644))
    };
    written().map_err(|source| io_error("write", path, source))
}

//! Whether an unpacked bundle is still what was received.

use super::unpack::io_error;
use super::{Bundle, BundleDir, BundleError, pack};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use vitrine_core::id::Digest;

impl Bundle {
    /// Reads the description that [`super::receive`] wrote beside the files.
    ///
    /// # Errors
    /// [`BundleError::Io`] when it can't be read, [`BundleError::Damaged`] when it is not what was written.
    pub fn load(dir: &BundleDir) -> Result<Self, BundleError> {
        let path = dir.description();
        let json = fs::read(&path).map_err(|source| io_error("read", &path, source))?;
        serde_json::from_slice(&json).map_err(|_| damaged("bundle.json", "can't be read"))
    }

    /// Hashes everything again and compares it with what was received.
    ///
    /// # Errors
    /// [`BundleError::Damaged`] names the first file that is missing, new or changed.
    pub fn verify(&self, dir: &BundleDir) -> Result<(), BundleError> {
        compare(&self.contents, &dir.files())?;
        compare(&self.variants, &dir.encoded())
    }

    /// Writes the description beside the files.
    pub(super) fn save(&self, dir: &BundleDir) -> Result<(), BundleError> {
        let path = dir.description();
        let json = serde_json::to_vec(self).map_err(|error| io_error("write", &path, error.into()))?;
        fs::write(&path, json).map_err(|source| io_error("write", &path, source))
    }
}

fn damaged(path: &str, reason: &'static str) -> BundleError {
    BundleError::Damaged { path: path.into(), reason }
}

fn compare(expected: &BTreeMap<String, Digest>, folder: &Path) -> Result<(), BundleError> {
    let found = pack::walk(folder)?;
    if let Some(path) = found.keys().find(|path| !expected.contains_key(*path)) {
        return Err(damaged(path, "does not belong to it"));
    }
    for (path, digest) in expected {
        let Some(file) = found.get(path) else { return Err(damaged(path, "is missing")) };
        if hash_file(&file.path)? != *digest {
            return Err(damaged(path, "has changed"));
        }
    }
    Ok(())
}

/// The digest of a file's content.
pub(super) fn hash_file(path: &Path) -> Result<Digest, BundleError> {
    let read_error = |source| io_error("read", path, source);
    let mut file = File::open(path).map_err(read_error)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = file.read(&mut buffer).map_err(read_error)?;
        if count == 0 {
            return Ok(Digest(hash.finalize().into()));
        }
        hash.update(&buffer[..count]);
    }
}

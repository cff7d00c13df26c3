//! Deltas: files compressed against an earlier version of themselves that a browser still has (RFC 9842, coding `dcz`). They lie in
//! the folder of the bundle whose files they give, named by the file, the dictionary and their own content, and go with it. A host
//! without them answers with the other variants.

mod encode;
mod pairs;
mod pattern;

pub use pattern::dictionary_pattern;

use crate::unpack::io_error;
use crate::{Bundle, BundleDir, BundleError};
use encode::encode;
use pairs::{Pair, pairs};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use vitrine_core::id::Digest;
use vitrine_core::limits::{DELTA_BYTES_MAX, DELTA_SHARE_MAX_PERCENT, DELTAS_MAX};

/// An installed bundle.
pub type Installed<'a> = (&'a Bundle, &'a BundleDir);

/// The delta of a file against a dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delta {
    /// Digest of the plain file.
    pub file: Digest,
    /// Digest of the file that it is made against.
    pub dictionary: Digest,
    /// Digest of its own bytes.
    pub digest: Digest,
    /// Its length, in bytes.
    pub bytes: u64,
}

impl Delta {
    /// Its file in a folder of deltas.
    #[must_use]
    pub fn path(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.{}.{}", self.file, self.dictionary, self.digest))
    }

    fn named(name: &str, bytes: u64) -> Option<Self> {
        let mut digests = name.split('.').map(str::parse);
        let mut next = || digests.next()?.ok();
        let (file, dictionary, digest) = (next()?, next()?, next()?);
        Some(Self { file, dictionary, digest, bytes })
    }
}

/// Those of one bundle, by file and dictionary.
#[derive(Debug, Default)]
pub struct Deltas(RwLock<BTreeMap<(Digest, Digest), Delta>>);

impl Deltas {
    /// Those that an earlier host, or another release of the same bundle, has made. Blocking.
    #[must_use]
    pub fn load(dir: &BundleDir) -> Self {
        let deltas = Self::default();
        deltas.read(dir);
        deltas
    }

    /// The delta of a file against a dictionary.
    #[must_use]
    pub fn get(&self, file: Digest, dictionary: Digest) -> Option<Delta> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&(file, dictionary)).copied()
    }

    /// Answers no longer with one that can't be read, or is not what was made.
    pub fn forget(&self, delta: &Delta) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.remove(&(delta.file, delta.dictionary));
    }

    /// Makes those that are not there yet into the folder `into`, which must not exist: of a bundle's files against those of bundles
    /// that were live before, newest first. Blocking, for seconds.
    ///
    /// # Errors
    /// [`BundleError::Io`]; what was made until then stays in the folder.
    pub fn make(&self, of: Installed<'_>, against: &[Installed<'_>], into: &Path) -> Result<(), BundleError> {
        self.read(of.1);
        let there = self.0.read().unwrap_or_else(PoisonError::into_inner).len();
        let earlier: Vec<&Bundle> = against.iter().map(|(bundle, _)| *bundle).collect();
        let mut wanted = pairs(of.0, &earlier);
        wanted.retain(|pair| self.get(pair.file.digest, pair.dictionary.digest).is_none());
        if wanted.is_empty() {
            return Ok(());
        }
        fs::create_dir(into).map_err(|source| io_error("make the folder", into, source))?;
        for pair in wanted.iter().take(DELTAS_MAX.saturating_sub(there)) {
            make_one(pair, of, against[pair.release], into)?;
        }
        Ok(())
    }

    /// Takes what was made into the bundle's folder, and answers with it from then on. Blocking, for a moment.
    ///
    /// # Errors
    /// [`BundleError::Io`]; the bundle may have been removed meanwhile.
    pub fn take_in(&self, made: &Path, dir: &BundleDir) -> Result<(), BundleError> {
        let folder = dir.deltas();
        let entries = fs::read_dir(made).map_err(|source| io_error("list", made, source))?;
        if !folder.is_dir() {
            fs::create_dir(&folder).map_err(|source| io_error("make the folder", &folder, source))?;
        }
        for entry in entries.flatten() {
            let moved = fs::rename(entry.path(), folder.join(entry.file_name()));
            moved.map_err(|source| io_error("move a delta to", &folder, source))?;
        }
        self.read(dir);
        Ok(())
    }

    fn read(&self, dir: &BundleDir) {
        let entries = fs::read_dir(dir.deltas()).into_iter().flatten().flatten();
        let found = entries
            .filter_map(|entry| Delta::named(entry.file_name().to_str()?, entry.metadata().ok()?.len()));
        let found = found.map(|delta| ((delta.file, delta.dictionary), delta));
        self.0.write().unwrap_or_else(PoisonError::into_inner).extend(found);
    }
}

/// Makes one, and keeps it if it is clearly smaller than every other variant.
fn make_one(
    pair: &Pair<'_>,
    of: Installed<'_>,
    against: Installed<'_>,
    into: &Path,
) -> Result<(), BundleError> {
    let read = |(bundle, dir): Installed<'_>, path: &str| {
        let path = dir.asset(&bundle.manifest, path);
        fs::read(&path).map_err(|source| io_error("read", &path, source))
    };
    let (plain, dictionary) = (read(of, pair.file.path)?, read(against, pair.dictionary.path)?);
    let name = pair.dictionary.digest;
    if Digest::of(&plain) != pair.file.digest || Digest::of(&dictionary) != name {
        // The next start finds what is damaged.
        return Ok(());
    }
    let encoded = encode(&plain, &dictionary, name).map_err(|source| io_error("compress", into, source))?;
    let bytes = encoded.len() as u64;
    if bytes > DELTA_BYTES_MAX || bytes * 100 > pair.smallest * DELTA_SHARE_MAX_PERCENT {
        return Ok(());
    }
    let delta = Delta { file: pair.file.digest, dictionary: name, digest: Digest::of(&encoded), bytes };
    let path = delta.path(into);
    let written = File::create_new(&path).and_then(|mut file| {
        file.write_all(&encoded)?;
        file.sync_all()
    });
    written.map_err(|source| io_error("write", &path, source))
}

#[cfg(test)]
mod tests;

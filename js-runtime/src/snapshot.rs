//! The snapshot of an app: its file format, taking one and loading one.
//!
//! ```text
//! | what V8 and deno_core wrote | build of this worker, 8 bytes | VITRINE1 |
//! ```
//! V8 trusts a snapshot blindly. The host keeps the SHA-256 of the whole file and names it to the worker, which reads the file
//! before it locks itself down, compares, and then looks at the build: op tables and scripts of another build lie elsewhere.

mod take;

pub use take::take;

use crate::limits::SNAPSHOT_BYTES_MAX;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use vitrine_wire::Sha256Digest;

/// Digest of everything that decides what a snapshot refers to: scripts, ops, flags, and the versions of V8 and `deno_core`.
const BUILD: &str = env!("VITRINE_WORKER_BUILD");
/// Last bytes of the file.
const MAGIC: &[u8; 8] = b"VITRINE1";
/// Bytes after what V8 reads.
const TRAILER_BYTES: usize = BUILD.len() + MAGIC.len();

/// Why a snapshot can't be used. The app is evaluated instead.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file can't be had.
    #[error("can't read the snapshot {path}")]
    Read {
        /// File.
        path: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// It is not what the host stored.
    #[error("the snapshot {path} is not the file that was stored")]
    Damaged {
        /// File.
        path: PathBuf,
    },
    /// Another build of the worker made it.
    #[error("the snapshot {path} was made by another build of the worker")]
    OtherBuild {
        /// File.
        path: PathBuf,
    },
}

/// What a worker must be told of a snapshot's file.
#[must_use]
pub fn digest(file: &[u8]) -> Sha256Digest {
    Sha256::digest(file).into()
}

/// The file of a snapshot.
fn seal(snapshot: &[u8]) -> Vec<u8> {
    [snapshot, BUILD.as_bytes(), MAGIC].concat()
}

/// Maps the file of a snapshot, for as long as this process lives. All isolates read the same pages, and so do the other workers
/// that have the file mapped.
///
/// # Errors
/// See [`SnapshotError`].
pub fn map(path: &Path, digest: &Sha256Digest) -> Result<&'static [u8], SnapshotError> {
    let failed = |source| SnapshotError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let damaged = || SnapshotError::Damaged { path: path.to_owned() };
    let length = usize::try_from(length).map_err(|_| damaged())?;
    if !(TRAILER_BYTES..=SNAPSHOT_BYTES_MAX).contains(&length) {
        return Err(damaged());
    }
    // SAFETY: a new private mapping of a file that is open; nothing is at the address yet.
    let mapped = unsafe {
        libc::mmap(std::ptr::null_mut(), length, libc::PROT_READ, libc::MAP_PRIVATE, file.as_raw_fd(), 0)
    };
    if mapped == libc::MAP_FAILED {
        return Err(failed(std::io::Error::last_os_error()));
    }
    // SAFETY: `length` bytes are mapped there and stay so. The file is written once, before its digest is known, and then only
    // removed: the mapping outlives that.
    let bytes: &'static [u8] = unsafe { std::slice::from_raw_parts(mapped.cast(), length) };
    open(bytes, digest).map_err(|problem| match problem {
        Problem::Damaged => damaged(),
        Problem::OtherBuild => SnapshotError::OtherBuild { path: path.to_owned() },
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Problem {
    Damaged,
    OtherBuild,
}

/// What V8 reads of a file.
fn open<'a>(file: &'a [u8], digest: &Sha256Digest) -> Result<&'a [u8], Problem> {
    if self::digest(file) != *digest {
        return Err(Problem::Damaged);
    }
    let rest = file.strip_suffix(MAGIC).ok_or(Problem::OtherBuild)?;
    rest.strip_suffix(BUILD.as_bytes()).ok_or(Problem::OtherBuild)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_snapshot_opens_and_nothing_else_does() {
        let file = seal(b"heap");
        assert_eq!(open(&file, &digest(&file)), Ok(&b"heap"[..]));
        assert_eq!(open(&file, &digest(b"other")), Err(Problem::Damaged));
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 1;
            assert_eq!(open(&damaged, &digest(&file)), Err(Problem::Damaged), "byte {at}");
        }
        let other = [&b"heap"[..], b"fedcba9876543210", MAGIC].concat();
        assert_eq!(open(&other, &digest(&other)), Err(Problem::OtherBuild));
    }

    #[test]
    fn a_file_that_is_too_short_or_missing_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("snapshot");
        assert!(matches!(map(&path, &digest(b"")), Err(SnapshotError::Read { .. })));
        std::fs::write(&path, b"short").unwrap();
        assert!(matches!(map(&path, &digest(b"short")), Err(SnapshotError::Damaged { .. })));
        let file = seal(b"heap");
        std::fs::write(&path, &file).unwrap();
        assert_eq!(map(&path, &digest(&file)).unwrap(), b"heap");
    }
}

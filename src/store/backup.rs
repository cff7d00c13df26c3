//! Backups: everything durable of a data folder as one file, from which another host starts.
//!
//! ```text
//! zstd of a tar with
//! vitrine.db                    the state; values of environments are encrypted in it
//! vitrine.key                   the keys of those values, where they were asked for
//! blobs/DIGEST, kept/DIGEST/…   what bundles are unpacked again from
//! backup.json                   a [`Manifest`]
//! backup.code                   what shows that a host made it; last, so that an archive without it is not whole
//! ```
//!
//! The folder's own token and what belongs to one machine (sockets, running workers) are not in it.

mod code;
mod picture;
mod read;
mod write;

pub use code::{HostKeys, Proof};
pub use picture::Picture;
pub use read::{Restored, check, restore};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use vitrine_core::id::Digest;

/// Form of the archive. The first one has no code.
const FORMAT: u32 = 2;
const MANIFEST: &str = "backup.json";
const CODE: &str = "backup.code";
const DATABASE: &str = "vitrine.db";
const KEYS: &str = "vitrine.key";

/// What is in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Form of the archive.
    pub format: u32,
    /// Version of the host that made it.
    pub vitrine: String,
    /// When, in milliseconds since the Unix epoch.
    pub made_ms: u64,
    /// Identity of the key that values are encrypted under.
    pub key: String,
    /// Whether the key is in it.
    pub with_key: bool,
    /// Apps.
    pub apps: u64,
    /// Releases.
    pub releases: u64,
    /// Bundles that the database names and the host no longer had.
    pub missing: Vec<Digest>,
    /// SHA-256 of each file.
    pub files: BTreeMap<String, Digest>,
}

/// Why an archive is no backup that can be used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It can't be read or written.
    #[error("{operation} {} failed", path.display())]
    Io {
        /// The operation that failed.
        operation: &'static str,
        /// To which file.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// It is no zstd or tar, or ends too early.
    #[error("this is no whole backup; it may be cut off")]
    Broken(#[source] io::Error),
    /// A file of it differs from its digest.
    #[error("`{0}` in the backup is damaged; use another backup")]
    Damaged(String),
    /// A file of it is none that a backup has.
    #[error("`{0}` is no file of a backup; this archive was not made by `vitrine backup`")]
    Strange(String),
    /// Made by a later version.
    #[error("the backup was made by vitrine {vitrine} in a newer form ({format}); install that version")]
    Newer {
        /// Version that made it.
        vitrine: String,
        /// Form.
        format: u32,
    },
    /// It has no code, and one is asked for.
    #[error(
        "the backup has no code that shows that a host made it: an earlier version saved it, or someone took the code away; if no other \
         could write the file, restore it with --unauthenticated"
    )]
    NoCode,
    /// The keys at hand are not those of the host that made it.
    #[error(
        "the backup was saved under key {0}, which the key file does not hold; use the key file of the host that saved it, as it was \
         then, or, if no other could write the backup, --unauthenticated"
    )]
    OtherKey(String),
    /// Its code is not that of its content.
    #[error("the backup was changed after a host had saved it: its code does not fit; use another backup")]
    Forged,
    /// There is something already.
    #[error("{} exists and is not empty; restore into another folder, or move it away", .0.display())]
    Exists(PathBuf),
    /// The database in it.
    #[error("the database in the backup can't be used")]
    Store(#[source] super::StoreError),
}

/// Whether a name is one of those that a backup has.
fn is_known(name: &str) -> bool {
    let is_digest = |text: &str| text.parse::<Digest>().is_ok();
    match name.split('/').collect::<Vec<_>>()[..] {
        [DATABASE | KEYS] => true,
        ["blobs", digest] => is_digest(digest),
        ["kept", digest, file] => is_digest(digest) && is_digest(file),
        _ => false,
    }
}

#[cfg(test)]
mod tests;

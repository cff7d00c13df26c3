//! Snapshots of apps, beside their bundles. Whatever is lost here can be made again from the bundle, so nothing is synced: what
//! is not whole is not read.
//!
//! ```text
//! DIR/bundles/DIGEST/snapshot.json        see `SnapshotRecord`
//! DIR/bundles/DIGEST/snapshots/SHA256     the file that workers map
//! ```

use super::bundles::{blocking, io_error};
use super::{Bundles, StoreError};
use crate::failpoint;
use crate::id::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::Path;

/// What is known about the snapshot of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotRecord {
    /// There is one.
    Taken {
        /// SHA-256 of its file.
        sha256: Digest,
        /// Length of its file.
        bytes: u64,
    },
    /// The app can't have one.
    Refused {
        /// Why.
        reason: String,
    },
}

/// The record with what it holds for.
#[derive(Serialize, Deserialize)]
struct Document {
    /// Version of the host: another one may do better.
    version: String,
    record: SnapshotRecord,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Bundles {
    /// What is known about the snapshot of an installed bundle; `None` when nothing is, or when it can't be read.
    pub async fn snapshot(&self, digest: Digest) -> Option<SnapshotRecord> {
        let path = self.layout().bundle_dir(digest).snapshot_record();
        let text = blocking(move || Ok(fs::read(path).ok())).await.ok()??;
        let document: Document = serde_json::from_slice(&text).ok()?;
        if document.version != VERSION {
            return None;
        }
        if let SnapshotRecord::Taken { sha256, bytes } = &document.record {
            let file = self.layout().bundle_dir(digest).snapshot(*sha256);
            // Its content is checked by each worker that maps it.
            fs::metadata(file).ok().filter(|found| found.len() == *bytes)?;
        }
        Some(document.record)
    }

    /// Keeps the file of a snapshot.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn keep_snapshot(&self, digest: Digest, file: Vec<u8>) -> Result<SnapshotRecord, StoreError> {
        let (dir, staged) = (self.layout().bundle_dir(digest), self.layout().stage());
        let record = blocking(move || {
            let sha256 = Digest(Sha256::digest(&file).into());
            let folder = dir.snapshots();
            fs::create_dir_all(&folder).map_err(|source| io_error("make", &folder, source))?;
            put(&staged, &dir.snapshot(sha256), &file)?;
            Ok(SnapshotRecord::Taken { sha256, bytes: file.len() as u64 })
        })
        .await?;
        self.note_snapshot(digest, record).await
    }

    /// Remembers what is known about a snapshot.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn note_snapshot(
        &self,
        digest: Digest,
        record: SnapshotRecord,
    ) -> Result<SnapshotRecord, StoreError> {
        let document = Document { version: VERSION.to_owned(), record };
        let path = self.layout().bundle_dir(digest).snapshot_record();
        let staged = self.layout().stage();
        blocking(move || {
            let text = serde_json::to_vec(&document).unwrap_or_default();
            put(&staged, &path, &text)?;
            Ok(document.record)
        })
        .await
    }

    /// Forgets a snapshot that turned out to be of no use. None is no error.
    pub async fn forget_snapshot(&self, digest: Digest) {
        let dir = self.layout().bundle_dir(digest);
        let forget = move || {
            let _ = fs::remove_file(dir.snapshot_record());
            let _ = fs::remove_dir_all(dir.snapshots());
            Ok(())
        };
        // What is left is written over by the next one.
        let _ = blocking(forget).await;
    }
}

/// Writes a file that is whole or not there.
fn put(staged: &Path, path: &Path, content: &[u8]) -> Result<(), StoreError> {
    failpoint::at("snapshot.write");
    let written =
        fs::write(staged, content).map_err(|source| io_error("write", staged, source)).and_then(|()| {
            failpoint::at("snapshot.rename");
            fs::rename(staged, path).map_err(|source| io_error("write", path, source))
        });
    failpoint::at("snapshot.done");
    if written.is_err() {
        let _ = fs::remove_file(staged);
    }
    written
}

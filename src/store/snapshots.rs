//! Snapshots of apps, beside their bundles. Whatever is lost here can be made again from the bundle, so nothing is synced: what
//! is not whole is not read.
//!
//! ```text
//! DIR/bundles/DIGEST/snapshot.json        see `SnapshotRecord`
//! DIR/bundles/DIGEST/snapshot.zst         its file, compressed
//! DIR/bundles/DIGEST/snapshots/SHA256     the file that workers map, while there are any
//! ```

use super::bundles::{blocking, io_error};
use super::{Bundles, StoreError};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io;
use std::path::Path;
use vitrine_bundle::BundleDir;
use vitrine_core::failpoint;
use vitrine_core::files::Replace;
use vitrine_core::id::{AppName, Digest};

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
    /// The app that it is for, if it holds what another one may not know. A later one of another app is written over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    app: Option<AppName>,
    record: SnapshotRecord,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Most of the saving, and a few milliseconds to unpack when the app wakes.
const ZSTD_LEVEL: i32 = 3;

impl Bundles {
    /// What is known about the snapshot of an installed bundle; `None` when nothing is, or when it can't be read. `of` is the app
    /// whose own it has to be, if it holds what another one may not know.
    pub async fn snapshot(&self, digest: Digest, of: Option<AppName>) -> Option<SnapshotRecord> {
        let dir = self.layout().bundle_dir(digest);
        blocking(move || Ok(read_record(&dir, of.as_ref()))).await.ok()?
    }

    /// As [`Bundles::snapshot`], for a worker that is to be started: its file lies unpacked then. See
    /// [`Bundles::rest_snapshot`].
    pub async fn unpacked_snapshot(&self, digest: Digest, of: Option<AppName>) -> Option<SnapshotRecord> {
        let (dir, staged) = (self.layout().bundle_dir(digest), self.layout().stage());
        let unpacked = move || {
            let Some(record) = read_record(&dir, of.as_ref()) else { return Ok(None) };
            if let SnapshotRecord::Taken { sha256, bytes } = record
                && !is_long(&dir.snapshot(sha256), bytes)
            {
                let file = fs::read(dir.packed_snapshot()).and_then(|packed| unpack(&packed, bytes));
                let Ok(file) =
                    file.inspect_err(|error| tracing::warn!(%digest, %error, "a snapshot can't be unpacked"))
                else {
                    return Ok(None);
                };
                put_unpacked(&dir, &staged, sha256, &file)?;
            }
            Ok(Some(record))
        };
        // What can't be unpacked is made again.
        blocking(unpacked).await.ok()?
    }

    /// No worker maps the snapshot of a bundle, or is about to: it is kept compressed alone.
    pub async fn rest_snapshot(&self, digest: Digest) {
        let dir = self.layout().bundle_dir(digest);
        let rest = move || {
            if fs::metadata(dir.packed_snapshot()).is_ok() {
                failpoint::at("snapshot.rest");
                let _ = fs::remove_dir_all(dir.snapshots());
            }
            Ok(())
        };
        // What is left takes room, and no more than that.
        let _ = blocking(rest).await;
    }

    /// Keeps the file of a snapshot.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn keep_snapshot(
        &self,
        digest: Digest,
        of: Option<AppName>,
        file: Vec<u8>,
    ) -> Result<SnapshotRecord, StoreError> {
        let (dir, staged) = (self.layout().bundle_dir(digest), self.layout().stage());
        let record = blocking(move || {
            let sha256 = Digest(Sha256::digest(&file).into());
            let packed = dir.packed_snapshot();
            let bytes = zstd::bulk::compress(&file, ZSTD_LEVEL)
                .map_err(|source| io_error("compress", &packed, source))?;
            put(&staged, &packed, &bytes)?;
            put_unpacked(&dir, &staged, sha256, &file)?;
            Ok(SnapshotRecord::Taken { sha256, bytes: file.len() as u64 })
        })
        .await?;
        self.note_snapshot(digest, of, record).await
    }

    /// Remembers what is known about a snapshot.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn note_snapshot(
        &self,
        digest: Digest,
        of: Option<AppName>,
        record: SnapshotRecord,
    ) -> Result<SnapshotRecord, StoreError> {
        let document = Document { version: VERSION.to_owned(), app: of, record };
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
            let _ = fs::remove_file(dir.packed_snapshot());
            let _ = fs::remove_dir_all(dir.snapshots());
            Ok(())
        };
        // What is left is written over by the next one.
        let _ = blocking(forget).await;
    }
}

/// The record, if there is the file that it tells of, for this app or for every one.
fn read_record(dir: &BundleDir, of: Option<&AppName>) -> Option<SnapshotRecord> {
    let document: Document = serde_json::from_slice(&fs::read(dir.snapshot_record()).ok()?).ok()?;
    let is_there = match &document.record {
        // Its content is checked when it is unpacked, and by each worker that maps it.
        SnapshotRecord::Taken { sha256, bytes } => {
            is_long(&dir.snapshot(*sha256), *bytes) || dir.packed_snapshot().is_file()
        }
        SnapshotRecord::Refused { .. } => true,
    };
    let holds = document.version == VERSION && document.app.as_ref() == of;
    (holds && is_there).then_some(document.record)
}

fn is_long(file: &Path, bytes: u64) -> bool {
    fs::metadata(file).is_ok_and(|found| found.len() == bytes)
}

fn unpack(packed: &[u8], bytes: u64) -> io::Result<Vec<u8>> {
    let file = zstd::bulk::decompress(packed, usize::try_from(bytes).map_err(io::Error::other)?)?;
    if file.len() as u64 == bytes { Ok(file) } else { Err(io::ErrorKind::InvalidData.into()) }
}

fn put_unpacked(dir: &BundleDir, staged: &Path, sha256: Digest, file: &[u8]) -> Result<(), StoreError> {
    let folder = dir.snapshots();
    fs::create_dir_all(&folder).map_err(|source| io_error("make", &folder, source))?;
    put(staged, &dir.snapshot(sha256), file)
}

fn put(staged: &Path, path: &Path, content: &[u8]) -> Result<(), StoreError> {
    Replace::remakeable(staged, "snapshot")
        .put(path, content)
        .map_err(|source| io_error("write", path, source))
}

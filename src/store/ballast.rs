//! Ballast file: preallocated space that is freed when the disk is full, so that a rollback can still be committed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use vitrine_core::failpoint;
use vitrine_core::limits::{RESERVE_AGAIN_MS, RESERVE_BYTES};

/// The reserve, and since when it is missing.
#[derive(Debug)]
pub(super) struct Ballast {
    path: PathBuf,
    missing_since: Mutex<Option<Instant>>,
}

impl Ballast {
    /// Makes the reserve unless it is there. A disk that has no room for it is no reason not to start.
    pub(super) fn open(path: PathBuf) -> Self {
        let there = fs::metadata(&path).is_ok_and(|found| found.len() == RESERVE_BYTES as u64);
        let missing = !there && create(&path).is_err();
        Self { path, missing_since: Mutex::new(missing.then(Instant::now)) }
    }

    /// Gives the room back.
    pub(super) fn free(&self) {
        let mut missing_since = self.missing_since.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %self.path.display(), "the disk reserve can't be freed");
        }
        *missing_since = Some(Instant::now());
    }

    /// Makes it again, some time after it was freed.
    pub(super) fn restore(&self) {
        let mut missing_since = self.missing_since.lock().unwrap_or_else(PoisonError::into_inner);
        let again = Duration::from_millis(RESERVE_AGAIN_MS);
        if missing_since.is_some_and(|since| since.elapsed() >= again) {
            *missing_since = create(&self.path).is_err().then(Instant::now);
        }
    }
}

/// Random bytes, because file systems that compress would keep zeros in no room at all.
fn create(path: &PathBuf) -> io::Result<()> {
    failpoint::at("reserve.make");
    let written = File::create(path).and_then(|mut file| {
        let block: [u8; 4096] = rand::random();
        for _ in 0..RESERVE_BYTES / block.len() {
            file.write_all(&block)?;
        }
        file.sync_all()
    });
    if written.is_err() {
        // A part of a reserve would only take room from those who need it now.
        let _ = fs::remove_file(path);
    }
    written
}

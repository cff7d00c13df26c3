//! Which processes write into the folder: each holds the lock of a file that is named after it.

use super::segment::{private, stem};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

const LOCK: &str = "lock";

/// The lock of this process.
#[derive(Debug)]
pub(super) struct WriterLock {
    /// The name of this process, a part of the names of its segments.
    pub writer: String,
    path: PathBuf,
    _held: File,
}

impl WriterLock {
    /// Makes a name and locks its file.
    ///
    /// # Errors
    /// The folder can't be written to.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        loop {
            let writer = hex::encode(rand::random::<[u8; 4]>());
            let path = folder.join(format!("{writer}.{LOCK}"));
            let held = private().create_new(true).open(&path)?;
            held.lock()?;
            // Another process may have removed it before it was locked.
            if path.try_exists()? {
                return Ok(Self { writer, path, _held: held });
            }
        }
    }

    /// Whether other processes can see it.
    pub(super) fn is_there(&self) -> bool {
        self.path.exists()
    }

    /// Other processes that write here now. The locks of those that have ended are removed.
    ///
    /// # Errors
    /// The folder can't be read.
    pub(super) fn others(&self, folder: &Path) -> io::Result<BTreeSet<String>> {
        let mut others = BTreeSet::new();
        for path in fs::read_dir(folder)?.flatten().map(|entry| entry.path()) {
            let Some(writer) = stem(&path, LOCK).filter(|writer| *writer != self.writer) else { continue };
            match File::open(&path) {
                // Removed while it is locked: a process that has just made it waits for the lock, then sees that the file is gone.
                Ok(lock) if lock.try_lock().is_ok() => drop(fs::remove_file(&path)),
                Ok(_) => drop(others.insert(writer.to_owned())),
                // Its process has ended just now.
                Err(_) => {}
            }
        }
        Ok(others)
    }
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        // The segments of this process are left to the next one, which sees that this one has ended.
        let _ = fs::remove_file(&self.path);
    }
}

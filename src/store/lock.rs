//! The data folder belongs to one process at a time.

use super::StoreError;
use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::{Duration, Instant};
use vitrine_core::limits::{LOCK_PATIENCE_MS, LOCK_RETRY_MS};

/// Takes the lock and writes the holder's process id. It is free again when the file is closed, also by `kill -9`.
pub(super) fn acquire(path: &Path, data: &Path) -> Result<File, StoreError> {
    let io_error = |operation, source| StoreError::Io { operation, path: path.to_owned(), source };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| io_error("open", source))?;
    // Who may open it may hold it, and keep the host from starting. One of an earlier build is open to all.
    let mode = file.metadata().map(|facts| facts.mode() & 0o777).unwrap_or(0o600);
    if mode != 0o600 {
        // Some file systems have no modes.
        let _ = file.set_permissions(Permissions::from_mode(0o600));
    }
    take(&file, path, data)?;
    Ok(file)
}

/// Takes the lock of an open file and writes the holder's process id. A process that its holder started has it, too, from its fork to its
/// exec, so the next process waits a moment for it.
pub(super) fn take(file: &File, path: &Path, data: &Path) -> Result<(), StoreError> {
    let begun = Instant::now();
    let patience = Duration::from_millis(LOCK_PATIENCE_MS);
    let mut tried = file.try_lock();
    while matches!(tried, Err(TryLockError::WouldBlock)) && begun.elapsed() < patience {
        std::thread::sleep(Duration::from_millis(LOCK_RETRY_MS));
        tried = file.try_lock();
    }
    match tried {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // The holder is for the message only; an unknown one is an empty text.
            let _ = (&*file).seek(SeekFrom::Start(0));
            let _ = file.take(64).read_to_string(&mut holder);
            let holder = if holder.is_empty() { "its lock is held".into() } else { holder };
            return Err(StoreError::Locked { path: data.to_owned(), holder });
        }
        Err(TryLockError::Error(source)) => {
            return Err(StoreError::Io { operation: "lock", path: path.to_owned(), source });
        }
    }
    // On a full disk the text may not fit; the lock holds without it.
    let _ = file
        .set_len(0)
        .and_then(|()| file.write_all_at(format!("process {}", std::process::id()).as_bytes(), 0));
    Ok(())
}

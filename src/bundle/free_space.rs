//! Room on the disk that uploads leave to everything else: state, logs, what a rollback writes.

use super::BundleError;
use super::unpack::io_error;
use nix::sys::statvfs::statvfs;
use std::cell::Cell;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use vitrine_core::limits::{UPLOAD_CHECK_BYTES, UPLOAD_FREE_BYTES_MIN, UPLOAD_FREE_SHARE_MIN};

/// Room of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Bytes that can be written.
    pub free_bytes: u64,
    /// Bytes of them that uploads leave.
    pub kept_bytes: u64,
}

impl Room {
    /// Of the file system that a folder is on.
    ///
    /// # Errors
    /// It can't be asked.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let told = statvfs(folder)?;
        let unit = told.fragment_size();
        let whole = told.blocks() * unit;
        let kept_bytes = UPLOAD_FREE_BYTES_MIN.min(whole / UPLOAD_FREE_SHARE_MIN);
        Ok(Self { free_bytes: told.blocks_available() * unit, kept_bytes })
    }
}

/// Looks at the free room every so many bytes. Cheap to clone; a clone counts with it.
#[derive(Debug, Clone)]
pub(super) struct FreeSpace {
    /// Folder on the file system; none is not looked at.
    folder: Option<PathBuf>,
    /// Bytes that may be written before the next look.
    unchecked: Rc<Cell<u64>>,
}

impl FreeSpace {
    /// Of the file system that this folder is on.
    pub(super) fn of(folder: PathBuf) -> Self {
        Self { folder: Some(folder), unchecked: Rc::default() }
    }

    /// For what is needed whatever room is left then.
    pub(super) fn to_the_last_byte() -> Self {
        Self { folder: None, unchecked: Rc::default() }
    }

    /// Counts bytes that are about to be written.
    ///
    /// # Errors
    /// [`BundleError::Io`], a full disk, when too little would be left.
    pub(super) fn take(&self, bytes: u64) -> Result<(), BundleError> {
        match self.unchecked.get().checked_sub(bytes) {
            Some(left) => self.unchecked.set(left),
            None => {
                self.need(bytes)?;
                self.unchecked.set(UPLOAD_CHECK_BYTES);
            }
        }
        Ok(())
    }

    /// Looks whether there is room for so many bytes.
    ///
    /// # Errors
    /// As [`FreeSpace::take`].
    pub(super) fn need(&self, bytes: u64) -> Result<(), BundleError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let room = Room::of(folder).map_err(|error| io_error("look for room in", folder, error))?;
        let Room { free_bytes: free, kept_bytes: left } = room;
        if free >= left.saturating_add(bytes) {
            return Ok(());
        }
        let text = format!(
            "uploads leave {} MiB of the disk free and {} MiB are; free some, or remove releases",
            left >> 20,
            free >> 20
        );
        Err(io_error("write below", folder, io::Error::new(io::ErrorKind::StorageFull, text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_leave_too_little_is_a_full_disk() {
        let folder = tempfile::tempdir().unwrap();
        let space = FreeSpace::of(folder.path().to_owned());
        assert!(space.need(u64::MAX).unwrap_err().is_disk_full());
        assert!(space.take(u64::MAX).unwrap_err().is_disk_full());
        assert!(FreeSpace::to_the_last_byte().take(u64::MAX).is_ok());
    }
}

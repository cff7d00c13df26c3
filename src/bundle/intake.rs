//! Readers that an archive passes through on its way in, each with its bound.

use super::BundleError;
use super::free_space::FreeSpace;
use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::rc::Rc;
use vitrine_core::limits::ARCHIVE_BYTES_MAX;

/// Why reading stopped, when it was not the archive's fault. Decompressors and the tar reader pass on an [`io::Error`]
/// in forms of their own, so the reason travels beside it.
#[derive(Debug, Clone, Default)]
pub(super) struct Reason(Rc<RefCell<Option<BundleError>>>);

impl Reason {
    fn stop(&self, error: BundleError) -> io::Error {
        let text = error.to_string();
        *self.0.borrow_mut() = Some(error);
        io::Error::other(text)
    }

    /// The refusal behind a read error.
    pub(super) fn explain(&self, error: io::Error) -> BundleError {
        self.0.borrow_mut().take().unwrap_or(BundleError::BrokenArchive(error))
    }
}

/// Counts the archive's bytes and keeps a copy of them where one is wanted.
pub(super) struct Intake<R> {
    pub source: R,
    pub copy: Option<File>,
    pub copy_path: PathBuf,
    pub bytes: u64,
    pub reason: Reason,
}

impl<R: Read> Read for Intake<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.bytes += count as u64;
        if self.bytes > ARCHIVE_BYTES_MAX {
            return Err(self.reason.stop(BundleError::ArchiveTooLarge { max_bytes: ARCHIVE_BYTES_MAX }));
        }
        let written = self.copy.as_mut().map_or(Ok(()), |copy| copy.write_all(&buffer[..count]));
        written.map_err(|source| {
            self.reason.stop(BundleError::Io { operation: "write", path: self.copy_path.clone(), source })
        })?;
        Ok(count)
    }
}

/// How much of the unpacked stream may be read now, shared between the reader and the code that knows what comes next.
#[derive(Debug, Clone, Default)]
pub(super) struct Allowance(Rc<Cell<u64>>);

impl Allowance {
    pub(super) fn set(&self, bytes: u64) {
        self.0.set(bytes);
    }
}

/// The unpacked stream. The tar reader keeps long names and extended headers in memory whatever size they claim; here
/// is where such a claim ends.
pub(super) struct Metered<R> {
    pub source: R,
    pub allowance: Allowance,
    /// Zero bytes seen last, in a row: how the end marker is known.
    pub zeros: Rc<Cell<u64>>,
    /// Room on the disk for it.
    pub space: FreeSpace,
    pub reason: Reason,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.allowance.0.get();
        if left == 0 && !buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a header in the archive is too large"));
        }
        let bound = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.source.read(&mut buffer[..bound])?;
        self.allowance.0.set(left - count as u64);
        self.space.take(count as u64).map_err(|full| self.reason.stop(full))?;
        let read = &buffer[..count];
        match read.iter().rposition(|byte| *byte != 0) {
            Some(last) => self.zeros.set((count - 1 - last) as u64),
            None => self.zeros.set(self.zeros.get() + count as u64),
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_ends_at_its_bound_and_its_disk_errors_are_not_its_fault() {
        let folder = tempfile::tempdir().unwrap();
        let copy_path = folder.path().join("archive");
        let copy = Some(File::create(&copy_path).unwrap());
        let reason = Reason::default();
        let bytes = ARCHIVE_BYTES_MAX - 10;
        let mut intake = Intake { source: io::repeat(7), copy, copy_path, bytes, reason: reason.clone() };
        intake.read_exact(&mut [0; 10]).unwrap();
        let error = intake.read(&mut [0; 1]).unwrap_err();
        assert!(matches!(reason.explain(error), BundleError::ArchiveTooLarge { .. }));

        let copy_path = PathBuf::from("/dev/full");
        let copy = Some(File::options().write(true).open(&copy_path).unwrap());
        let mut intake = Intake { source: io::repeat(7), copy, copy_path, bytes: 0, reason: reason.clone() };
        let error = intake.read(&mut [0; 1]).unwrap_err();
        assert!(reason.explain(error).is_disk_full());
    }

    #[test]
    fn no_more_is_read_than_allowed() {
        let allowance = Allowance::default();
        let zeros = Rc::new(Cell::new(0));
        let mut metered = Metered {
            source: io::repeat(0),
            allowance: allowance.clone(),
            zeros: Rc::clone(&zeros),
            space: FreeSpace::to_the_last_byte(),
            reason: Reason::default(),
        };
        allowance.set(3);
        assert_eq!(metered.read(&mut [0; 8]).unwrap(), 3);
        assert_eq!(metered.read(&mut [0; 8]).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(zeros.get(), 3);
    }
}

//! A file put in its place: whenever the host dies, there is the old one or the new one, whole.

use crate::failpoint;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// How a file is put in its place.
#[derive(Debug, Clone)]
pub struct Replace {
    /// Where it is written before, on the same file system.
    staged: PathBuf,
    mode: u32,
    is_synced: bool,
    step: &'static str,
}

impl Replace {
    /// For the owner alone, and on the disk on return; written beside its place before. `step` names the failpoints.
    #[must_use]
    pub fn private(path: &Path, step: &'static str) -> Self {
        let mut staged = path.as_os_str().to_owned();
        staged.push(".new");
        Self { staged: staged.into(), mode: 0o600, is_synced: true, step }
    }

    /// For every user to read, and not synced: it can be made again. `step` names the failpoints.
    #[must_use]
    pub fn remakeable(staged: &Path, step: &'static str) -> Self {
        Self { staged: staged.to_owned(), mode: 0o644, is_synced: false, step }
    }

    /// Puts this content at `path`.
    ///
    /// # Errors
    /// The disk; the old file is there then, unless only the sync of the folder failed.
    pub fn put(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let Self { staged, mode, is_synced, step } = self;
        failpoint::of(step, "write");
        let written = (|| {
            // Of a host that died here.
            let _ = fs::remove_file(staged);
            let mut file = OpenOptions::new().write(true).create_new(true).mode(*mode).open(staged)?;
            file.write_all(content)?;
            if *is_synced {
                file.sync_all()?;
            }
            failpoint::of(step, "rename");
            fs::rename(staged, path)
        })();
        if written.is_err() {
            let _ = fs::remove_file(staged);
        }
        failpoint::of(step, "renamed");
        written?;
        if !is_synced {
            return Ok(());
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        fs::write(folder.path().join("file.new"), "half of what a host").unwrap();
        let private = Replace::private(&path, "test");
        private.put(&path, b"one").unwrap();
        assert_eq!((fs::read(&path).unwrap(), mode()), (b"one".to_vec(), 0o600));
        let open = Replace::remakeable(&folder.path().join("staged"), "test");
        open.put(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(mode() & 0o700, 0o600);
        open.put(&folder.path().join("nowhere/file"), b"three").unwrap_err();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

//! Files of a project that a deploy looks into. A cloned repository may link one to a device, or to what never ends.

use std::io::{Error, ErrorKind, Result};
use std::path::Path;
use vitrine_core::limits::SOURCE_FILE_BYTES_MAX;

/// A file's bytes.
///
/// # Errors
/// As of [`std::fs::read`]; `InvalidInput` for what is no regular file, `FileTooLarge` for one of more bytes than any source has.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let facts = std::fs::metadata(path)?;
    if !facts.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "it is no regular file"));
    }
    if facts.len() > SOURCE_FILE_BYTES_MAX {
        let message = format!("it has more than {SOURCE_FILE_BYTES_MAX} bytes");
        return Err(Error::new(ErrorKind::FileTooLarge, message));
    }
    std::fs::read(path)
}

/// A file's text.
///
/// # Errors
/// As of [`read`]; `InvalidData` for what is no UTF-8.
pub(super) fn read_text(path: &Path) -> Result<String> {
    String::from_utf8(read(path)?).map_err(|error| Error::new(ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_folders_and_pipes_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("vitrine.json");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        for path in [link.as_path(), folder.path(), Path::new("/dev/null")] {
            assert_eq!(read(path).unwrap_err().kind(), ErrorKind::InvalidInput, "{}", path.display());
        }
    }

    #[test]
    fn a_file_without_end_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let sparse = folder.path().join("sparse.js");
        std::fs::File::create(&sparse).unwrap().set_len(SOURCE_FILE_BYTES_MAX + 1).unwrap();
        assert_eq!(read_text(&sparse).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }
}

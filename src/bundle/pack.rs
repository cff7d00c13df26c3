//! From a folder to an archive.

use super::BundleError;
use crate::id::Digest;
use std::io::Write;
use std::path::Path;

/// Writes the folder as a .tar.zst: the same bytes for the same files. Blocking.
///
/// # Errors
/// Links, special files and the bounds of a bundle, as when it is received; [`BundleError::Io`].
pub fn pack(_dir: &Path, _out: impl Write) -> Result<(), BundleError> {
    todo!()
}

/// The digest that the folder has as a bundle. Blocking.
///
/// # Errors
/// As [`pack`].
pub fn digest_dir(_dir: &Path) -> Result<Digest, BundleError> {
    todo!()
}

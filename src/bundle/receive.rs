//! From an archive to an unpacked, checked bundle.

use super::{Bundle, BundleDir, BundleError};
use std::io::Read;
use std::path::Path;

/// Unpacks an archive (.tar.gz, .tar.zst or .tar, told apart by their first bytes) into `into`, which must not exist,
/// and checks it. Blocking: reads until the archive ends. The archive's bytes are kept as [`BundleDir::archive`].
///
/// # Errors
/// See [`BundleError`]; `into` is gone then.
pub fn receive(_archive: impl Read + Send, _into: &Path) -> Result<(BundleDir, Bundle), BundleError> {
    todo!()
}

/// As [`receive`], from a folder on this machine.
///
/// # Errors
/// See [`BundleError`]; `into` is gone then.
pub fn receive_dir(_dir: &Path, _into: &Path) -> Result<(BundleDir, Bundle), BundleError> {
    todo!()
}

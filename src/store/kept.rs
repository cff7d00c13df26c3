//! What bundles are unpacked again from: a list of its files among the blobs, and its larger files, each content once.
//!
//! ```text
//! DIR/blobs/DIGEST              the list, with the small files
//! DIR/kept/DIGEST/SHA256        its larger files, links to `DIR/files/SHA256.kept`
//! ```

use super::bundles::{io_error, missing_is_fine};
use super::shared::Shared;
use super::{Layout, StoreError};
use std::fs::{self, File};
use std::path::Path;
use vitrine_bundle::{self as bundle, Bundle, BundleDir, Large};
use vitrine_core::failpoint;
use vitrine_core::id::Digest;

/// Name of a content in the form in which it is kept.
pub(super) fn kept_name(digest: Digest) -> String {
    format!("{digest}.kept")
}

/// Keeps the larger files of a staged bundle durably, and writes its list as [`BundleDir::archive`]. Blocking.
pub(super) fn keep(
    layout: &Layout,
    shared: &Shared,
    staged: &BundleDir,
    bundle: &Bundle,
    digest: Digest,
) -> Result<(), StoreError> {
    let large = bundle::write_kept(staged, bundle, &staged.archive()).map_err(StoreError::keeping(digest))?;
    if large.is_empty() {
        return Ok(());
    }
    let folder = layout.kept_dir(digest);
    fs::create_dir_all(&folder).map_err(|source| io_error("make the folder", &folder, source))?;
    for file in &large {
        keep_one(shared, file, &layout.stage(), &folder)?;
    }
    failpoint::at("kept.sync");
    // One call for thousands of files, in place of one each.
    File::open(&folder)
        .and_then(|folder| nix::unistd::syncfs(folder).map_err(Into::into))
        .map_err(|source| io_error("sync", &folder, source))
}

fn keep_one(shared: &Shared, large: &Large, scratch: &Path, folder: &Path) -> Result<(), StoreError> {
    let place = folder.join(large.digest.to_string());
    let name = kept_name(large.digest);
    let there = shared.place(&name);
    let linked = bundle::is_kept_as(&large.path, &there) && fs::hard_link(&there, scratch).is_ok();
    let made = if linked {
        Ok(())
    } else {
        bundle::write_large(&large.path, scratch).map_err(StoreError::keeping(large.digest))
    };
    let moved = made.and_then(|()| {
        if !linked {
            shared.share(&name, scratch, &scratch.with_extension("link"));
        }
        failpoint::at("kept.rename");
        fs::rename(scratch, &place).map_err(|source| io_error("keep", &place, source))
    });
    // Also after a success: renaming one name of a file over another one of it leaves both.
    let _ = fs::remove_file(scratch);
    moved
}

/// Removes a bundle's larger files. Blocking.
pub(super) fn forget(layout: &Layout, digest: Digest) -> Result<(), StoreError> {
    let folder = layout.kept_dir(digest);
    missing_is_fine(fs::remove_dir_all(&folder)).map_err(|source| io_error("remove", &folder, source))
}

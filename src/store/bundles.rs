//! Bundles: an archive among the blobs, and unpacked below `bundles/`.
//!
//! Only the archive is synced. What is unpacked from it is checked before it is used after a restart, and unpacked
//! again when power was lost before it reached the disk.

use super::{Blobs, Layout, StoreError};
use crate::bundle::{self, Bundle, BundleDir, BundleError};
use crate::failpoint;
use crate::id::Digest;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The bundles of a data folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bundles {
    layout: Layout,
    blobs: Blobs,
}

impl Bundles {
    pub(super) const fn new(layout: Layout, blobs: Blobs) -> Self {
        Self { layout, blobs }
    }

    pub(super) const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The archives that the bundles came in.
    #[must_use]
    pub const fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Takes a received bundle in: its archive is stored durably, then the folder is moved to its place. A bundle that is
    /// there already stays as it is. The staged folder is gone on return, also after an error.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn install(&self, staged: BundleDir, digest: Digest) -> Result<BundleDir, StoreError> {
        let stored = self.blobs.put(digest, &staged.archive()).await;
        let place = self.layout.bundle_dir(digest);
        let target = place.clone();
        blocking(move || {
            let moved = stored.and_then(|()| move_into_place(&staged, &target));
            let cleaned = remove_folder(&staged.0);
            moved.and(cleaned)
        })
        .await?;
        Ok(place)
    }

    /// An installed bundle, verified; unpacked again from its archive when it is missing or damaged.
    ///
    /// # Errors
    /// [`StoreError::NoBlob`], [`StoreError::Unpack`]; see [`StoreError`].
    pub async fn ensure(&self, digest: Digest) -> Result<(BundleDir, Bundle), StoreError> {
        let place = self.layout.bundle_dir(digest);
        let dir = place.clone();
        let found = blocking(move || Ok(check(&dir, digest))).await?;
        let reason = match found {
            Ok(bundle) => return Ok((place, bundle)),
            Err(reason) => reason,
        };
        tracing::warn!(%digest, error = %reason, "unpacking the bundle again from its archive");
        let archive = self.layout.stage();
        let fetched = self.blobs.get(digest, &archive).await;
        let layout = self.layout.clone();
        blocking(move || {
            let unpacked = fetched.and_then(|()| unpack_again(&layout, &archive, digest));
            remove_file(&archive)?;
            unpacked
        })
        .await
    }

    /// Removes a bundle, archive and files. A missing one is no error.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn remove(&self, digest: Digest) -> Result<(), StoreError> {
        self.blobs.delete(digest).await?;
        failpoint::at("bundle.remove");
        let dir = self.layout.bundle_dir(digest).0;
        blocking(move || remove_folder(&dir)).await
    }

    /// Digests of everything that is installed, or left over from an upload that was not recorded.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn list(&self) -> Result<Vec<Digest>, StoreError> {
        let mut digests = self.blobs.list().await?;
        let folder = self.layout.bundles();
        digests.extend(blocking(move || unpacked_digests(&folder)).await?);
        digests.sort_unstable();
        digests.dedup();
        Ok(digests)
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(run).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(StoreError::ShuttingDown),
        },
    }
}

pub(super) fn io_error(operation: &'static str, path: &Path, source: io::Error) -> StoreError {
    let path = path.to_owned();
    if source.kind() == io::ErrorKind::StorageFull {
        return StoreError::DiskFull { operation, path, source: Box::new(source) };
    }
    StoreError::Io { operation, path, source }
}

fn check(dir: &BundleDir, digest: Digest) -> Result<Bundle, BundleError> {
    let bundle = Bundle::load(dir)?;
    if bundle.digest != digest {
        let path = dir.description().display().to_string();
        return Err(BundleError::Damaged { path, reason: "describes another bundle" });
    }
    bundle.verify(dir)?;
    Ok(bundle)
}

fn move_into_place(staged: &BundleDir, place: &BundleDir) -> Result<(), StoreError> {
    remove_file(&staged.archive())?;
    failpoint::at("bundle.move");
    let moved = fs::rename(&staged.0, &place.0);
    failpoint::at("bundle.moved");
    match moved {
        // Running workers read from it, so the one that is there stays.
        Err(source) if source.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        result => result.map_err(|source| io_error("move the bundle to", &place.0, source)),
    }
}

fn unpack_again(layout: &Layout, archive: &Path, digest: Digest) -> Result<(BundleDir, Bundle), StoreError> {
    let unpack = |source| StoreError::Unpack { digest, source };
    let file = fs::File::open(archive).map_err(|source| io_error("open", archive, source))?;
    let (staged, bundle) = bundle::receive(file, &layout.stage()).map_err(unpack)?;
    let place = layout.bundle_dir(digest);
    let moved = if bundle.digest == digest {
        remove_folder(&place.0).and_then(|()| move_into_place(&staged, &place))
    } else {
        let path = archive.display().to_string();
        Err(unpack(BundleError::Damaged { path, reason: "holds another bundle" }))
    };
    remove_folder(&staged.0)?;
    moved.map(|()| (place, bundle))
}

fn unpacked_digests(folder: &PathBuf) -> Result<Vec<Digest>, StoreError> {
    let entries = fs::read_dir(folder).map_err(|source| io_error("list", folder, source))?;
    let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
    let names: Vec<_> = names.collect::<Result<_, _>>().map_err(|source| io_error("list", folder, source))?;
    Ok(names.iter().filter_map(|name| name.to_str()?.parse().ok()).collect())
}

fn remove_folder(path: &Path) -> Result<(), StoreError> {
    missing_is_fine(fs::remove_dir_all(path)).map_err(|source| io_error("remove", path, source))
}

fn remove_file(path: &Path) -> Result<(), StoreError> {
    missing_is_fine(fs::remove_file(path)).map_err(|source| io_error("remove", path, source))
}

fn missing_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

//! Bundles: kept among the blobs, and unpacked below `bundles/`.
//!
//! Only what is kept is synced. What is unpacked from it is checked before it is used after a restart, and unpacked
//! again when power was lost before it reached the disk. Earlier hosts kept the archive as it came; it is read as well.

use super::kept::{self, kept_name};
use super::shared::Shared;
use super::{Blobs, Layout, StoreError};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{OwnedRwLockReadGuard, RwLock};
use vitrine_bundle::{self as bundle, Bundle, BundleDir, BundleError, Kept};
use vitrine_core::failpoint;
use vitrine_core::id::Digest;

/// The bundles of a data folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bundles {
    layout: Layout,
    blobs: Blobs,
    shared: Shared,
    installing: Arc<Mutex<BTreeMap<Digest, Weak<RwLock<()>>>>>,
}

/// One of the installations of a bundle that are under way.
pub(super) struct Installing {
    lock: Arc<RwLock<()>>,
    shared: OwnedRwLockReadGuard<()>,
}

impl Installing {
    /// Ends it, and does this if no other installation of the same bundle is under way; those that begin meanwhile wait.
    fn alone(self, undo: impl FnOnce()) {
        drop(self.shared);
        if let Ok(_alone) = self.lock.try_write() {
            undo();
        }
    }
}

impl Bundles {
    pub(super) fn new(layout: Layout, blobs: Blobs) -> Self {
        let shared = Shared::in_folder(layout.files());
        Self { layout, blobs, shared, installing: Arc::default() }
    }

    pub(super) async fn installing(&self, digest: Digest) -> Installing {
        let lock = {
            let mut all = self.installing.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|_, lock| lock.strong_count() > 0);
            let known = all.get(&digest).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let lock = Arc::default();
                all.insert(digest, Arc::downgrade(&lock));
                lock
            })
        };
        let shared = Arc::clone(&lock).read_owned().await;
        Installing { lock, shared }
    }

    pub(super) const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What bundles are unpacked again from.
    #[must_use]
    pub const fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Variants of files that need not be made again.
    #[must_use]
    pub fn kept(&self) -> Kept {
        Kept::in_folder(self.layout.files())
    }

    /// Takes a received bundle in: what it is unpacked again from is stored durably, then the folder is moved to its place. Each
    /// content that another bundle has too is on the disk once. A bundle that is there already stays as it is. The staged folder
    /// is gone on return, also after an error.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn install(&self, staged: BundleDir, digest: Digest) -> Result<BundleDir, StoreError> {
        let installing = self.installing(digest).await;
        let (this, dir) = (self.clone(), staged.clone());
        let kept = blocking(move || {
            let bundle = Bundle::load(&dir).map_err(StoreError::keeping(digest))?;
            kept::keep(&this.layout, &this.shared, &dir, &bundle, digest)?;
            this.share(&dir, &bundle);
            Ok(())
        });
        let stored = match kept.await {
            Ok(()) => self.blobs.put(digest, &staged.archive()).await,
            Err(error) => Err(error),
        };
        let place = self.layout.bundle_dir(digest);
        let (this, target) = (self.clone(), place.clone());
        blocking(move || {
            let moved = stored.and_then(|()| move_into_place(&staged, &target));
            let cleaned = remove_folder(&staged.0);
            if moved.is_err() {
                // What it would have been unpacked again from is of no use alone, and belongs to another upload of the same bundle too.
                installing.alone(|| {
                    if !this.layout.blobs().join(digest.to_string()).exists() {
                        // The first error is the one to tell.
                        let _ = kept::forget(&this.layout, digest);
                    }
                });
            }
            moved.and(cleaned)
        })
        .await?;
        Ok(place)
    }

    /// Makes the files of a staged bundle one with those of other bundles that have the same content. Blocking.
    fn share(&self, staged: &BundleDir, bundle: &Bundle) {
        let scratch = staged.0.join("link");
        for (path, digest) in &bundle.contents {
            self.shared.share(&digest.to_string(), &staged.files().join(path), &scratch);
        }
        for name in bundle.variants.keys() {
            self.shared.share(name, &staged.encoded().join(name), &scratch);
        }
    }

    /// Removes shared contents that no bundle has: what a host that died between two steps left. Takes a while.
    ///
    /// # Errors
    /// [`StoreError::ShuttingDown`].
    pub async fn sweep_shared(&self) -> Result<(), StoreError> {
        let shared = self.shared.clone();
        blocking(move || {
            shared.sweep();
            Ok(())
        })
        .await
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
        let this = self.clone();
        blocking(move || {
            let unpacked = fetched.and_then(|()| this.unpack_again(&archive, digest));
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
        let (layout, shared) = (self.layout.clone(), self.shared.clone());
        blocking(move || {
            let dir = layout.bundle_dir(digest);
            // Without its description, contents that no other bundle has are removed by the next start.
            let names = Bundle::load(&dir).map(|bundle| shared_names(&bundle)).unwrap_or_default();
            kept::forget(&layout, digest)?;
            failpoint::at("kept.forgotten");
            remove_folder(&dir.0)?;
            failpoint::at("shared.release");
            shared.release(names.iter().map(String::as_str));
            Ok(())
        })
        .await
    }

    /// Digests of everything that is installed, or left over from an upload that was not recorded.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn list(&self) -> Result<Vec<Digest>, StoreError> {
        let mut digests = self.blobs.list().await?;
        for folder in [self.layout.bundles(), self.layout.kept()] {
            digests.extend(blocking(move || digests_in(&folder)).await?);
        }
        digests.sort_unstable();
        digests.dedup();
        Ok(digests)
    }

    /// Unpacks a bundle from the archive at `archive`. Blocking.
    fn unpack_again(&self, archive: &Path, digest: Digest) -> Result<(BundleDir, Bundle), StoreError> {
        let unpack = |source| StoreError::Unpack { digest, source };
        let read_error = |source| io_error("open", archive, source);
        let into = self.layout.stage();
        let received = if bundle::is_kept_list(archive).map_err(read_error)? {
            bundle::unpack_kept(archive, &self.layout.kept_dir(digest), &into, &self.kept())
        } else {
            bundle::receive(fs::File::open(archive).map_err(read_error)?, &into, &self.kept())
        };
        let (staged, bundle) = received.map_err(unpack)?;
        let place = self.layout.bundle_dir(digest);
        let moved = if bundle.digest == digest {
            self.share(&staged, &bundle);
            remove_folder(&place.0).and_then(|()| move_into_place(&staged, &place))
        } else {
            let path = archive.display().to_string();
            Err(unpack(BundleError::Damaged { path, reason: "holds another bundle" }))
        };
        remove_folder(&staged.0)?;
        moved.map(|()| (place, bundle))
    }
}

/// Names of everything that a bundle has among the shared contents.
fn shared_names(bundle: &Bundle) -> Vec<String> {
    let plain = bundle.contents.values().flat_map(|digest| [digest.to_string(), kept_name(*digest)]);
    plain.chain(bundle.variants.keys().cloned()).collect()
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

fn digests_in(folder: &PathBuf) -> Result<Vec<Digest>, StoreError> {
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

pub(super) fn missing_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// The control plane asks for it on its one thread, while another thread may be removing files.
    #[tokio::test]
    async fn an_installation_waits_for_an_undo_of_the_same_bundle_alone_and_blocks_no_thread() {
        let folder = tempfile::tempdir().unwrap();
        let bundles = crate::Store::open(folder.path()).unwrap().bundles();
        let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
        let failed = bundles.installing(one).await;
        let (begun, is_begun) = tokio::sync::oneshot::channel();
        let (finish, is_finished) = mpsc::channel::<()>();
        let undoing = std::thread::spawn(move || {
            failed.alone(|| {
                begun.send(()).unwrap();
                let _ = is_finished.recv();
            });
        });
        is_begun.await.unwrap();
        drop(bundles.installing(two).await);
        let mut waiting = Box::pin(bundles.installing(one));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(finish);
        let (other, last) = (waiting.await, bundles.installing(one).await);
        last.alone(|| panic!("another one is under way"));
        let mut was_alone = false;
        other.alone(|| was_alone = true);
        assert!(was_alone);
        undoing.join().unwrap();
    }
}

//! Bundles on the disk: when one may be removed, and which were hashed at the start of the host.

use super::ReleaseError;
use super::lock_order::{Guard, Rank, SharedLock};
use super::records::Records;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OwnedRwLockReadGuard;
use vitrine_core::id::Digest;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct InstalledBundles {
    records: Records,
    /// Held for reading from when a bundle is stored until its release is recorded, for writing while one is removed.
    keeping: SharedLock,
    /// Bundles that the start of the host has hashed: what it boots is not hashed again.
    verified: Arc<Mutex<BTreeSet<Digest>>>,
}

impl InstalledBundles {
    /// Those of this data folder.
    pub(super) fn new(records: Records) -> Self {
        Self { records, keeping: SharedLock::new(Rank::Bundles), verified: Arc::default() }
    }

    fn verified(&self) -> MutexGuard<'_, BTreeSet<Digest>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These were hashed and are whole.
    pub(super) fn note_verified(&self, digests: impl Iterator<Item = Digest>) {
        self.verified().extend(digests);
    }

    /// Later boots hash all bundles again.
    pub(super) fn forget_verified(&self) {
        self.verified().clear();
    }

    /// Hashes the files of a bundle again, unless the start of the host has just done so: a worker is started from the bundle that was
    /// uploaded, or not at all. A damaged bundle is unpacked again from its archive, if that is whole.
    pub(super) async fn check(&self, digest: Digest) -> Result<(), ReleaseError> {
        if self.verified().contains(&digest) {
            return Ok(());
        }
        let checked = self.records.bundles().ensure(digest).await;
        checked.map(drop).map_err(ReleaseError::store("checking the bundle"))
    }

    /// Keeps every bundle until this is dropped: what is stored meanwhile is recorded by then.
    pub(super) async fn keep(&self) -> Guard<OwnedRwLockReadGuard<()>> {
        self.keeping.read().await
    }

    /// Removes a bundle that no release has any more.
    pub(super) async fn forget_bundle(&self, digest: Digest) {
        // An upload that brings the same bundle is recorded before this looks, or begins after it is gone.
        let _keeping = self.keeping.write().await;
        let in_use = self.records.stored("looking for a bundle's releases", |store| store.digests()).await;
        if in_use.is_ok_and(|digests| !digests.contains(&digest))
            && let Err(error) = self.records.bundles().remove(digest).await
        {
            tracing::warn!(digest = %digest.short(), %error, "failed to remove a bundle without a release");
        }
    }
}

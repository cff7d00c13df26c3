//! Releases as they are recorded.

use super::{Store, StoreError};
use crate::id::{AppName, Digest, InstanceId, ReleaseId, Version};

/// How far a release has come. The rest (live, draining, sleeping) is a fact of the route table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseState {
    /// Recorded before its first worker was started and not acknowledged yet: a host that starts finds out whether to
    /// finish or to undo it.
    Pending,
    /// Booted once, acknowledged, retained.
    Ready,
}

/// One release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseRecord {
    /// Which.
    pub id: ReleaseId,
    /// Its bundle.
    pub digest: Digest,
    /// Revision of the app's environment that it sees; 0 is the empty one.
    pub config_revision: u64,
    /// Preview name, if it is one.
    pub preview: Option<Version>,
    /// When a preview ends, in milliseconds since the Unix epoch.
    pub expires_ms: Option<u64>,
    /// When it was uploaded, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When it was last made live, in milliseconds since the Unix epoch.
    pub promoted_ms: Option<u64>,
    /// Whether it was rolled back from, and not made live since.
    pub rolled_back: bool,
    /// What its worker is started with.
    pub spec_hash: Digest,
    /// Worker that serves it, recorded before it is started.
    pub instance: Option<InstanceId>,
    /// See [`ReleaseState`].
    pub state: ReleaseState,
}

impl Store {
    /// Records a release (and its app, if that is new).
    ///
    /// # Errors
    /// [`StoreError::Exists`]; see [`StoreError`].
    pub fn insert_release(&self, _release: &ReleaseRecord) -> Result<(), StoreError> {
        todo!()
    }

    /// One release.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn release(&self, _release: &ReleaseId) -> Result<Option<ReleaseRecord>, StoreError> {
        todo!()
    }

    /// Releases of an app, newest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn releases(&self, _app: &AppName) -> Result<Vec<ReleaseRecord>, StoreError> {
        todo!()
    }

    /// Forgets a release, and its app when nothing else is left of that. An unknown release is no error.
    ///
    /// # Errors
    /// [`StoreError::Live`]; see [`StoreError`].
    pub fn delete_release(&self, _release: &ReleaseId) -> Result<(), StoreError> {
        todo!()
    }

    /// Records how far a release has come.
    ///
    /// # Errors
    /// [`StoreError::NoRelease`]; see [`StoreError`].
    pub fn set_state(&self, _release: &ReleaseId, _state: ReleaseState) -> Result<(), StoreError> {
        todo!()
    }

    /// Records the worker of a release: before it is started, and when it is gone.
    ///
    /// # Errors
    /// [`StoreError::NoRelease`]; see [`StoreError`].
    pub fn set_instance(
        &self,
        _release: &ReleaseId,
        _instance: Option<&InstanceId>,
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// Digests that some release names; a bundle that is not among them can be removed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn digests(&self) -> Result<std::collections::BTreeSet<Digest>, StoreError> {
        todo!()
    }
}

//! What was made live, and when.

use super::{Store, StoreError};
use crate::id::{AppName, ReleaseId, Version};

/// Why a release was made live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromotionKind {
    /// It is the next one.
    Promote,
    /// The one before it was bad.
    Rollback,
}

/// One switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    /// Epoch of the route table that it made.
    pub epoch: u64,
    /// What became live.
    pub version: Version,
    /// What was live before.
    pub from: Option<Version>,
    /// See [`PromotionKind`].
    pub kind: PromotionKind,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
}

impl Store {
    /// Makes a release live: counts the epoch, moves the live pointer, sets `promoted_ms`, clears the release's own
    /// `rolled_back`, and on a rollback marks the release that is left. The release that is live already may be given.
    ///
    /// # Errors
    /// [`StoreError::NoRelease`]; see [`StoreError`].
    pub fn record_promotion(
        &self,
        _release: &ReleaseId,
        _kind: PromotionKind,
        _at_ms: u64,
    ) -> Result<Promotion, StoreError> {
        todo!()
    }

    /// Version that is live.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn live(&self, _app: &AppName) -> Result<Option<Version>, StoreError> {
        todo!()
    }

    /// Switches of an app, newest first; also of versions that are gone.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn history(&self, _app: &AppName) -> Result<Vec<Promotion>, StoreError> {
        todo!()
    }
}

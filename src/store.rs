//! Durable state: a SQLite database, the bundles, and the folder that both lie in.
//!
//! Methods of [`Store`] block, each is one transaction, and what they return is on the disk. They take a few
//! milliseconds (an fsync): call them in `spawn_blocking`, or directly where nothing else waits.

mod blobs;
mod bundles;
mod env;
mod error;
mod idempotency;
mod layout;
mod promotion;
mod record;

pub use blobs::Blobs;
pub use bundles::Bundles;
pub use env::EnvValue;
pub use error::StoreError;
pub use idempotency::Begun;
pub use layout::Layout;
pub use promotion::{Promotion, PromotionKind};
pub use record::{ReleaseRecord, ReleaseState};

use crate::id::AppName;
use std::path::Path;
use std::sync::Arc;

/// The data folder, held by this process alone. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    layout: Layout,
}

impl Store {
    /// Opens the data folder, makes it if it is missing, empties its staging folder, and holds its lock until the last
    /// clone is dropped.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another host runs on it, [`StoreError::Newer`] when a later version wrote it,
    /// [`StoreError::Corrupt`] when it is damaged.
    pub fn open(_data: &Path) -> Result<Self, StoreError> {
        todo!()
    }

    /// Paths of the data folder.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.0.layout
    }

    /// The bundles of the data folder.
    #[must_use]
    pub fn bundles(&self) -> Bundles {
        todo!()
    }

    /// A fact about the host (`isolation`, `host_id`).
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn meta(&self, _key: &str) -> Result<Option<String>, StoreError> {
        todo!()
    }

    /// Records a fact about the host.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn set_meta(&self, _key: &str, _value: &str) -> Result<(), StoreError> {
        todo!()
    }

    /// The epoch of the last recorded change; 0 before the first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn epoch(&self) -> Result<u64, StoreError> {
        todo!()
    }

    /// Counts a change of the route table that is no promotion.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn next_epoch(&self) -> Result<u64, StoreError> {
        todo!()
    }

    /// Every app, by name: those with a release, a value or a promotion.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn apps(&self) -> Result<Vec<AppName>, StoreError> {
        todo!()
    }

    /// Removes an app with its releases, values and promotions. An unknown app is no error.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn remove_app(&self, _app: &AppName) -> Result<(), StoreError> {
        todo!()
    }

    /// Gives the reserved megabyte back to the disk, so that small writes succeed again. Writes do this by themselves
    /// when the disk is full; the reserve is made again at a later write, once there is room.
    pub fn free_reserve(&self) {
        todo!()
    }
}

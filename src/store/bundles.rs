//! Bundles: an archive among the blobs, and unpacked below `bundles/`.

use super::{Blobs, Layout, StoreError};
use crate::bundle::{Bundle, BundleDir};
use crate::id::Digest;

/// The bundles of a data folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bundles {
    layout: Layout,
    blobs: Blobs,
}

impl Bundles {
    /// Takes a received bundle in: its archive is stored durably, then the folder is moved to its place. A bundle that is
    /// there already stays as it is. The staged folder is gone on return, also after an error.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn install(&self, _staged: BundleDir, _digest: Digest) -> Result<BundleDir, StoreError> {
        todo!()
    }

    /// An installed bundle, verified; unpacked again from its archive when it is missing or damaged.
    ///
    /// # Errors
    /// [`StoreError::NoBlob`], [`StoreError::Unpack`]; see [`StoreError`].
    pub async fn ensure(&self, _digest: Digest) -> Result<(BundleDir, Bundle), StoreError> {
        todo!()
    }

    /// Removes a bundle, archive and files. A missing one is no error.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn remove(&self, _digest: Digest) -> Result<(), StoreError> {
        todo!()
    }

    /// Digests of everything that is installed, or left over from an upload that was not recorded.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn list(&self) -> Result<Vec<Digest>, StoreError> {
        todo!()
    }
}

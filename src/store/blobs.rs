//! Archives by digest.

use super::StoreError;
use crate::id::Digest;
use std::path::Path;
use std::sync::Arc;

/// Archives by the digest of their bundle.
#[derive(Debug, Clone)]
pub struct Blobs {
    objects: Arc<dyn object_store::ObjectStore>,
}

impl Blobs {
    /// Stores an archive; it is on the disk on return.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn put(&self, _digest: Digest, _archive: &Path) -> Result<(), StoreError> {
        todo!()
    }

    /// Copies an archive into a new file.
    ///
    /// # Errors
    /// [`StoreError::NoBlob`]; see [`StoreError`].
    pub async fn get(&self, _digest: Digest, _into: &Path) -> Result<(), StoreError> {
        todo!()
    }

    /// Deletes an archive. A missing one is no error.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn delete(&self, _digest: Digest) -> Result<(), StoreError> {
        todo!()
    }

    /// Digests of all archives.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn list(&self) -> Result<Vec<Digest>, StoreError> {
        todo!()
    }
}

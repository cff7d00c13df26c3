//! Archives by digest.

use super::{Layout, StoreError};
use futures_util::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt};
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use vitrine_core::failpoint;
use vitrine_core::id::Digest;
use vitrine_core::limits::BLOB_PART_BYTES;

/// Archives by the digest of their bundle.
#[derive(Debug, Clone)]
pub struct Blobs {
    objects: Arc<dyn ObjectStore>,
    /// Where they lie, for messages.
    folder: PathBuf,
}

impl Blobs {
    pub(super) fn open(layout: &Layout) -> Result<Self, StoreError> {
        let path = layout.blobs();
        let local = LocalFileSystem::new_with_prefix(&path).map_err(|source| StoreError::Io {
            operation: "open the archives in",
            path,
            source: io::Error::other(source),
        })?;
        remove_parts(&layout.blobs());
        // Without this an acknowledged archive is lost when the machine loses power.
        Ok(Self { objects: Arc::new(local.with_fsync(true)), folder: layout.blobs() })
    }

    /// Stores an archive; it is on the disk on return.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn put(&self, digest: Digest, archive: &Path) -> Result<(), StoreError> {
        let blob_error = |source| self.error("store the archive of", digest, source);
        failpoint::at("blob.begin");
        let mut upload = self.objects.put_multipart(&object_path(digest)).await.map_err(blob_error)?;
        let done = match send(&mut *upload, archive).await {
            Ok(()) => {
                failpoint::at("blob.complete");
                upload.complete().await.map(|_| ())
            }
            Err(error) => Err(error),
        };
        if done.is_err() {
            // The staged part is removed; when that fails too, it is the first error that tells why.
            let _ = upload.abort().await;
        }
        done.map_err(blob_error)
    }

    /// Copies an archive into a new file.
    ///
    /// # Errors
    /// [`StoreError::NoBlob`]; see [`StoreError`].
    pub async fn get(&self, digest: Digest, into: &Path) -> Result<(), StoreError> {
        let io_error = |source| StoreError::Io { operation: "write", path: into.to_owned(), source };
        let found = self.objects.get(&object_path(digest)).await.map_err(|source| match source {
            object_store::Error::NotFound { .. } => StoreError::NoBlob(digest),
            source => self.error("read the archive of", digest, source),
        })?;
        let mut file = tokio::fs::File::create_new(into).await.map_err(io_error)?;
        let mut pieces = found.into_stream();
        while let Some(piece) =
            pieces.try_next().await.map_err(|source| self.error("read the archive of", digest, source))?
        {
            file.write_all(&piece).await.map_err(io_error)?;
        }
        file.flush().await.map_err(io_error)
    }

    /// Deletes an archive. A missing one is no error.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn delete(&self, digest: Digest) -> Result<(), StoreError> {
        failpoint::at("blob.delete");
        match self.objects.delete(&object_path(digest)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(self.error("delete the archive of", digest, source)),
        }
    }

    /// Digests of all archives.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn list(&self) -> Result<Vec<Digest>, StoreError> {
        let list_error = |source| StoreError::BlobList { source };
        let found: Vec<_> = self.objects.list(None).try_collect().await.map_err(list_error)?;
        Ok(found.iter().filter_map(|object| object.location.filename()?.parse().ok()).collect())
    }

    fn error(&self, operation: &'static str, digest: Digest, source: object_store::Error) -> StoreError {
        let mut cause: Option<&(dyn Error + 'static)> = Some(&source);
        while let Some(error) = cause {
            if error.downcast_ref().is_some_and(|io: &io::Error| io.kind() == io::ErrorKind::StorageFull) {
                let path = self.folder.clone();
                return StoreError::DiskFull { operation, path, source: Box::new(source) };
            }
            cause = error.source();
        }
        StoreError::Blob { operation, digest, source }
    }
}

/// Removes what a host that died in the middle of an upload left: the local store calls it `DIGEST#NUMBER`.
fn remove_parts(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.map_while(Result::ok).map(|entry| entry.path()) {
        let is_part = path.file_name().is_some_and(|name| name.to_string_lossy().contains('#'));
        if is_part && let Err(error) = std::fs::remove_file(&path) {
            tracing::warn!(path = %path.display(), %error, "a part of an archive could not be removed");
        }
    }
}

fn object_path(digest: Digest) -> ObjectPath {
    ObjectPath::from(digest.to_string())
}

async fn send(upload: &mut dyn MultipartUpload, archive: &Path) -> object_store::Result<()> {
    let generic =
        |source: io::Error| object_store::Error::Generic { store: "archive", source: source.into() };
    let mut file = tokio::fs::File::open(archive).await.map_err(generic)?;
    loop {
        let mut part = Vec::with_capacity(BLOB_PART_BYTES);
        (&mut file).take(BLOB_PART_BYTES as u64).read_to_end(&mut part).await.map_err(generic)?;
        if part.is_empty() {
            return Ok(());
        }
        upload.put_part(part.into()).await?;
    }
}

//! Names that are used again: who may not decide what users get puts nothing else under one that users know.

use super::ReleaseError;
use super::upload::Uploader;
use vitrine_core::id::{Digest, ReleaseId, Version};

impl Uploader {
    /// Refuses other content under a name that a release has or that users had one of, as a version or as a preview: whoever promotes by
    /// that name would give users something else than they know by it.
    pub(super) async fn refuse_reuse(
        &self,
        release: &ReleaseId,
        preview: Option<&Version>,
        digest: Digest,
    ) -> Result<(), ReleaseError> {
        let of_preview = preview.map(|name| ReleaseId::new(release.app.clone(), name.clone()));
        let names: Vec<ReleaseId> = std::iter::once(release.clone()).chain(of_preview).collect();
        let taken = self
            .records
            .stored("looking for what users had", move |store| store.name_of_others(&names, digest))
            .await?;
        taken.map_or(Ok(()), |name| Err(ReleaseError::Reused(name)))
    }
}

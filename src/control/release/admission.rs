//! Whether a bundle may be taken in: its name and labels, its content, the quota, its signature.

use super::ReleaseError;
use super::labels::{Claim, Counts};
use super::registry::{Reserved, Unclaimed};
use super::upload::Uploader;
use vitrine_bundle::{SignatureError, Signers};
use vitrine_core::id::{Digest, ReleaseId, Version};
use vitrine_store::ReleaseRecord;

impl Uploader {
    /// See [`Releases::check_upload`](super::Releases::check_upload).
    pub(super) async fn check_upload(
        &self,
        release: ReleaseId,
        preview: Option<Version>,
        digest: Digest,
        bytes: u64,
        may_promote: bool,
    ) -> Result<(), ReleaseError> {
        self.registry.refuse_kept(&release.app)?;
        let claim = Claim { release, preview, counts: Counts::As(digest, bytes) };
        self.refuse_routed(&claim)?;
        match self.registry.look_up(&claim, &self.config.quota) {
            Ok(Some(existing)) => {
                return idempotent_reupload(&existing.record(), digest, claim.preview.as_ref());
            }
            // That one may be over by the time that this one is here.
            Ok(None) | Err(Unclaimed::Busy) => {}
            Err(why) => return Err(unclaimed(&claim.release, why)),
        }
        match may_promote {
            true => Ok(()),
            false => self.refuse_reuse(&claim.release, claim.preview.as_ref(), digest).await,
        }
    }

    /// Checks that a permitted key has signed this bundle as this release, and nothing newer since.
    pub(super) async fn check_signature(
        &self,
        id: &ReleaseId,
        digest: Digest,
        signature: Option<&str>,
    ) -> Result<(), ReleaseError> {
        let unsigned = |reason| ReleaseError::Unsigned { release: id.clone(), reason };
        let wanted = &self.config.signatures;
        // The file was checked when it was read: what is no key vouches for nothing.
        let signers =
            Signers::new(&wanted.keys, wanted.required).map_err(|_| unsigned(SignatureError::NoKeys))?;
        let Some(sequence) = signers.check(signature, digest, &id.app, &id.version).map_err(unsigned)? else {
            return Ok(());
        };
        let release = id.clone();
        let seen = self.records.stored("recording the signature", move |store| {
            store.record_signature(&release, digest, sequence)
        });
        match seen.await? {
            None => Ok(()),
            Some(newest) => Err(unsigned(SignatureError::Replayed { sequence, newest })),
        }
    }

    /// Holds the name of a release, and its labels, while it is taken in.
    pub(super) fn reserve(&self, claim: Claim) -> Result<Reserved<'_>, ReleaseError> {
        self.refuse_routed(&claim)?;
        let id = claim.release.clone();
        self.registry.reserve(claim, &self.config.quota).map_err(|why| unclaimed(&id, why))
    }

    /// Refuses host names that `vitrine.toml` gives to an app.
    fn refuse_routed(&self, claim: &Claim) -> Result<(), ReleaseError> {
        let config = &self.config;
        for (label, _) in claim.labels() {
            let host = format!("{label}.{}", config.domain);
            if let Some(route) = config.routes.iter().find(|route| route.host == host) {
                let by = format!("a route to {} in vitrine.toml", route.app);
                return Err(ReleaseError::LabelTaken { label, by });
            }
        }
        Ok(())
    }

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

/// Why a release can't be taken in now, as the answer to its caller.
pub(super) fn unclaimed(id: &ReleaseId, why: Unclaimed) -> ReleaseError {
    match why {
        Unclaimed::Busy => ReleaseError::Refused(format!("`{id}` is being deployed right now; wait for it")),
        Unclaimed::TooMany(why) => ReleaseError::Quota(why),
        Unclaimed::Taken { label, by } => ReleaseError::LabelTaken { label, by },
    }
}

/// Whether an upload under the name of a release that is there brings the same again.
pub(super) fn idempotent_reupload(
    existing: &ReleaseRecord,
    digest: Digest,
    preview: Option<&Version>,
) -> Result<(), ReleaseError> {
    if let Some(name) = preview.filter(|name| existing.preview.as_ref() != Some(*name)) {
        return Err(ReleaseError::Refused(format!(
            "`{}` is there already and is not the preview `{name}`; give the preview a --version of its own",
            existing.id
        )));
    }
    if existing.digest == digest {
        return Ok(());
    }
    Err(ReleaseError::OtherContent { release: existing.id.clone(), existing: existing.digest })
}

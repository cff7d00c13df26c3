//! Names and labels of releases that are being taken in: each is held by one upload until it ends.

use super::{Registry, State};
use crate::release::labels::{self, Claim, Counts};
use crate::release::quota as quotas;
use crate::release::release_handle::ReleaseHandle;
use std::sync::Arc;
use vitrine_core::config::Quota;
use vitrine_core::id::{AppName, ReleaseId};

/// Why a release can't be taken in now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::release) enum Unclaimed {
    /// It is being taken in.
    Busy,
    /// Its app has too many, and what to do.
    TooMany(String),
    /// A label is taken.
    Taken {
        /// Which.
        label: String,
        /// Its owner.
        by: String,
    },
}

/// Holds a version and its labels for an upload; free again when dropped.
#[derive(Debug)]
pub(in crate::release) struct Reservation<'a> {
    registry: &'a Registry,
    release: ReleaseId,
}

/// What a claim finds.
#[derive(Debug)]
pub(in crate::release) enum Reserved<'a> {
    /// The release is new.
    New(Reservation<'a>),
    /// It is there, with its labels.
    There(Arc<ReleaseHandle>),
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let mut state = self.registry.lock();
        state.claims.retain(|claim| claim.release != self.release);
        state.revoked.remove(&self.release);
    }
}

impl State {
    /// The release of this name, if there is one. If not, it may be taken in.
    fn look_up(&self, claim: &Claim, quota: &Quota) -> Result<Option<Arc<ReleaseHandle>>, Unclaimed> {
        let own = self.apps.get(&claim.release.app).map(|app| app.releases.as_slice()).unwrap_or_default();
        if let Some(handle) = own.iter().find(|handle| *handle.pool.release() == claim.release) {
            return Ok(Some(Arc::clone(handle)));
        }
        self.refuse(claim, quota).map_or(Ok(None), Err)
    }

    /// Why a release can't be taken in under these names: see [`Unclaimed`].
    fn refuse(&self, claim: &Claim, quota: &Quota) -> Option<Unclaimed> {
        let (release, taken) = (&claim.release, |(label, by)| Unclaimed::Taken { label, by });
        if self.claims.iter().any(|other| other.release == *release) {
            return Some(Unclaimed::Busy);
        }
        let own = self.apps.get(&release.app).map(|app| app.releases.as_slice()).unwrap_or_default();
        let holds = |name: &str| name == release.app.as_str() || self.holds_name(name);
        // What users get anew is not refused for its label: that stays the other app's.
        let labels = claim.labels().filter(|_| claim.counts != Counts::Nothing);
        for (label, _) in labels {
            let owner = labels::owner(&label, holds).filter(|owner| *owner != release.app.as_str());
            if let Some(owner) = owner.map(String::from) {
                let by = match self.apps.contains_key(owner.as_str()) {
                    true => format!("the app {owner}"),
                    false => format!(
                        "the app {owner}, which was removed; `vitrine remove {owner} --free-name` frees it"
                    ),
                };
                return Some(Unclaimed::Taken { label, by });
            }
        }
        let met = self.claims.iter().find_map(|earlier| claim.meets(earlier));
        let common = |handle: &Arc<ReleaseHandle>| {
            let record = handle.record();
            labels::common(claim.labels(), || labels::labels(&record.id, record.preview.as_ref()))
        };
        let under_way = self.claims.iter().filter(|other| other.release.app == release.app);
        met.or_else(|| own.iter().find_map(common))
            .map(taken)
            .or_else(|| quotas::too_many(claim, own, under_way, quota).map(Unclaimed::TooMany))
    }
}

/// A label that another app had, and has no more.
#[derive(Debug)]
pub(in crate::release) struct LostLabel {
    /// Which.
    pub label: String,
    /// The app.
    pub of: AppName,
    /// What of it.
    pub by: String,
}

impl Registry {
    /// Labels of releases and previews of other apps that belong to this one.
    pub(in crate::release) fn labels_below(&self, app: &AppName) -> Vec<LostLabel> {
        let records: Vec<_> = self.entries().iter().map(|handle| handle.record()).collect();
        let of_others = records.iter().filter(|record| record.id.app != *app);
        let labels = of_others.flat_map(|record| {
            let named = labels::labels(&record.id, record.preview.as_ref());
            named.map(|(label, by)| LostLabel { label, by, of: record.id.app.clone() })
        });
        let state = self.lock();
        let holds = |name: &str| state.holds_name(name);
        labels.filter(|lost| labels::owner(&lost.label, holds) == Some(app.as_str())).collect()
    }

    /// Holds a version and its labels for an upload: of two that want the same, one gets it.
    ///
    /// # Errors
    /// See [`Unclaimed`].
    pub(in crate::release) fn reserve(&self, claim: Claim, quota: &Quota) -> Result<Reserved<'_>, Unclaimed> {
        let mut state = self.lock();
        if let Some(handle) = state.look_up(&claim, quota)? {
            return Ok(Reserved::There(handle));
        }
        let release = claim.release.clone();
        state.claims.push(claim);
        Ok(Reserved::New(Reservation { registry: self, release }))
    }

    /// What [`Registry::reserve`] would find now, and the release of that name, if there is one. Holds nothing.
    ///
    /// # Errors
    /// See [`Unclaimed`].
    pub(in crate::release) fn look_up(
        &self,
        claim: &Claim,
        quota: &Quota,
    ) -> Result<Option<Arc<ReleaseHandle>>, Unclaimed> {
        self.lock().look_up(claim, quota)
    }
}

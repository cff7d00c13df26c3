//! A release beside the live one: promoted for a share of the users.

use super::course::refused;
use super::entry::Entry;
use super::life::Event;
use super::switch::has_production_values;
use super::{PromoteOptions, ReleaseError, Releases, Switched};
use std::sync::Arc;
use vitrine_core::id::ReleaseId;
use vitrine_proxy::route::split::Weight;
use vitrine_store::{ReleaseState, SplitRecord};

impl Releases {
    /// Gives a release a share of the users, or changes its share; boots it first if it sleeps. Returns once persisted and
    /// swapped. A plain promotion or a rollback ends it.
    ///
    /// # Errors
    /// See [`ReleaseError`]; refused while another release has a share, or without a live one to share with.
    pub async fn promote_weighted(
        &self,
        release: ReleaseId,
        weight: Weight,
        options: PromoteOptions,
    ) -> Result<Switched, ReleaseError> {
        let entry = self.find_content(&release, options.digest)?;
        self.may_share(&entry)?;
        let before = self.ready_for_users(&entry, options.boot_deadline).await?;
        let switched = match self.refuse_unwell(&entry).await {
            Ok(()) => self.share(&entry, weight).await,
            Err(error) => Err(error),
        };
        self.settle_values(&entry, before).await;
        switched
    }

    /// Records the share and swaps.
    async fn share(&self, entry: &Arc<Entry>, weight: Weight) -> Result<Switched, ReleaseError> {
        let release = entry.id();
        let switching = self.0.book.switching(&release.app);
        let _switching = switching.lock().await;
        let live = self.may_share(entry)?.id().version;
        let _boot = entry.boot.lock().await;
        entry.life().after(Event::Shared).map_err(|illegal| refused(entry, illegal))?;
        has_production_values(entry)?;
        if !entry.pool.is_ready() {
            return Err(ReleaseError::Refused(format!(
                "the worker of `{release}` was lost just now; try again"
            )));
        }
        self.0.parts.predecessor.settled().await;
        let now_ms = self.0.parts.clock.now_ms();
        let (recorded, percent) = (release.clone(), weight.percent());
        let _changing = self.0.changing.lock().await;
        let epoch = self
            .stored("recording the share", move |store| store.record_split(&recorded, percent, now_ms))
            .await?;
        self.0.book.set_epoch(epoch);
        let split = SplitRecord { version: release.version.clone(), weight: percent };
        let sinks = self.0.book.split(&release.app).is_some_and(|before| before.weight > percent);
        self.0.book.set_split(&release.app, Some(split));
        entry.update(|record| {
            record.promoted_ms = Some(now_ms);
            record.rolled_back = false;
            record.state = ReleaseState::Ready;
        });
        self.told(entry, Event::Shared).await;
        self.publish(Some(&release.app));
        if sinks {
            self.settle(entry);
        }
        tracing::info!(%release, %live, weight = percent, "a share of the users gets this release");
        Ok(Switched { weight: percent, ..self.switched(&release, Some(live), epoch) })
    }

    /// The live release that this one may share its users with.
    fn may_share(&self, entry: &Arc<Entry>) -> Result<Arc<Entry>, ReleaseError> {
        let release = entry.id();
        let app = &release.app;
        let refuse = |text| Err(ReleaseError::Refused(text));
        let Some(live) = self.0.book.live(app) else {
            return refuse(format!(
                "`{app}` has no live release to share its users with; promote without a weight"
            ));
        };
        if Arc::ptr_eq(&live, entry) {
            return refuse(format!("`{release}` is live; a weight is for the release beside it"));
        }
        match self.0.book.split(app) {
            Some(split) if split.version != release.version => refuse(format!(
                "`{}` has {} % of the users; promote it or roll back first",
                split.version, split.weight
            )),
            _ => Ok(live),
        }
    }

    /// The release that has a share of its app's users.
    pub(super) fn candidate(&self, app: &vitrine_core::id::AppName) -> Option<Arc<Entry>> {
        let split = self.0.book.split(app)?;
        self.0.book.release(&ReleaseId::new(app.clone(), split.version))
    }
}

//! A release beside the live one: promoted for a share of the users.

use super::effects::refused;
use super::lifecycle::Event;
use super::release_handle::ReleaseHandle;
use super::switch::Switcher;
use super::switch::{has_production_values, serves};
use super::{PromoteOptions, ReleaseError, Switched};
use std::sync::Arc;
use vitrine_core::id::ReleaseId;
use vitrine_proxy::route::split::Weight;
use vitrine_store::{ReleaseState, SplitRecord};

impl Switcher {
    /// See [`Releases::promote_weighted`](super::Releases::promote_weighted).
    pub(super) async fn promote_weighted(
        &self,
        release: ReleaseId,
        weight: Weight,
        options: PromoteOptions,
    ) -> Result<Switched, ReleaseError> {
        let handle = self.registry.find_content(&release, options.digest)?;
        self.registry.refuse_deploy(&release, options.deploy)?;
        self.may_share(&handle)?;
        let before = self.values.ready_for_users(&handle, options.boot_deadline).await?;
        let switched = match self.supervisor.refuse_unwell(&handle).await {
            Ok(()) => self.share(&handle, weight, options.deploy).await,
            Err(error) => Err(error),
        };
        self.values.settle_values(&handle, before).await;
        switched
    }

    /// Records the share and swaps.
    async fn share(
        &self,
        handle: &Arc<ReleaseHandle>,
        weight: Weight,
        deploy: Option<u64>,
    ) -> Result<Switched, ReleaseError> {
        let release = handle.id();
        let switching = self.registry.switching(&release.app);
        let _switching = switching.lock().await;
        self.registry.still_there(handle)?;
        self.registry.refuse_deploy(&release, deploy)?;
        let live = self.may_share(handle)?.id().version;
        let _boot = handle.boot.lock().await;
        handle.life().after(Event::Shared).map_err(|illegal| refused(handle, illegal))?;
        has_production_values(handle)?;
        serves(handle)?;
        self.predecessor.settled().await;
        let now_ms = self.clock.now_ms();
        let (recorded, percent) = (release.clone(), weight.percent());
        let _changing = self.publisher.change().await;
        let epoch = self
            .records
            .stored("recording the share", move |store| store.record_split(&recorded, percent, now_ms))
            .await?;
        self.registry.set_epoch(epoch);
        let split = SplitRecord { version: release.version.clone(), weight: percent };
        let sinks = self.registry.split(&release.app).is_some_and(|before| before.weight > percent);
        self.registry.set_split(&release.app, Some(split));
        handle.update(|record| {
            record.promoted_ms = Some(now_ms);
            record.rolled_back = false;
            record.state = ReleaseState::Ready;
        });
        self.apply_committed(handle, Event::Shared).await;
        self.publisher.publish(Some(&release.app));
        if sinks {
            self.supervisor.settle(handle);
        }
        tracing::info!(%release, %live, weight = percent, "a share of the users gets this release");
        Ok(Switched { weight: percent, ..self.switched(&release, Some(live), epoch) })
    }

    /// The live release that this one may share its users with.
    fn may_share(&self, handle: &Arc<ReleaseHandle>) -> Result<Arc<ReleaseHandle>, ReleaseError> {
        let release = handle.id();
        let app = &release.app;
        let refuse = |text| Err(ReleaseError::Refused(text));
        let Some(live) = self.registry.live(app) else {
            return refuse(format!(
                "`{app}` has no live release to share its users with; promote without a weight"
            ));
        };
        if Arc::ptr_eq(&live, handle) {
            return refuse(format!("`{release}` is live; a weight is for the release beside it"));
        }
        match self.registry.split(app) {
            Some(split) if split.version != release.version => refuse(format!(
                "`{}` has {} % of the users; promote it or roll back first",
                split.version, split.weight
            )),
            _ => Ok(live),
        }
    }
}

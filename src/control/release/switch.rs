//! What is live, changed: the release healthy, the change recorded, the table swapped, the old one drained.

use super::effects::refused;
use super::lifecycle::Event;
use super::release_handle::ReleaseHandle;
use super::{ReleaseError, Releases, Switched, decide};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::id::{AppName, ReleaseId, Version, dns_label};
use vitrine_core::limits::ROLLBACK_BOOT_DEADLINE_MS;
use vitrine_core::telemetry::{FlipKind, error_chain};
use vitrine_store::{DeploymentRecord, EnvScope, PromotionKind, ReleaseState};

impl Releases {
    /// Makes an earlier release live: `to`, or the newest earlier live one that was not itself rolled back from. While another
    /// release has a share of the users, that is the live one, and the other is rolled back from.
    ///
    /// # Errors
    /// See [`ReleaseError`]; `from` that is not live is refused.
    pub async fn rollback(
        &self,
        app: AppName,
        to: Option<Version>,
        from: Option<Version>,
    ) -> Result<Switched, ReleaseError> {
        let split = self.0.registry.split(&app);
        let (target, live) = self.rollback_entries(&app, to.as_ref(), from.as_ref())?;
        // A warm standby passes at once; one that sleeps is booted outside the lock.
        self.ensure_worker(&target, Duration::from_millis(ROLLBACK_BOOT_DEADLINE_MS), true).await?;
        let switching = self.0.registry.switching(&app);
        let _switching = switching.lock().await;
        self.still_live(&live)?;
        if self.0.registry.split(&app) != split {
            return Err(ReleaseError::Refused(format!(
                "the share of the users changed meanwhile; look at `vitrine status {app}` and try again"
            )));
        }
        self.switch(&target, PromotionKind::Rollback, None).await
    }

    pub(super) fn still_live(&self, live: &Arc<ReleaseHandle>) -> Result<(), ReleaseError> {
        let app = live.id().app;
        if self.0.registry.live(&app).is_some_and(|now| Arc::ptr_eq(&now, live)) {
            return Ok(());
        }
        if !self.0.registry.knows(&app) {
            return Err(self.no_app(&app));
        }
        Err(ReleaseError::Refused(format!(
            "the live release of `{app}` changed meanwhile; look at `vitrine status {app}` and try again"
        )))
    }

    fn rollback_entries(
        &self,
        app: &AppName,
        to: Option<&Version>,
        from: Option<&Version>,
    ) -> Result<(Arc<ReleaseHandle>, Arc<ReleaseHandle>), ReleaseError> {
        if !self.0.registry.knows(app) {
            return Err(self.no_app(app));
        }
        let refuse = |text: String| Err(ReleaseError::Refused(text));
        let Some(live) = self.0.registry.live(app) else {
            return refuse(format!("`{app}` has no live release to roll back from"));
        };
        let live_version = live.id().version;
        let candidate = self.0.registry.split(app).map(|split| split.version);
        if let Some(from) = from
            && *from != live_version
            && Some(from) != candidate.as_ref()
        {
            return refuse(format!("`{from}` is not live (`{live_version}` is): nothing was changed"));
        }
        let version = match to {
            // The live release goes back to all users.
            None if candidate.is_some() => live_version,
            Some(version) if *version == live_version && candidate.is_some() => live_version,
            Some(version) if *version == live_version => {
                return refuse(format!("`{version}` is live already"));
            }
            Some(version) => {
                let release = self.find(&ReleaseId::new(app.clone(), version.clone()))?.id();
                if !self.had_users(app).contains(version) {
                    return refuse(format!(
                        "`{release}` was never live; `vitrine promote {app} {version}` makes it so"
                    ));
                }
                release.version
            }
            None => match self.earlier(app, &live_version) {
                Some(version) => version,
                None => return refuse(format!("`{app}` has no earlier live release to roll back to")),
            },
        };
        Ok((self.find(&ReleaseId::new(app.clone(), version))?, live))
    }

    /// What a rollback that names no version goes to: the end of a share of the users, else an earlier live release.
    pub(super) fn rollback_target(&self, app: &AppName) -> Option<Version> {
        let live = self.0.registry.live(app)?.id().version;
        if self.candidate(app).is_some() { Some(live) } else { self.earlier(app, &live) }
    }

    /// The live release before `live` that a rollback goes to.
    pub(super) fn earlier(&self, app: &AppName, live: &Version) -> Option<Version> {
        let had_users = self.had_users(app);
        // Of most apps that are listed there is none, and a history is long.
        let any = had_users.iter().any(|version| version != live);
        if !any {
            return None;
        }
        let is_bad =
            |version: &Version| self.0.registry.bad(&ReleaseId::new(app.clone(), version.clone())).is_some();
        let good = had_users.into_iter().filter(|version| !is_bad(version)).collect();
        decide::rollback_target(&self.0.registry.history(app), live, &good)
    }

    /// The releases that an app's users had, all of them or a share: a rollback goes to no other. A name in the history alone may be
    /// another release's by now.
    pub(super) fn had_users(&self, app: &AppName) -> BTreeSet<Version> {
        let releases = self.0.registry.releases(app);
        releases.iter().filter(|handle| handle.had_users()).map(|handle| handle.id().version).collect()
    }

    /// Records, swaps, and lets the old release finish in the background. The deployment that asks for it is recorded with it:
    /// a host that ends right here goes on with both at its next start. The caller holds the app's switching lock.
    pub(super) async fn switch(
        &self,
        handle: &Arc<ReleaseHandle>,
        kind: PromotionKind,
        deployment: Option<DeploymentRecord>,
    ) -> Result<Switched, ReleaseError> {
        let release = handle.id();
        let boot = handle.boot.lock().await;
        let live = self.0.registry.live(&release.app);
        // One that is live already gets back the users that another one had a share of: for it nothing happens.
        let becomes_live = live.as_ref().is_none_or(|live| !Arc::ptr_eq(live, handle));
        if becomes_live {
            handle.life().after(Event::Promoted).map_err(|illegal| refused(handle, illegal))?;
        }
        has_production_values(handle)?;
        if !handle.pool.is_ready() && failpoint::at("switch.ready") != Some(Fault::Skip) {
            return Err(ReleaseError::Refused(format!(
                "the worker of `{release}` was lost just now; try again"
            )));
        }
        self.0.parts.predecessor.settled().await;
        let now_ms = self.0.parts.clock.now_ms();
        let recorded = release.clone();
        let changing = self.0.changing.lock().await;
        let promotion = self
            .stored("recording what is live", move |store| {
                store.record_promotion(&recorded, kind, now_ms, deployment.as_ref())
            })
            .await?;
        let epoch = promotion.epoch;
        let candidate = self.candidate(&release.app).filter(|other| !Arc::ptr_eq(other, handle));
        let superseded = self.0.registry.promoted(&release.app, promotion).filter(|_| becomes_live);
        handle.update(|record| {
            record.promoted_ms = Some(now_ms);
            record.rolled_back = false;
            record.state = ReleaseState::Ready;
        });
        if kind == PromotionKind::Rollback {
            for left in [&superseded, &candidate].into_iter().flatten() {
                left.update(|record| record.rolled_back = true);
            }
        }
        if becomes_live {
            self.apply_committed(handle, Event::Promoted).await;
            handle.window().restart(Instant::now(), handle.pool.series().sample());
        }
        if failpoint::at("switch.publish") != Some(Fault::Skip) {
            self.publish(Some(&release.app));
        }
        drop(changing);
        drop(boot);
        if let Some(superseded) = &superseded {
            self.supersede(&release, &superseded.id().version, kind);
        }
        let flip = match kind {
            PromotionKind::Promote | PromotionKind::Reconfigure => FlipKind::Promote,
            PromotionKind::Rollback => FlipKind::Rollback,
        };
        self.0.parts.telemetry.metrics.flip(&release.app, flip);
        let from = superseded.as_ref().or(candidate.as_ref()).map(|handle| handle.id().version);
        tracing::info!(%release, from = from.as_ref().map(tracing::field::display), flip = ?kind, "the live release changed");
        if let Some(superseded) = superseded {
            self.apply_committed(&superseded, Event::Superseded).await;
        }
        if let Some(candidate) = candidate {
            self.settle(&candidate);
        }
        Ok(self.switched(&release, from, epoch))
    }

    /// Applies an event of a switch that is already committed. A failure is only logged: the commit can't be undone.
    pub(super) async fn apply_committed(&self, handle: &Arc<ReleaseHandle>, event: Event) {
        if let Err(error) = self.apply(handle, event, Duration::ZERO).await {
            tracing::error!(release = %handle.id(), error = %error_chain(&error), "the state machine rejected a committed switch");
        }
    }

    pub(super) fn switched(&self, release: &ReleaseId, previous: Option<Version>, epoch: u64) -> Switched {
        Switched {
            app: release.app.to_string(),
            version: release.version.to_string(),
            weight: 100,
            previous: previous.map(|version| version.to_string()),
            bake_time_ms: 0,
            baked_against: None,
            share: None,
            epoch,
            url: self.url(&dns_label(release.app.as_str())),
        }
    }

    /// What the switch of this epoch did, if it is remembered.
    pub fn switched_in(&self, app: &AppName, epoch: u64) -> Option<Switched> {
        let history = self.0.registry.history(app);
        let switch = history.iter().find(|switch| switch.epoch == epoch)?;
        let release = ReleaseId::new(app.clone(), switch.version.clone());
        Some(self.switched(&release, switch.from.clone(), epoch))
    }

    /// What the change of this epoch did that gave a release a share of the users.
    pub fn shared_in(&self, release: ReleaseId, weight: u8, epoch: u64) -> Switched {
        let live = self.0.registry.live(&release.app).map(|live| live.id().version);
        Switched { weight, ..self.switched(&release, live, epoch) }
    }

    /// The release that a version or a preview's name leads to; what is unknown stays as it is.
    #[must_use]
    pub fn named(&self, release: ReleaseId) -> ReleaseId {
        if self.0.registry.release(&release).is_some() {
            return release;
        }
        self.0.registry.preview(&release.app, &release.version).map_or(release, |handle| handle.id())
    }

    /// A release, or which part of its name is unknown.
    pub(super) fn find(&self, release: &ReleaseId) -> Result<Arc<ReleaseHandle>, ReleaseError> {
        if !self.0.registry.knows(&release.app) {
            return Err(self.no_app(&release.app));
        }
        self.0.registry.release(release).ok_or_else(|| ReleaseError::NoRelease(release.clone()))
    }
}

/// Refuses a release that has the values of previews: another promotion of it failed and put them back. The caller holds its
/// `boot` lock.
pub(super) fn has_production_values(handle: &ReleaseHandle) -> Result<(), ReleaseError> {
    if handle.record().env_scope == EnvScope::Production {
        return Ok(());
    }
    Err(ReleaseError::Refused(format!(
        "another promotion of `{}` failed meanwhile and put the values of previews back; try again",
        handle.id()
    )))
}

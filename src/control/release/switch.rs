//! What is live, changed: the release healthy, the change recorded, the table swapped, the old one drained.

use super::effects::refused;
use super::lifecycle::Event;
use super::publisher::RoutePublisher;
use super::records::Records;
use super::registry::Registry;
use super::release_handle::ReleaseHandle;
use super::supervisor::WorkerSupervisor;
use super::urls::Urls;
use super::values::Values;
use super::{ReleaseError, Switched};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use vitrine_core::clock::Clock;
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::handover::Predecessor;
use vitrine_core::id::{AppName, ReleaseId, Version, dns_label};
use vitrine_core::limits::ROLLBACK_BOOT_DEADLINE_MS;
use vitrine_core::telemetry::Metrics;
use vitrine_core::telemetry::{FlipKind, error_chain};
use vitrine_store::{DeploymentRecord, EnvScope, PromotionKind, ReleaseState};

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Switcher {
    pub registry: Arc<Registry>,
    pub records: Records,
    pub clock: Clock,
    pub predecessor: Predecessor,
    pub metrics: Arc<Metrics>,
    pub urls: Urls,
    pub supervisor: WorkerSupervisor,
    pub publisher: RoutePublisher,
    pub values: Values,
}

impl Switcher {
    /// The same, with its changes recorded on behalf of another actor.
    pub(super) fn through(&self, records: &Records) -> Self {
        Self { records: records.clone(), values: self.values.through(records), ..self.clone() }
    }

    /// See [`Releases::rollback`](super::Releases::rollback).
    pub(super) async fn rollback(
        &self,
        app: AppName,
        to: Option<Version>,
        from: Option<Version>,
    ) -> Result<Switched, ReleaseError> {
        let split = self.registry.split(&app);
        let (target, live) = self.rollback_entries(&app, to.as_ref(), from.as_ref())?;
        // A warm standby passes at once; one that sleeps is booted outside the lock.
        self.supervisor
            .ensure_worker(&target, Duration::from_millis(ROLLBACK_BOOT_DEADLINE_MS), true)
            .await?;
        let switching = self.registry.switching(&app);
        let _switching = switching.lock().await;
        self.registry.still_live(&live)?;
        if self.registry.split(&app) != split {
            return Err(ReleaseError::Refused(format!(
                "the share of the users changed meanwhile; look at `vitrine status {app}` and try again"
            )));
        }
        self.switch(&target, PromotionKind::Rollback, None).await
    }

    fn rollback_entries(
        &self,
        app: &AppName,
        to: Option<&Version>,
        from: Option<&Version>,
    ) -> Result<(Arc<ReleaseHandle>, Arc<ReleaseHandle>), ReleaseError> {
        if !self.registry.knows(app) {
            return Err(self.registry.no_app(app));
        }
        let refuse = |text: String| Err(ReleaseError::Refused(text));
        let Some(live) = self.registry.live(app) else {
            return refuse(format!("`{app}` has no live release to roll back from"));
        };
        let live_version = live.id().version;
        let candidate = self.registry.split(app).map(|split| split.version);
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
                let release = self.registry.find(&ReleaseId::new(app.clone(), version.clone()))?.id();
                if !self.registry.had_users(app).contains(version) {
                    return refuse(format!(
                        "`{release}` was never live; `vitrine promote {app} {version}` makes it so"
                    ));
                }
                release.version
            }
            None => match self.registry.earlier(app, &live_version) {
                Some(version) => version,
                None => return refuse(format!("`{app}` has no earlier live release to roll back to")),
            },
        };
        Ok((self.registry.find(&ReleaseId::new(app.clone(), version))?, live))
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
        self.registry.still_there(handle)?;
        let boot = handle.boot.lock().await;
        let live = self.registry.live(&release.app);
        // One that is live already gets back the users that another one had a share of: for it nothing happens.
        let becomes_live = live.as_ref().is_none_or(|live| !Arc::ptr_eq(live, handle));
        if becomes_live {
            handle.life().after(Event::Promoted).map_err(|illegal| refused(handle, illegal))?;
        }
        has_production_values(handle)?;
        serves(handle)?;
        self.predecessor.settled().await;
        let now_ms = self.clock.now_ms();
        let recorded = release.clone();
        let changing = self.publisher.change().await;
        let promotion = self
            .records
            .stored("recording what is live", move |store| {
                store.record_promotion(&recorded, kind, now_ms, deployment.as_ref())
            })
            .await?;
        let epoch = promotion.epoch;
        let candidate = self.registry.candidate(&release.app).filter(|other| !Arc::ptr_eq(other, handle));
        let superseded = self.registry.promoted(&release.app, promotion).filter(|_| becomes_live);
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
            self.publisher.publish(Some(&release.app));
        }
        drop(changing);
        drop(boot);
        if let Some(superseded) = &superseded {
            self.registry.supersede(&release, &superseded.id().version, kind);
        }
        let flip = match kind {
            PromotionKind::Promote | PromotionKind::Reconfigure => FlipKind::Promote,
            PromotionKind::Rollback => FlipKind::Rollback,
        };
        self.metrics.flip(&release.app, flip);
        let from = superseded.as_ref().or(candidate.as_ref()).map(|handle| handle.id().version);
        tracing::info!(%release, from = from.as_ref().map(tracing::field::display), flip = ?kind, "the live release changed");
        if let Some(superseded) = superseded {
            self.apply_committed(&superseded, Event::Superseded).await;
        }
        if let Some(candidate) = candidate {
            self.supervisor.settle(&candidate);
        }
        Ok(self.switched(&release, from, epoch))
    }

    /// Applies an event of a switch that is already committed. A failure is only logged: the commit can't be undone.
    pub(super) async fn apply_committed(&self, handle: &Arc<ReleaseHandle>, event: Event) {
        if let Err(error) = self.supervisor.apply(handle, event, Duration::ZERO).await {
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
            url: self.urls.url(&dns_label(release.app.as_str())),
        }
    }

    /// See [`Releases::switched_in`](super::Releases::switched_in).
    pub(super) fn switched_in(&self, app: &AppName, epoch: u64) -> Option<Switched> {
        let history = self.registry.history(app);
        let switch = history.iter().find(|switch| switch.epoch == epoch)?;
        let release = ReleaseId::new(app.clone(), switch.version.clone());
        Some(self.switched(&release, switch.from.clone(), epoch))
    }

    /// See [`Releases::shared_in`](super::Releases::shared_in).
    pub(super) fn shared_in(&self, release: ReleaseId, weight: u8, epoch: u64) -> Switched {
        let live = self.registry.live(&release.app).map(|live| live.id().version);
        Switched { weight, ..self.switched(&release, live, epoch) }
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

/// Refuses a release whose worker was lost after it was made sure of.
pub(super) fn serves(handle: &ReleaseHandle) -> Result<(), ReleaseError> {
    if handle.pool.is_ready() || failpoint::at("switch.ready") == Some(Fault::Skip) {
        return Ok(());
    }
    Err(ReleaseError::Refused(format!("the worker of `{}` was lost just now; try again", handle.id())))
}

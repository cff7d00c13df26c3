//! The registry as the admin side shows it.

use super::lifecycle::State;
use super::load;
use super::registry::Registry;
use super::release_handle::ReleaseHandle;
use super::supervisor::WorkerSupervisor;
use super::urls::Urls;
use super::view::{HealthView, InstanceView, SnapshotView, WasBad};
use super::{AppView, DeploymentView, Phase, ReleaseError, ReleaseView};
use nix::sys::utsname::uname;
use std::sync::Arc;
use vitrine_core::health::{HealthStatus, task_status};
use vitrine_core::id::{AppName, ReleaseId, Version, dns_label};
use vitrine_proxy::pool::Instance;
use vitrine_proxy::route::Routes;
use vitrine_proxy::worker::WorkerState;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Views {
    pub registry: Arc<Registry>,
    pub routes: Routes,
    pub urls: Urls,
    pub supervisor: WorkerSupervisor,
}

impl Views {
    /// A release as the admin side shows it.
    pub(super) fn view(&self, handle: &Arc<ReleaseHandle>) -> ReleaseView {
        self.view_beside(handle, self.registry.rollback_target(&handle.id().app).as_ref())
    }

    fn view_beside(&self, handle: &Arc<ReleaseHandle>, target: Option<&Version>) -> ReleaseView {
        let record = handle.record();
        let live = self.registry.live(&record.id.app).is_some_and(|live| Arc::ptr_eq(&live, handle));
        let split = self.registry.split(&record.id.app);
        let shared = split.as_ref().is_some_and(|split| split.version == record.id.version);
        let (preview, expires_ms) = record.as_preview().unzip();
        let label = self.registry.label(&record.id.app, preview.unwrap_or(&record.id.version));
        ReleaseView {
            app: record.id.app.to_string(),
            version: record.id.version.to_string(),
            digest: record.digest.to_string(),
            config_revision: record.config_revision,
            env_scope: record.env_scope,
            phase: if shared { Phase::Shared } else { handle.life().state().into() },
            failure: handle.failure(),
            warm_failure: handle.unwell(),
            weight: match &split {
                Some(split) if shared => split.weight,
                Some(split) if live => 100 - split.weight,
                _ if live => 100,
                _ => 0,
            },
            link: label
                .as_ref()
                .filter(|_| record.promoted_ms.is_none())
                .and_then(|label| self.urls.link(&record.id.app, label)),
            url: label.map(|label| self.urls.url(&label)),
            preview: preview.map(ToString::to_string),
            expires_ms,
            created_ms: record.created_ms,
            promoted_ms: record.promoted_ms,
            rolled_back: record.rolled_back,
            rollback_target: target == Some(&record.id.version),
            bad: self.registry.bad(&record.id),
            was_bad: self.registry.pardoned(&record.id).map(|(reason, pardon)| WasBad {
                reason,
                promoted_by: pardon.by,
                promoted_ms: pardon.at_ms,
            }),
            deployment: self
                .deployments(&record.id.app)
                .find(|one| one.version == record.id.version.as_str()),
            in_flight: handle.pool.in_flight(),
            instance: handle.pool.instances().first().map(|instance| instance.id().to_string()),
            health: health(handle),
            limits: handle.limits.clone(),
            snapshot: handle.snapshot().map(SnapshotView::from),
        }
    }

    /// See [`Releases::app`](super::Releases::app).
    pub(super) fn app(&self, app: &AppName) -> Result<AppView, ReleaseError> {
        if !self.registry.knows(app) {
            return Err(self.registry.no_app(app));
        }
        let view = self.app_view(app);
        if view.releases.is_empty() { Err(ReleaseError::NoReleases(app.clone())) } else { Ok(view) }
    }

    /// See [`Releases::release`](super::Releases::release).
    pub(super) fn release(&self, id: &ReleaseId) -> Result<ReleaseView, ReleaseError> {
        self.registry.find(id).map(|handle| self.view(&handle))
    }

    /// See [`Releases::is_preview`](super::Releases::is_preview).
    pub(super) fn is_preview(&self, id: &ReleaseId) -> Result<bool, ReleaseError> {
        let handle = self.registry.find(id)?;
        Ok(handle.record().as_preview().is_some() && !handle.had_users())
    }

    fn deployments(&self, app: &AppName) -> impl Iterator<Item = DeploymentView> {
        self.registry.deployments(app).into_iter().map(|one| DeploymentView::from(&*one))
    }

    pub(super) fn app_view(&self, app: &AppName) -> AppView {
        let target = self.registry.rollback_target(app);
        let view = |handle| self.view_beside(handle, target.as_ref());
        let releases = self.registry.releases(app);
        AppView {
            app: app.to_string(),
            url: self.urls.url(&dns_label(app.as_str())),
            live: self.registry.live(app).map(|handle| handle.id().version.to_string()),
            scale: self.supervisor.app_scale(app),
            scale_is_set: self.registry.scale(app).is_some(),
            instances: releases.iter().flat_map(instances).collect(),
            load: load::of(&releases),
            releases: releases.iter().map(view).collect(),
            deployments: self.deployments(app).collect(),
        }
    }
}

/// How the oldest instance of a release does.
fn health(handle: &ReleaseHandle) -> Option<HealthView> {
    let instance = handle.pool.instances().into_iter().next()?;
    let (target, reason) = instance.checked().target.unzip();
    Some(HealthView {
        status: status(&instance),
        hung: instance.worker().is_hung(),
        target,
        reason: reason.flatten(),
        fail_open: handle.pool.fails_open(),
    })
}

fn status(instance: &Instance) -> HealthStatus {
    let worker = instance.worker();
    if worker.is_hung() {
        return HealthStatus::Unhealthy;
    }
    let alive = if worker.is_ready() { HealthStatus::Healthy } else { HealthStatus::Unknown };
    task_status(&[(alive, true), (instance.checked().container.unwrap_or(alive), true)])
}

fn instances(handle: &Arc<ReleaseHandle>) -> Vec<InstanceView> {
    let is_frozen = handle.life().state() == State::Frozen;
    let host =
        uname().map_or_else(|_| String::new(), |system| system.nodename().to_string_lossy().into_owned());
    let view = |instance: Arc<Instance>| InstanceView {
        id: instance.id().to_string(),
        version: handle.id().version.to_string(),
        state: match &*instance.worker().state().borrow() {
            WorkerState::Ready(_) if is_frozen => "frozen",
            WorkerState::Ready(_) => "ready",
            WorkerState::Hung => "hung",
            WorkerState::Lost | WorkerState::Failed(_) | WorkerState::Discarded => "lost",
            WorkerState::Booting => "booting",
        }
        .into(),
        health: status(&instance),
        in_flight: instance.in_flight().all(),
        host: host.clone(),
    };
    handle.pool.instances().into_iter().map(view).collect()
}

//! The book as a route table, and as views.

use super::entry::Entry;
use super::view::{HealthView, SnapshotView};
use super::{AppView, DeploymentView, Phase, ReleaseError, ReleaseView, Releases};
use crate::health::{HealthStatus, task_status};
use crate::id::{AppName, dns_label};
use crate::route::split::{Split, Weight};
use crate::route::{AppRoute, HostTarget, RouteTable, Target};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Releases {
    /// Builds the table from the book and swaps it in. The caller has recorded what changed, and holds
    /// `changing` since before that.
    pub(super) fn publish(&self) {
        let config = &self.0.parts.config;
        let mut table = RouteTable {
            epoch: self.0.book.epoch(),
            domain: config.domain.clone(),
            any_host: config.any_host,
            starting: self.0.starting.load(Ordering::SeqCst),
            ..RouteTable::default()
        };
        for name in self.0.book.names() {
            let app = Arc::new(self.app_route(&name));
            if app.releases.is_empty() {
                continue;
            }
            self.add_labels(&mut table.labels, &app, &self.0.book.releases(&name));
            table.apps.insert(name, app);
        }
        for route in &config.routes {
            if let Some(app) = table.apps.get(&route.app) {
                table.hosts.insert(route.host.clone(), Arc::clone(app));
            }
        }
        self.0.parts.routes.publish(table);
    }

    fn app_route(&self, app: &AppName) -> AppRoute {
        let releases: Vec<Arc<Target>> =
            self.0.book.releases(app).iter().map(|entry| self.target(entry)).collect();
        let live = self.0.book.live(app).map(|entry| entry.id());
        let live = live.and_then(|id| releases.iter().find(|target| target.release == id).cloned());
        let split = self.0.book.split(app).and_then(|split| {
            let candidate = releases.iter().find(|target| target.release.version == split.version)?;
            Some(Split { candidate: Arc::clone(candidate), weight: Weight::new(split.weight)? })
        });
        AppRoute { app: app.clone(), live, split, releases }
    }

    /// The labels of an app and its releases. Each belongs to one app, and within it to one thing; that holds here even for what
    /// no upload has checked, such as a release whose name another app has since.
    fn add_labels(
        &self,
        labels: &mut HashMap<String, HostTarget>,
        app: &Arc<AppRoute>,
        entries: &[Arc<Entry>],
    ) {
        labels.insert(dns_label(app.app.as_str()), HostTarget::App(Arc::clone(app)));
        for (target, entry) in app.releases.iter().zip(entries) {
            let names = [Some(target.release.version.clone()), entry.record().preview];
            for label in names.into_iter().flatten().filter_map(|name| self.0.book.label(&app.app, &name)) {
                let leads_to = HostTarget::Release(Arc::clone(app), Arc::clone(target));
                // Newest first: a preview's name leads to its newest release.
                labels.entry(label).or_insert(leads_to);
            }
        }
    }

    fn target(&self, entry: &Arc<Entry>) -> Arc<Target> {
        let record = entry.record();
        Arc::new(Target {
            bad: self.0.book.bad(&record.id).is_some(),
            release: record.id,
            bundle: Arc::clone(&entry.bundle),
            dir: entry.dir.0.clone(),
            pool: Arc::clone(&entry.pool),
            was_live: record.promoted_ms.is_some(),
            rolled_back: record.rolled_back,
            on_trial: entry.on_trial.load(Ordering::SeqCst),
            request_bytes_max: entry.limits.request_mb << 20,
            client_stall_ms: entry.limits.client_stall_ms,
        })
    }

    /// A release as the admin side shows it.
    pub(super) fn view(&self, entry: &Arc<Entry>) -> ReleaseView {
        let record = entry.record();
        let live = self.0.book.live(&record.id.app).is_some_and(|live| Arc::ptr_eq(&live, entry));
        let split = self.0.book.split(&record.id.app);
        let shared = split.as_ref().is_some_and(|split| split.version == record.id.version);
        let (preview, expires_ms) = record.as_preview().unzip();
        let label = self.0.book.label(&record.id.app, preview.unwrap_or(&record.id.version));
        ReleaseView {
            app: record.id.app.to_string(),
            version: record.id.version.to_string(),
            digest: record.digest.to_string(),
            config_revision: record.config_revision,
            env_scope: record.env_scope,
            phase: if shared { Phase::Shared } else { entry.life().state().into() },
            failure: entry.failure(),
            weight: match &split {
                Some(split) if shared => split.weight,
                Some(split) if live => 100 - split.weight,
                _ if live => 100,
                _ => 0,
            },
            url: label.map(|label| self.url(&label)),
            preview: preview.map(ToString::to_string),
            expires_ms,
            created_ms: record.created_ms,
            promoted_ms: record.promoted_ms,
            rolled_back: record.rolled_back,
            bad: self.0.book.bad(&record.id),
            deployment: self
                .deployments(&record.id.app)
                .find(|one| one.version == record.id.version.as_str()),
            in_flight: entry.pool.in_flight(),
            instance: record.instance.map(|instance| instance.to_string()),
            health: health(entry),
            limits: entry.limits.clone(),
            snapshot: entry.snapshot().map(SnapshotView::from),
        }
    }

    /// Every app that has a release.
    #[must_use]
    pub fn apps(&self) -> Vec<AppView> {
        let views = self.0.book.names().into_iter().map(|app| self.app_view(&app));
        views.filter(|view| !view.releases.is_empty()).collect()
    }

    /// One app.
    ///
    /// # Errors
    /// [`ReleaseError::NoApp`], [`ReleaseError::NoReleases`].
    pub fn app(&self, app: &AppName) -> Result<AppView, ReleaseError> {
        if !self.0.book.knows(app) {
            return Err(ReleaseError::NoApp(app.clone()));
        }
        let view = self.app_view(app);
        if view.releases.is_empty() { Err(ReleaseError::NoReleases(app.clone())) } else { Ok(view) }
    }

    fn deployments(&self, app: &AppName) -> impl Iterator<Item = DeploymentView> {
        self.0.book.deployments(app).into_iter().map(|one| DeploymentView::from(&*one))
    }

    fn app_view(&self, app: &AppName) -> AppView {
        AppView {
            app: app.to_string(),
            url: self.url(&dns_label(app.as_str())),
            live: self.0.book.live(app).map(|entry| entry.id().version.to_string()),
            releases: self.0.book.releases(app).iter().map(|entry| self.view(entry)).collect(),
            deployments: self.deployments(app).collect(),
        }
    }
}

fn health(entry: &Entry) -> Option<HealthView> {
    let worker = entry.pool.worker()?;
    let checked = entry.checked();
    let hung = worker.is_hung();
    let alive = if worker.is_ready() { HealthStatus::Healthy } else { HealthStatus::Unknown };
    let status = if hung {
        HealthStatus::Unhealthy
    } else {
        task_status(&[(alive, true), (checked.container.unwrap_or(alive), true)])
    };
    let (target, reason) = checked.target.unzip();
    Some(HealthView { status, hung, target, reason: reason.flatten(), fail_open: checked.fails_open() })
}

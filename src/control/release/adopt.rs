//! After a start: what is recorded, which workers still run, which must be booted.
//!
//! Workers are adopted through their sockets, by the instance that is recorded, without asking the engine: a host
//! whose Docker hangs still serves what runs.

use super::ReleaseError;
use super::app_logs::AppLogs;
use super::boot::Terms;
use super::deployment::{Deployer, Deployment};
use super::installed_bundles::InstalledBundles;
use super::lifecycle::{Event, Lifecycle};
use super::lock_order::branch;
use super::publisher::RoutePublisher;
use super::quiesce::ChangeGate;
use super::records::Records;
use super::registry::Registry;
use super::release_handle::{ReleaseHandle, spec_hash};
use super::removal::Removed;
use super::supervisor::WorkerSupervisor;
use super::views::Views;
use futures_util::{StreamExt as _, stream};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use vitrine_bundle::{Bundle, BundleDir, Scale};
use vitrine_core::config::Config;
use vitrine_core::config::Isolation;
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::handover::Predecessor;
use vitrine_core::id::{AppName, Digest, ReleaseId, Version};
use vitrine_core::limits::{
    ADOPT_TIMEOUT_MS, ADOPTED_AT_ONCE_MAX, ORPHANS_AGAIN_MS, REPLACE_BOOT_DEADLINE_MS, STARTS_AT_ONCE_MAX,
};
use vitrine_core::telemetry::Metrics;
use vitrine_core::telemetry::error_chain;
use vitrine_engine::Engine;
use vitrine_proxy::pool::Instance;
use vitrine_store::{
    BadMark, InstanceRecord, Promotion, ReleaseRecord, ReleaseState, SnapshotRecord, SplitRecord, Store,
    StoreError,
};

/// A bundle that is whole, with the snapshot of its app.
type Found = (BundleDir, Arc<Bundle>, Option<SnapshotRecord>);
/// Bundles, or why they can't be had.
type Verified = HashMap<Digest, Result<Found, StoreError>>;

/// What is recorded of an app.
pub(super) struct Recorded {
    app: AppName,
    /// Newest first.
    releases: Vec<ReleaseRecord>,
    live: Option<Version>,
    history: Vec<Promotion>,
    split: Option<SplitRecord>,
    scale: Option<Scale>,
    /// Those that are or were marked as bad.
    bad: Vec<(Version, BadMark)>,
}

fn read(store: &Store) -> Result<Vec<Recorded>, StoreError> {
    store.apps()?.into_iter().map(|app| read_app(store, app)).collect()
}

/// What is recorded of one app.
pub(super) fn read_app(store: &Store, app: AppName) -> Result<Recorded, StoreError> {
    let releases = undo_replaced(store.releases(&app)?);
    let (live, history, split) = (store.live(&app)?, store.history(&app)?, store.split(&app)?);
    let (scale, bad) = (store.scale(&app)?, store.bad(&app)?);
    Ok(Recorded { app, releases, live, history, split, scale, bad })
}

/// Deployments that an earlier host left on their way, with their releases.
type LeftOver = Vec<(Arc<ReleaseHandle>, Arc<Deployment>)>;

/// See the module. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Recovery {
    pub registry: Arc<Registry>,
    pub records: Records,
    pub config: Arc<Config>,
    pub engine: Engine,
    pub metrics: Arc<Metrics>,
    pub app_logs: AppLogs,
    pub predecessor: Predecessor,
    pub turns: ChangeGate,
    pub installed: InstalledBundles,
    pub supervisor: WorkerSupervisor,
    pub publisher: RoutePublisher,
    pub deployer: Deployer,
    pub views: Views,
    /// What the start goes on with once the live releases are booted.
    pub left_over: Arc<Mutex<LeftOver>>,
}

impl Recovery {
    /// The same, with its changes recorded on behalf of another actor.
    pub(super) fn through(&self, records: &Records) -> Self {
        Self { records: records.clone(), deployer: self.deployer.through(records), ..self.clone() }
    }

    pub(super) async fn adopt(&self) -> Result<(), ReleaseError> {
        let epoch = self.records.stored("reading the epoch", |store| store.epoch()).await?;
        self.registry.set_epoch(epoch);
        self.registry.hold_names(self.records.stored("reading the names", |store| store.held_names()).await?);
        let removed = self.records.stored("reading the removed apps", |store| store.removed()).await?;
        self.registry.keep_removed(removed.into_iter().map(Removed::from));
        let recorded = self.records.stored("reading the releases", read).await?;
        let bundles = self.verify_bundles(&recorded).await;
        for one in recorded {
            self.load_app(one, &bundles).await;
        }
        self.sweep_bundles().await;
        self.sweep_logs().await;
        // Processes end with the host that started them, and what is left in containers is no worker of an engine without them.
        let adoptable = self.engine.isolation() == Isolation::Container;
        let adopting = stream::iter(self.registry.entries()).for_each_concurrent(
            ADOPTED_AT_ONCE_MAX,
            |handle| async move {
                self.adopt_instances(&handle, adoptable).await;
            },
        );
        adopting.await;
        for app in self.registry.names() {
            let left = self.deployer.load_deployment(&app).await?;
            self.left_over.lock().unwrap_or_else(PoisonError::into_inner).extend(left);
        }
        self.publisher.publish(None);
        Ok(())
    }

    /// Everything between the first table and `ready`, and what comes soon after.
    pub(super) async fn finish_start(&self) {
        self.boot_live().await;
        self.resume();
        self.publisher.end_start().await;
        let recovery = self.clone();
        tokio::spawn(async move {
            if let Some(_turn) = recovery.turns.take().await {
                recovery.boot_standby().await;
            }
            recovery.installed.forget_verified();
            // Its last requests may be served by workers that no release has now.
            recovery.predecessor.gone().await;
            let Some(turn) = recovery.turns.take().await else { return };
            recovery.supervisor.end_orphans().await;
            drop(turn);
            // By now it is known which workers of an earlier build still run, and no request waits for this.
            if let Err(error) = recovery.engine.prune().await {
                tracing::warn!(error = %error_chain(&error), "failed to remove old worker images");
            }
            if let Err(error) = recovery.records.bundles().sweep_shared().await {
                tracing::warn!(error = %error_chain(&error), "failed to remove files that no bundle has");
            }
            tokio::time::sleep(Duration::from_millis(ORPHANS_AGAIN_MS)).await;
            if let Some(_turn) = recovery.turns.take().await {
                recovery.supervisor.end_orphans().await;
            }
        });
    }

    /// Hashes every bundle that a release has, each once and as many at once as there are cores.
    pub(super) async fn verify_bundles(&self, recorded: &[Recorded]) -> Verified {
        let releases = recorded.iter().flat_map(|one| &one.releases);
        let ready = releases.filter(|record| record.state != ReleaseState::Pending);
        let digests: BTreeSet<Digest> = ready.map(|record| record.digest).collect();
        let bundles = &self.records.bundles();
        let verify = |digest: Digest| async move {
            let ensured = bundles.ensure(digest).await;
            // One that is an app's own is looked up when that is booted.
            let snapshot = bundles.snapshot(digest, None).await;
            (digest, ensured.map(|(dir, bundle)| (dir, Arc::new(bundle), snapshot)))
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let found: HashMap<_, _> = stream::iter(digests).map(verify).buffer_unordered(cores).collect().await;
        let whole = found.iter().filter(|(_, found)| found.is_ok()).map(|(digest, _)| *digest);
        self.installed.note_verified(whole);
        found
    }

    pub(super) async fn load_app(&self, recorded: Recorded, bundles: &Verified) {
        let Recorded { app, releases, live, history, split, scale, bad } = recorded;
        self.registry.add_app(&app);
        self.metrics.add_app(&app);
        let mut loaded = Vec::new();
        for record in releases {
            loaded.extend(self.load_bundle(record, bundles).await);
        }
        let retained = loaded.iter().map(|(record, _)| record.id.version.clone()).collect();
        let live = live.map(|live| live_or_earlier(&app, live, &history, &retained));
        // Newest first in the store, and the registry adds in front.
        for (record, found) in loaded.into_iter().rev() {
            let is_live = live.as_ref() == Some(&record.id.version);
            let life = Lifecycle::recorded(is_live, record.promoted_ms.is_some());
            self.load_release(record, life, found);
        }
        self.registry.restore(&app, live, history);
        if failpoint::at("split.restore") != Some(Fault::Skip) {
            self.registry.set_split(&app, split);
        }
        self.registry.set_scale(&app, scale);
        for (version, mark) in bad {
            self.registry.set_bad(&ReleaseId::new(app.clone(), version), mark);
        }
    }

    /// A release with its bundle; `None` when it is undone, or when its bundle can't be had. One release that can be neither
    /// loaded nor undone keeps no app from being served: it is left out, and the next start looks at it again.
    async fn load_bundle(&self, record: ReleaseRecord, bundles: &Verified) -> Option<(ReleaseRecord, Found)> {
        let (id, digest) = (record.id.clone(), record.digest);
        if record.state == ReleaseState::Pending {
            // Its deploy was never acknowledged, or that of its successor was not finished.
            tracing::warn!(release = %id, "removing an incomplete release");
            let undone = id.clone();
            let undoing =
                self.records.stored("undoing the release", move |store| store.delete_release(&undone)).await;
            match undoing {
                Ok(()) => self.installed.forget_bundle(digest).await,
                Err(error) => {
                    tracing::error!(release = %id, error = %error_chain(&error), "failed to delete an incomplete release; skipping it");
                }
            }
            return None;
        }
        match bundles.get(&digest)? {
            Ok(found) => Some((record, found.clone())),
            Err(error) => {
                tracing::error!(release = %id, error = %error_chain(error), "a release without its bundle");
                None
            }
        }
    }

    fn load_release(&self, mut record: ReleaseRecord, life: Lifecycle, (dir, bundle, snapshot): Found) {
        let config = &self.config;
        let cpus = config.worker_of(&record.id.app).cpus;
        let limits = super::effective_limits::effective_limits(&bundle.manifest.limits, &config.limits, cpus);
        // The operator may have changed limits since: an instance with the old ones is then replaced.
        record.spec_hash = spec_hash(&record, &bundle, &limits, config);
        let handle = ReleaseHandle::new(record, life, bundle, dir, &config.limits, cpus);
        handle.set_snapshot(snapshot);
        self.registry.add(handle);
    }

    /// Adopts the recorded instances that still run and are what the release would start now; the others are forgotten, and ended as
    /// orphans.
    async fn adopt_instances(&self, handle: &Arc<ReleaseHandle>, adoptable: bool) {
        let release = handle.id();
        let recorded = match self
            .records
            .stored("reading the instances", move |store| store.instances(&release))
            .await
        {
            Ok(recorded) => recorded,
            Err(error) => {
                return tracing::error!(release = %handle.id(), error = %error_chain(&error), "failed to read the instances of a release; none is adopted");
            }
        };
        let record = handle.record();
        for one in recorded {
            // With other values it would be another release; with other limits it serves until one with the new ones does.
            let is_its_own =
                (one.config_revision, one.env_scope) == (record.config_revision, record.env_scope);
            if adoptable && is_its_own && self.adopt_instance(handle, &one).await {
                continue;
            }
            self.supervisor.forget_record(&one.id).await;
        }
    }

    async fn adopt_instance(&self, handle: &Arc<ReleaseHandle>, recorded: &InstanceRecord) -> bool {
        let instance = &recorded.id;
        let env = match self.supervisor.env_of(handle).await {
            Ok(env) => env,
            Err(error) => {
                tracing::error!(release = %handle.id(), %instance, error = %error_chain(&error), "not adopted");
                return false;
            }
        };
        let adopting = async {
            let identity = self.supervisor.identity(handle, instance, recorded.spec_hash);
            let worker = self.supervisor.connect(handle, identity, env, Terms::Accepted).await?;
            let timeout = Duration::from_millis(ADOPT_TIMEOUT_MS);
            let ready = worker.ready(timeout).await?;
            // The host before this one may have frozen it.
            worker.freeze(false, timeout).await?;
            Ok::<_, vitrine_proxy::worker::WorkerError>((
                worker,
                ready.warm_failure.map(|failure| failure.message),
            ))
        };
        let (worker, unwell) = match adopting.await {
            Ok(adopted) => adopted,
            Err(error) => {
                tracing::info!(release = %handle.id(), %instance, error = %error_chain(&error), "not adopted");
                return false;
            }
        };
        if !handle.pool.has_instance()
            && let Err(illegal) = handle.happens(Event::Adopted)
        {
            tracing::error!(%illegal);
            return false;
        }
        let room = self.supervisor.own(handle, instance);
        // It is warm: its share of the requests needs no time to grow.
        self.supervisor.add_instance(handle, Instance::new(worker, None, Some(Box::new(room))), unwell);
        tracing::info!(release = %handle.id(), %instance, "a running worker was adopted");
        true
    }

    /// Goes on with the deployments that an earlier host left on their way.
    fn resume(&self) {
        let left = std::mem::take(&mut *self.left_over.lock().unwrap_or_else(PoisonError::into_inner));
        for (live, deployment) in left {
            self.deployer.go_on(live, deployment);
        }
    }

    /// What is missing of the instances of releases that users get is started before the host says that it is ready. None is stopped: the
    /// host before this one may serve from any.
    async fn boot_live(&self) {
        let names = self.registry.names();
        let live = names.iter().flat_map(|app| [self.registry.live(app), self.registry.candidate(app)]);
        self.boot_all(live.flatten().collect()).await;
    }

    /// The releases that a rollback would go to are warm again soon after.
    async fn boot_standby(&self) {
        let mut wanted = self.registry.entries();
        wanted.retain(|handle| self.registry.is_wanted(handle));
        self.boot_all(wanted).await;
    }

    async fn boot_all(&self, entries: Vec<Arc<ReleaseHandle>>) {
        let deadline = Duration::from_millis(REPLACE_BOOT_DEADLINE_MS);
        let boot = |handle: Arc<ReleaseHandle>| {
            branch(async move {
                if let Err(error) = self.supervisor.ensure_scale(&handle, deadline).await {
                    tracing::error!(release = %handle.id(), error = %error_chain(&error),
                        "a release has too few instances; its next request, or the patrol, tries again");
                }
            })
        };
        stream::iter(entries).for_each_concurrent(STARTS_AT_ONCE_MAX, boot).await;
    }
}

/// A preview that another one of the same name was to replace is undone like a deploy that did not end. Newest first.
fn undo_replaced(mut records: Vec<ReleaseRecord>) -> Vec<ReleaseRecord> {
    let mut names = BTreeSet::new();
    for record in records.iter_mut().filter(|record| record.state == ReleaseState::Ready) {
        let name = record.as_preview().map(|(name, _)| name.clone());
        if name.is_some_and(|name| !names.insert(name)) {
            record.state = ReleaseState::Pending;
        }
    }
    records
}

/// What is live, or, when its bundle can't be had, the release that a rollback from it would go to.
fn live_or_earlier(
    app: &AppName,
    live: Version,
    history: &[Promotion],
    retained: &BTreeSet<Version>,
) -> Version {
    if retained.contains(&live) {
        return live;
    }
    let earlier = super::rollback_target::rollback_target(history, &live, retained);
    let serves = earlier.as_ref().map(tracing::field::display);
    tracing::error!(%app, %live, serves, "the bundle of the live release can't be had: deploy it again, under another --version");
    earlier.unwrap_or(live)
}

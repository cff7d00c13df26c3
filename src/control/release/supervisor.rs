//! Workers of releases: started, watched, checked, scaled, frozen and stopped.
//!
//! [`super::boot`] starts one, [`super::instances`] gives it requests and ends it, [`super::effects`] executes what the state machine of
//! a release asks for. [`super::scale`] keeps the number, [`super::cold_start`] starts the worker of a sleeping release for a request,
//! [`super::worker_monitor`] and [`super::health_check`] replace those that are lost or ill. [`super::boot_queue`], [`super::room`] and
//! [`super::capacity`] say whether one may be started, and when. Nothing here changes what is live.

use super::app_logs::AppLogs;
use super::boot_queue::{self, BootQueue};
use super::capacity::Capacity;
use super::installed_bundles::InstalledBundles;
use super::lifecycle::Event;
use super::lock_order::{Rank, SharedLock};
use super::own_workers::OwnWorkers;
use super::quiesce::ChangeGate;
use super::records::Records;
use super::registry::Registry;
use super::room::Rooms;
use super::{Parts, worker_metrics};
use std::sync::Arc;
use tokio::runtime::Handle;
use vitrine_cache::Cache;
use vitrine_core::config::Config;
use vitrine_core::files;
use vitrine_core::handover::Predecessor;
use vitrine_core::limits::{BODIES_BYTES_MAX, BOOTS_RESERVE};
use vitrine_core::telemetry::Metrics;
use vitrine_engine::Engine;
use vitrine_proxy::worker::{BodyMemory, OwnOrigin, OwnOrigins, Sockets};

/// See the module. Cheap to clone; tasks that watch a worker hold it weakly.
#[derive(Debug, Clone)]
pub(super) struct WorkerSupervisor(pub Arc<Workers>);

/// What the supervisor works with.
#[derive(Debug)]
pub(super) struct Workers {
    pub config: Arc<Config>,
    pub engine: Engine,
    pub metrics: Arc<Metrics>,
    pub predecessor: Predecessor,
    /// Whether apps are made into snapshots.
    pub take_snapshots: bool,
    /// The threads that requests pass through.
    pub requests: Handle,
    /// Where everything but requests is done.
    pub control: Handle,
    pub registry: Arc<Registry>,
    pub records: Records,
    pub installed: InstalledBundles,
    pub app_logs: AppLogs,
    /// What apps' calls go through.
    pub sockets: Arc<Sockets>,
    /// What they fetch is kept here; nothing where the operator wants no cache.
    pub cache: Option<Arc<Cache>>,
    /// What answers apps' calls to themselves.
    pub own_origins: OwnOrigins,
    /// What bodies from workers are held in.
    pub bodies: Arc<BodyMemory>,
    pub boots: Arc<BootQueue>,
    pub capacity: Arc<Capacity>,
    pub rooms: Rooms,
    /// Held for reading while a worker is started, for writing while snapshots are packed that none maps.
    pub mapping: SharedLock,
    pub own_workers: OwnWorkers,
    pub turns: ChangeGate,
}

impl WorkerSupervisor {
    /// One without workers.
    pub(super) fn new(
        parts: &Parts,
        registry: &Arc<Registry>,
        records: &Records,
        installed: &InstalledBundles,
        app_logs: &AppLogs,
        turns: &ChangeGate,
    ) -> Self {
        let config = &parts.config;
        Self(Arc::new(Workers {
            config: Arc::clone(config),
            engine: parts.engine.clone(),
            metrics: Arc::clone(&parts.telemetry.metrics),
            predecessor: parts.predecessor.clone(),
            take_snapshots: parts.take_snapshots,
            requests: parts.requests.clone(),
            control: Handle::current(),
            registry: Arc::clone(registry),
            records: records.clone(),
            installed: installed.clone(),
            app_logs: app_logs.clone(),
            sockets: Sockets::new(files::shares().egress_sockets),
            cache: parts.cache.clone(),
            own_origins: OwnOrigins::default(),
            bodies: BodyMemory::new(BODIES_BYTES_MAX),
            boots: BootQueue::new(boot_queue::places_here(config.worker.memory_mb), BOOTS_RESERVE),
            capacity: Capacity::here(config, parts.telemetry.metrics.schedulable_workers()),
            rooms: Rooms::default(),
            mapping: SharedLock::new(Rank::Mapping),
            own_workers: OwnWorkers::default(),
            turns: turns.clone(),
        }))
    }

    /// Reports on all workers for as long as the host runs.
    pub(super) fn report_metrics(&self) {
        tokio::spawn(worker_metrics::run(Arc::downgrade(&self.0)));
    }

    /// Names what answers apps' calls to themselves.
    pub(super) fn answer_own(&self, edge: Arc<dyn OwnOrigin>) {
        self.0.own_origins.set(edge);
    }

    /// Stops every worker: the end of a host that does not leave them running.
    pub(super) async fn stop_all(&self) {
        // One that is replaced right now is not started again, and what waits to be started is not.
        self.0.turns.close();
        self.0.boots.close();
        for handle in self.0.registry.entries() {
            self.scale_to_zero(&handle, Event::HostEnds).await;
        }
        self.end_all().await;
    }
}

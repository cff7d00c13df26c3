//! Releases: what may happen to them, and making it happen.
//!
//! [`Releases`] is the control plane's one door. Behind it, in the order of a release's life: [`upload`] (taken in,
//! recorded, booted) -> [`snapshot`] (what isolates start from) -> [`boot`] (a worker from nothing to ready) ->
//! [`deployment`] (stages, hooks, bake; [`deploy_phase`] is what an observer is told of it) -> [`switch`] (promote and rollback: healthy,
//! recorded, swapped), for a share of the users first ([`split`]), with as many [`instances`] as its [`scale`] says and its
//! [`demand`] needs -> [`worker_monitor`] (a worker that is lost or hangs is replaced) and
//! [`health_check`] (so is one that is ill), [`warm_failure`] (one whose pages fail at its start serves, and is asked again) -> [`reaper`] (sleep,
//! expiry, retention) and [`removal`] (of an app, which [`restore`] brings back) -> [`cold_start`] (a request for one that sleeps).
//! [`boot_queue`] says whose worker is started next, [`capacity`] whether it fits, [`diagnosis`] why one did not come up. [`lifecycle`] says what may happen to a
//! release and what follows, [`effects`] carries that out; [`decide`] holds the other rules, without effects, [`worker_metrics`] reports how
//! workers do, and [`load`] what is asked of them. [`release_handle`] is one release,
//! [`registry`] all that is known, [`labels`] whose each host name is, [`reuse`] which names may get other content, [`quota`] and [`room`] what an app may have beside what its
//! users get, [`table`] turns it into a route table and [`publish`] swaps that in, [`adopt`] fills it after a start, [`orphans`]
//! removes what an earlier host left, [`quiesce`] lets it rest while another host takes over.

mod adopt;
mod apex;
mod app_logs;
mod boot;
mod boot_queue;
mod capacity;
mod cold_start;
mod decide;
mod demand;
mod deploy_phase;
mod deployment;
mod diagnosis;
mod effects;
mod environment;
mod error;
mod health_check;
mod instances;
mod labels;
mod lifecycle;
mod listing;
mod load;
mod lock_order;
mod orphans;
mod own_workers;
mod publish;
mod quiesce;
mod quota;
mod reaper;
mod registry;
mod release_handle;
mod removal;
mod restore;
mod reuse;
mod room;
mod scale;
mod snapshot;
mod split;
mod switch;
mod table;
mod upload;
mod view;
mod warm_failure;
mod worker_metrics;
mod worker_monitor;

use app_logs::AppLogs;
pub use app_logs::Tail;
use boot_queue::BootQueue;
use capacity::Capacity;
pub use deploy_phase::{DeployObserver, DeployPhase};
pub use diagnosis::{Diagnosis, LoweredLimit, env_line, limits_line};
pub use error::{ReleaseError, WakeError};
pub use listing::AppsPage;
pub use load::LoadView;
use lock_order::{Lock, Rank, SharedLock};
use own_workers::OwnWorkers;
pub use quiesce::{ChangePermit, Quiesced};
use registry::Registry;
pub use removal::RemoveOptions;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, OnceLock};
use tokio::runtime::Handle;
pub use upload::UploadOptions;
pub use view::{
    AppSummary, AppView, DeploymentView, EnvChange, EnvView, HealthAnswer, HealthView, InstanceView,
    LiveValue, Phase, ReleaseView, RemovedView, ShareView, SnapshotView, Switched, Uploaded, WasBad,
};
use vitrine_core::clock::Clock;
use vitrine_core::config::Config;
use vitrine_core::files;
use vitrine_core::handover::Predecessor;
use vitrine_core::id::{AppName, Digest};
use vitrine_core::limits::{BODIES_BYTES_MAX, BOOTS_RESERVE};
use vitrine_core::scope::Actor;
use vitrine_core::telemetry::Telemetry;
use vitrine_engine::Engine;
use vitrine_proxy::route::Routes;
use vitrine_proxy::route::guard::{Guard, PASS_PARAMETER};
use vitrine_proxy::worker::{BodyMemory, OwnOrigin, OwnOrigins, Sockets};
use vitrine_store::{Store, StoreError};

/// What the control plane works with.
#[derive(Debug)]
pub struct Parts {
    /// What the operator decided.
    pub config: Arc<Config>,
    /// Durable state.
    pub store: Store,
    /// What runs workers.
    pub engine: Engine,
    /// Where the result is published.
    pub routes: Routes,
    /// Logs and metrics.
    pub telemetry: Telemetry,
    /// Wall time.
    pub clock: Clock,
    /// The password of releases that users never got; none where they are open to all.
    pub guard: Option<Arc<Guard>>,
    /// The host before this one, if it handed over.
    pub predecessor: Predecessor,
    /// Whether apps are made into snapshots. It pays for a host that starts their workers again.
    pub take_snapshots: bool,
    /// The threads that requests pass through: workers are connected there, the rest is done where [`Releases::open`] is called.
    pub requests: Handle,
}

/// How a release is to be made live.
#[derive(Debug, Clone)]
pub struct PromoteOptions {
    /// Time to boot it, if it sleeps.
    pub boot_deadline: std::time::Duration,
    /// Number of the deploy that it is a part of; none is an operator's own word.
    pub deploy: Option<u64>,
    /// Content that the release must have: its name may have been given to another by now.
    pub digest: Option<Digest>,
    /// Is told how it goes.
    pub observer: Option<Arc<dyn DeployObserver>>,
}

/// The control plane as the admin side and the edge call it, and the store handle that names whose changes it records. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Releases(Arc<Inner>, Store);

#[derive(Debug)]
struct Inner {
    parts: Parts,
    /// Where everything but requests is done.
    control: Handle,
    registry: Registry,
    app_logs: AppLogs,
    /// What apps' calls go through.
    sockets: Arc<Sockets>,
    /// What answers apps' calls to themselves.
    own_origins: OwnOrigins,
    /// What bodies from workers are held in.
    bodies: Arc<BodyMemory>,
    boots: Arc<BootQueue>,
    capacity: Arc<Capacity>,
    rooms: room::Rooms,
    /// Held for reading from when a bundle is stored until its release is recorded, for writing while one is removed.
    keeping: SharedLock,
    /// Whether live releases are still being booted after the start of the host.
    starting: AtomicBool,
    /// Deployments that an earlier host left on their way, with their releases, until the start goes on with them.
    left_over: Mutex<Vec<(Arc<release_handle::ReleaseHandle>, Arc<deployment::Deployment>)>>,
    /// Bundles that the start of the host has hashed: what it boots is not hashed again.
    verified: Mutex<BTreeSet<Digest>>,
    /// Held for reading while a worker is started, for writing while snapshots are packed that none maps.
    mapping: SharedLock,
    own_workers: OwnWorkers,
    /// Number of the deploy that began last.
    last_deploy: AtomicU64,
    /// Held from the record of a change until its table is swapped in: otherwise the table of an epoch could lack the change of
    /// an earlier one, or an older table be swapped in last.
    changing: Lock,
    turns: quiesce::ChangeGate,
    /// Address that users reach the edge at, once it is bound.
    public: OnceLock<(&'static str, u16)>,
}

impl Releases {
    /// Loads what is recorded, adopts the workers that still run, and publishes the first route table. A request for a release that
    /// has no worker yet starts one and waits for it, and operators may change everything from now on.
    ///
    /// # Errors
    /// [`ReleaseError::Store`].
    pub async fn open(parts: Parts) -> Result<Self, ReleaseError> {
        let boots = BootQueue::new(boot_queue::places_here(parts.config.worker.memory_mb), BOOTS_RESERVE);
        let capacity = Capacity::here(&parts.config, parts.telemetry.metrics.schedulable_workers());
        let app_logs = AppLogs::new(&parts.telemetry);
        let releases = Self::of_host(Arc::new(Inner {
            parts,
            control: Handle::current(),
            registry: Registry::default(),
            app_logs,
            bodies: BodyMemory::new(BODIES_BYTES_MAX),
            sockets: Sockets::new(files::shares().egress_sockets),
            boots,
            capacity,
            rooms: room::Rooms::default(),
            keeping: SharedLock::new(Rank::Bundles),
            starting: AtomicBool::new(true),
            left_over: Mutex::default(),
            verified: Mutex::default(),
            mapping: SharedLock::new(Rank::Mapping),
            own_workers: OwnWorkers::default(),
            last_deploy: AtomicU64::new(0),
            changing: Lock::new(Rank::Routes),
            turns: quiesce::ChangeGate::default(),
            public: OnceLock::new(),
            own_origins: OwnOrigins::default(),
        }));
        releases.adopt().await?;
        Ok(releases)
    }

    /// The same control plane, with its changes recorded through this handle of the store: as its actor's.
    #[must_use]
    pub fn through(&self, store: Store) -> Self {
        Self(Arc::clone(&self.0), store)
    }

    /// The same for what goes on in the background of a change: the host does that by itself.
    fn by_host(&self) -> Self {
        Self::of_host(Arc::clone(&self.0))
    }

    fn of_host(inner: Arc<Inner>) -> Self {
        let store = inner.parts.store.by(Actor::Host);
        Self(inner, store)
    }

    /// Boots the live releases that have no worker, goes on with what an earlier host began, and keeps everything in order from
    /// then on. Once. A release that can't be booted is logged and tried again.
    pub async fn bring_up(&self) {
        self.finish_start().await;
        tokio::spawn(reaper::run(Arc::downgrade(&self.0)));
        tokio::spawn(worker_metrics::run(Arc::downgrade(&self.0)));
    }

    /// Tells where users reach the edge, for the URLs in views.
    pub fn set_public(&self, (scheme, port): (&'static str, u16)) {
        // Bound once a process: a second call has nothing new to say.
        let _ = self.0.public.set((scheme, port));
    }

    /// Names what answers apps' calls to themselves.
    pub fn answer_own(&self, edge: Arc<dyn OwnOrigin>) {
        self.0.own_origins.set(edge);
    }

    /// URL of a host label below the domain.
    fn url(&self, label: &str) -> String {
        let domain = &self.0.parts.config.domain;
        match self.0.public.get() {
            Some((scheme @ "https", 443) | (scheme @ "http", 80)) => format!("{scheme}://{label}.{domain}"),
            Some((scheme, port)) => format!("{scheme}://{label}.{domain}:{port}"),
            None => format!("http://{label}.{domain}"),
        }
    }

    /// The password of releases that users never got.
    #[must_use]
    pub fn guard(&self) -> Option<Arc<Guard>> {
        self.0.parts.guard.clone()
    }

    /// The URL of a label with a pass in it, for what can't be seen without one.
    fn link(&self, app: &AppName, label: &str) -> Option<String> {
        let guard = self.0.parts.guard.as_ref().filter(|guard| guard.watches(app))?;
        let pass = guard.pass(&format!("{label}.{}", self.0.parts.config.domain));
        Some(format!("{}/?{PASS_PARAMETER}={pass}", self.url(label)))
    }

    /// Whether every live release has a worker that serves; the reason otherwise.
    ///
    /// # Errors
    /// The first live release without a worker.
    pub fn ready(&self) -> Result<(), String> {
        for app in self.0.registry.names() {
            let Some(live) = self.0.registry.live(&app) else { continue };
            if !live.pool.is_ready() {
                return Err(format!("{} has no worker that serves", live.id()));
            }
        }
        Ok(())
    }

    /// Lines of an app's log, and those to come.
    ///
    /// # Errors
    /// [`ReleaseError::NoApp`], [`ReleaseError::LogBusy`].
    pub async fn logs(&self, app: &AppName, follow: bool) -> Result<Tail, ReleaseError> {
        if !self.0.registry.knows(app) {
            return Err(self.no_app(app));
        }
        Ok(self.0.app_logs.tail(app, follow).await?)
    }

    /// Stops every worker: the end of a host that does not leave them running.
    pub async fn stop_workers(&self) {
        // One that is replaced right now is not started again, and what waits to be started is not.
        self.0.turns.close();
        self.0.boots.close();
        for handle in self.0.registry.entries() {
            self.scale_to_zero(&handle, lifecycle::Event::HostEnds).await;
        }
        self.end_all().await;
    }

    /// Runs a store call where blocking is allowed.
    async fn stored<T: Send + 'static>(
        &self,
        operation: &'static str,
        call: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ReleaseError> {
        let store = self.1.clone();
        let done = tokio::task::spawn_blocking(move || call(&store)).await;
        match done {
            Ok(result) => result.map_err(ReleaseError::store(operation)),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}

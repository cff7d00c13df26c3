//! Releases: what may happen to them, and making it happen.
//!
//! [`Releases`] is the control plane's facade: the admin side and the edge call it, and it composes the types below. Each has only
//! the fields that it needs and calls only those above it.
//!
//! ```text
//! Registry              what is known of apps and releases (registry, release_handle, labels, quota); Records, its store
//! WorkerSupervisor      workers: start, watch, check, scale, freeze, stop (supervisor); InstalledBundles, what they start from
//! RoutePublisher        the route table (publisher, table)
//! Values                environment values that workers run with (values)
//! Remover, Views        removal of releases and apps (removal); what the admin side shows (views, listing)
//! Switcher              what is live: switch, rollback, share of the users (switch, split)
//! Uploader, Deployer    a bundle taken in (upload); stages, hooks and bake of a deployment (deployment)
//! Environment, Routing  changes of environment values (environment) and of routing rules (routing)
//! Reaper, Recovery      idle and expired releases (reaper); the start of the host, and restored apps (adopt, restore)
//! ```
//! Rules without effects are in [`lifecycle`] (states of a release), [`deployment`] (its stages), [`effective_limits`], [`retention`],
//! [`rollback_target`] and [`demand`]. [`lock_order`] says in
//! which order locks are taken, [`quiesce`] stops all changes while another host takes over.

mod admission;
mod adopt;
mod apex;
mod app_logs;
mod boot;
mod boot_queue;
mod cache;
mod capacity;
mod cold_start;
mod deltas;
mod demand;
mod deploy_phase;
mod deployment;
mod diagnosis;
mod effective_limits;
mod effects;
mod env_view;
mod environment;
mod error;
mod explained_route;
mod green_pages;
mod health_check;
mod installed_bundles;
mod instances;
mod labels;
mod leftovers;
mod lifecycle;
mod listing;
mod load;
mod lock_order;
mod operations;
mod orphans;
mod own_upload;
mod own_workers;
mod publisher;
mod quiesce;
mod quota;
mod reaper;
mod records;
mod registry;
mod release_handle;
mod removal;
mod restore;
mod retention;
mod rollback_target;
mod room;
mod routing;
mod scale;
mod snapshot;
mod split;
mod supervisor;
mod switch;
mod table;
mod upload;
mod urls;
mod values;
mod view;
mod views;
mod warm_failure;
mod worker_metrics;
mod worker_monitor;

use adopt::Recovery;
use app_logs::AppLogs;
pub use app_logs::Tail;
use cache::CacheDesk;
pub use cache::{CacheDecision, CacheStats, CacheWhy, CachedPage, KeptPage, PurgeWish};
use deltas::DeltaMaker;
pub use deploy_phase::{DeployObserver, DeployPhase};
use deployment::Deployer;
pub use diagnosis::{Diagnosis, LoweredLimit, env_line, limits_line};
pub use env_view::{EnvChange, EnvView, LiveValue};
use environment::Environment;
pub use error::{ReleaseError, WakeError};
pub use explained_route::{ExplainedRoute, RequestToExplain, TriedRule};
use green_pages::GreenRenderer;
pub use green_pages::{GreenPages, RendersGreen};
use installed_bundles::InstalledBundles;
pub use listing::AppsPage;
pub use load::LoadView;
use publisher::RoutePublisher;
use quiesce::ChangeGate;
pub use quiesce::{ChangePermit, Quiesced};
use reaper::Reaper;
use records::Records;
use registry::Registry;
pub use removal::RemoveOptions;
use removal::Remover;
use routing::Routing;
pub use routing::{RoutingError, RoutingView};
use std::sync::Arc;
use supervisor::WorkerSupervisor;
use switch::Switcher;
use tokio::runtime::Handle;
pub use upload::UploadOptions;
use upload::Uploader;
use urls::Urls;
use values::Values;
pub use view::{
    AppSummary, AppView, DeploymentView, HealthAnswer, HealthView, InstanceView, Phase, ReleaseView,
    RemovedView, ShareView, SnapshotView, Switched, Uploaded, WasBad,
};
use views::Views;
use vitrine_cache::Cache;
use vitrine_core::clock::Clock;
use vitrine_core::config::Config;
use vitrine_core::handover::Predecessor;
use vitrine_core::id::Digest;
use vitrine_core::telemetry::{CachesCounted, Telemetry};
use vitrine_engine::Engine;
use vitrine_proxy::route::Routes;
use vitrine_proxy::route::guard::Guard;
use vitrine_store::Store;

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
    /// The cache of pages and of what apps fetch; none where the operator wants none.
    pub cache: Option<Arc<Cache>>,
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

/// The control plane as the admin side and the edge call it, and on whose behalf its changes are recorded. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Releases(Arc<Inner>, Records);

#[derive(Debug)]
struct Inner {
    registry: Arc<Registry>,
    turns: ChangeGate,
    app_logs: AppLogs,
    urls: Urls,
    supervisor: WorkerSupervisor,
    views: Views,
    remover: Remover,
    switcher: Switcher,
    uploader: Uploader,
    deployer: Deployer,
    environment: Environment,
    routing: Routing,
    cache: CacheDesk,
    green: GreenRenderer,
    reaper: Arc<Reaper>,
    recovery: Recovery,
}

/// What the types that change releases are made from.
struct Foundations {
    registry: Arc<Registry>,
    records: Records,
    turns: ChangeGate,
    app_logs: AppLogs,
    urls: Urls,
    installed: InstalledBundles,
    supervisor: WorkerSupervisor,
    publisher: RoutePublisher,
    values: Values,
    remover: Remover,
    views: Views,
}

impl Foundations {
    fn new(parts: &Parts) -> Self {
        let Parts { config, clock, .. } = parts;
        let (registry, turns) = (Arc::<Registry>::default(), ChangeGate::default());
        let (records, metrics) = (Records::new(parts.store.clone()).by_host(), &parts.telemetry.metrics);
        let (app_logs, urls) = (AppLogs::new(&parts.telemetry), Urls::new(parts));
        let installed = InstalledBundles::new(records.clone());
        let supervisor = WorkerSupervisor::new(parts, &registry, &records, &installed, &app_logs, &turns);
        let publisher = RoutePublisher::new(parts, &registry, &records);
        let values = Values {
            registry: Arc::clone(&registry),
            records: records.clone(),
            config: Arc::clone(config),
            supervisor: supervisor.clone(),
        };
        let remover = Remover {
            registry: Arc::clone(&registry),
            records: records.clone(),
            clock: clock.clone(),
            metrics: Arc::clone(metrics),
            app_logs: app_logs.clone(),
            installed: installed.clone(),
            supervisor: supervisor.clone(),
            publisher: publisher.clone(),
        };
        let views = Views {
            registry: Arc::clone(&registry),
            routes: parts.routes.clone(),
            urls: urls.clone(),
            supervisor: supervisor.clone(),
        };
        Self {
            registry,
            records,
            turns,
            app_logs,
            urls,
            installed,
            supervisor,
            publisher,
            values,
            remover,
            views,
        }
    }

    fn switcher(&self, parts: &Parts) -> Switcher {
        Switcher {
            registry: Arc::clone(&self.registry),
            records: self.records.clone(),
            clock: parts.clock.clone(),
            predecessor: parts.predecessor.clone(),
            metrics: Arc::clone(&parts.telemetry.metrics),
            urls: self.urls.clone(),
            supervisor: self.supervisor.clone(),
            publisher: self.publisher.clone(),
            values: self.values.clone(),
        }
    }

    fn uploader(&self, parts: &Parts) -> Uploader {
        Uploader {
            registry: Arc::clone(&self.registry),
            records: self.records.clone(),
            config: Arc::clone(&parts.config),
            clock: parts.clock.clone(),
            metrics: Arc::clone(&parts.telemetry.metrics),
            app_logs: self.app_logs.clone(),
            installed: self.installed.clone(),
            supervisor: self.supervisor.clone(),
            publisher: self.publisher.clone(),
            values: self.values.clone(),
            views: self.views.clone(),
            remover: self.remover.clone(),
            deltas: DeltaMaker::new(&parts.config, &self.registry, &self.records, &self.installed),
        }
    }

    fn deployer(&self, parts: &Parts, switcher: &Switcher) -> Deployer {
        Deployer {
            registry: Arc::clone(&self.registry),
            records: self.records.clone(),
            config: Arc::clone(&parts.config),
            clock: parts.clock.clone(),
            turns: self.turns.clone(),
            urls: self.urls.clone(),
            supervisor: self.supervisor.clone(),
            publisher: self.publisher.clone(),
            switcher: switcher.clone(),
            green: GreenRenderer::default(),
            last_deploy: Arc::default(),
        }
    }

    fn reaper(&self, parts: &Parts) -> Reaper {
        Reaper {
            registry: Arc::clone(&self.registry),
            config: Arc::clone(&parts.config),
            clock: parts.clock.clone(),
            turns: self.turns.clone(),
            predecessor: parts.predecessor.clone(),
            supervisor: self.supervisor.clone(),
            remover: self.remover.clone(),
        }
    }

    fn recovery(&self, parts: &Parts, deployer: &Deployer) -> Recovery {
        Recovery {
            registry: Arc::clone(&self.registry),
            records: self.records.clone(),
            config: Arc::clone(&parts.config),
            engine: parts.engine.clone(),
            metrics: Arc::clone(&parts.telemetry.metrics),
            app_logs: self.app_logs.clone(),
            predecessor: parts.predecessor.clone(),
            turns: self.turns.clone(),
            installed: self.installed.clone(),
            supervisor: self.supervisor.clone(),
            publisher: self.publisher.clone(),
            deployer: deployer.clone(),
            views: self.views.clone(),
            left_over: Arc::default(),
        }
    }
}

impl Inner {
    fn compose(parts: &Parts) -> Self {
        let base = Foundations::new(parts);
        let (switcher, uploader) = (base.switcher(parts), base.uploader(parts));
        let deployer = base.deployer(parts, &switcher);
        let green = deployer.green.clone();
        let environment = Environment {
            registry: Arc::clone(&base.registry),
            records: base.records.clone(),
            uploader: uploader.clone(),
            deployer: deployer.clone(),
        };
        let routing = Routing::new(parts, &base.publisher);
        let reaper = Arc::new(base.reaper(parts));
        let recovery = base.recovery(parts, &deployer);
        if let Some(cache) = &parts.cache {
            parts.telemetry.metrics.count_caches(Arc::clone(cache) as Arc<dyn CachesCounted>);
        }
        let cache = CacheDesk { registry: Arc::clone(&base.registry), cache: parts.cache.clone() };
        let Foundations { registry, turns, app_logs, urls, supervisor, remover, views, .. } = base;
        Self {
            registry,
            turns,
            app_logs,
            urls,
            supervisor,
            views,
            remover,
            switcher,
            uploader,
            deployer,
            environment,
            routing,
            cache,
            green,
            reaper,
            recovery,
        }
    }
}

//! Composition: configuration to a running host, and back down.
//!
//! Open the store -> choose the isolation -> spawn the engine -> open the releases (adopts, publishes) -> serve edge and admin side ->
//! boot what is live -> `ready` -> serve until a signal, or until another process has taken over -> drain. Beside a predecessor
//! neither side accepts anything before `ready`.

mod admin_side;
mod engine;
mod kept_logs;
mod memory;
mod notify;
mod precheck;
mod ready;
mod solo;
mod threads;
mod upgrade;

use admin_side::AdminSide;
pub(crate) use precheck::Precheck;
pub(crate) use ready::ReadyLine;
pub(crate) use solo::{SoloOptions, solo};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
pub(crate) use threads::Threads;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;
use upgrade::Upgrade;
pub(crate) use upgrade::UpgradeReply;
use vitrine_bundle::BundleError;
use vitrine_cache::Cache;
use vitrine_control::admin::{AdminError, AdminOptions};
use vitrine_control::release::{Parts, ReleaseError, Releases};
use vitrine_core::audit::{AuditAction, AuditResult, Event};
use vitrine_core::clock::Clock;
use vitrine_core::config::{Config, Isolation, IsolationChoice};
use vitrine_core::handover::{HandoverError, Inheritance, Predecessor, Role};
use vitrine_core::telemetry::connections::Side;
use vitrine_core::telemetry::{Telemetry, init_logs};
use vitrine_edge::{Edge, EdgeError};
use vitrine_engine::{Engine, EngineError, OptionsError};
use vitrine_proxy::certificates::Certificates;
use vitrine_proxy::connections::shutdown::Shutdown;
use vitrine_proxy::route::Routes;
use vitrine_proxy::route::guard::{Guard, GuardError};
use vitrine_proxy::rules::RulesError;
use vitrine_store::{KeySource, Store, StoreError};

/// Why a host did not start or did not end well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostError {
    /// The data folder.
    #[error("the data folder can't be used")]
    Store(#[from] StoreError),
    /// What the environment says about the engine.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The engine process.
    #[error("the engine can't be started")]
    Engine(#[from] EngineError),
    /// Containers were asked for and can't be had.
    #[error("{0}")]
    Isolation(String),
    /// What is recorded can't be loaded, or the bundle of `solo` can't be served.
    #[error("the releases can't be opened")]
    Releases(#[from] ReleaseError),
    /// The public side.
    #[error(transparent)]
    Edge(#[from] EdgeError),
    /// The admin side.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// The password of previews.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// A file that routing rules name.
    #[error("the routing rules can't be used")]
    Rules(#[from] RulesError),
    /// The bundle of `solo`.
    #[error("{} can't be served", path.display())]
    Bundle {
        /// Folder of the bundle.
        path: PathBuf,
        /// Cause.
        #[source]
        source: BundleError,
    },
    /// The host before this one.
    #[error("the host before this one can't be taken over from")]
    Handover(#[from] HandoverError),
    /// A system call that nothing works without.
    #[error("{operation} failed")]
    System {
        /// What was tried.
        operation: &'static str,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
}

/// Runs a host until SIGTERM or SIGINT; `requests` are the threads that those pass through.
///
/// # Errors
/// See [`HostError`].
pub(crate) async fn run(config: Config, requests: Handle, ready: ReadyLine) -> Result<(), HostError> {
    let (logs, _written) = init_logs();
    let telemetry = Telemetry::new(logs);
    let stop = stop_signal()?;
    readable_bundles();
    let program = own_path()?;
    let config = Arc::new(config);
    let mut inheritance = Inheritance::take()?;
    inheritance.data_folder().await?;
    let predecessor = inheritance.predecessor();
    let store = Store::open_with(&config.data, KeySource::choose(config.secrets.key_file.as_deref()))?;
    let _kept = kept_logs::keep(&config, &store, &telemetry.logs)?;
    let engine::Started { engine, left } = engine::start(&config, &store).await?;
    let isolation = engine.isolation();
    let (routes, releases) =
        open(&config, store.clone(), engine, &telemetry, Some(predecessor.clone()), &requests).await?;
    let edge = {
        let _listening_there = requests.enter();
        Edge::bind(&config, routes, releases.clone(), telemetry.clone(), &mut inheritance)?
            .ordering(&config, &store)?
    };
    releases.set_public(edge.public());
    let leaving = Shutdown::on(stop);
    // A predecessor serves until all that users get runs here. Without one they wait for what is not up yet, no longer than that takes,
    // and operators see what boots.
    let at_once = !predecessor.is_there();
    let mut serving = Serving::begin(edge, &leaving, &requests, at_once)?;
    let mut options = admin_options(&config, isolation, store.clone(), &releases, &telemetry)?;
    options.inherited = inheritance.listener(Role::Admin, config.admin);
    options.edge = Some(serving.address);
    let started = || audited(store.record_start(&started_text(isolation), !at_once));
    let admin = bring_up(&releases, options, started, at_once).await?;
    ready.write(serving.address, Some(&admin.url), isolation, fell_back(&config, isolation));
    tokio::spawn(engine::end_left(left, predecessor.clone()));
    serving.sockets.push((Role::Admin, admin.socket));
    let asked_to_leave = inheritance.asked.take().map_or_else(|| upgrade::listen(&store), Ok);
    let upgrade = |asked| Upgrade {
        store: store.clone(),
        releases: releases.clone(),
        leaving: leaving.clone(),
        predecessor,
        sockets: serving.sockets,
        asked,
        admin: admin.pauses,
        program,
    };
    let upgrading = asked_to_leave.map(|asked| tokio::spawn(upgrade(asked).serve()));
    if let Err(error) = &upgrading {
        tracing::warn!(%error, "`vitrine upgrade` won't reach this host");
    }
    // One that is gone has stopped accepting, too.
    let _ = inheritance.ready().await;
    serving.accept.cancel();
    served(serving.task.await);
    // A hand-over that the stop ends has its folder to take back.
    if let Ok(upgrading) = upgrading {
        let _ = upgrading.await;
    }
    // The admin side goes last: an operator can watch the drain.
    admin.stop.cancel();
    let _ = admin.task.await;
    // Containers and records are another host's now, and processes end with their engine.
    if !leaving.handed_over.is_cancelled() {
        if config.stop_workers_on_exit || isolation == Isolation::Process {
            releases.stop_workers().await;
        }
        audited(store.record_event(&Event::of_host(AuditAction::Stop, None, AuditResult::Done)));
    }
    Ok(())
}

/// The edge, which serves from when it is told to accept.
struct Serving {
    address: SocketAddr,
    /// For a successor.
    sockets: Vec<(Role, OwnedFd)>,
    accept: CancellationToken,
    task: JoinHandle<()>,
}

impl Serving {
    fn begin(edge: Edge, leaving: &Shutdown, requests: &Handle, at_once: bool) -> Result<Self, HostError> {
        let (address, sockets) = (edge.local_addr(), edge.sockets().map_err(sockets_error)?);
        let accept = CancellationToken::new();
        if at_once {
            accept.cancel();
        }
        let (told, leaving) = (accept.clone(), leaving.clone());
        let task = requests.spawn(async move {
            told.cancelled().await;
            edge.serve(leaving).await;
        });
        Ok(Self { address, sockets, accept, task })
    }
}

/// Whatever lies at this path when it is asked for is the successor; the kernel gives the path up when the file is replaced.
fn own_path() -> Result<PathBuf, HostError> {
    std::env::current_exe().map_err(|source| HostError::System { operation: "finding this program", source })
}

/// Whether workers run as processes although that was not configured.
fn fell_back(config: &Config, isolation: Isolation) -> bool {
    config.isolation == IsolationChoice::Auto && isolation == Isolation::Process
}

/// What the audit log says about a start.
fn started_text(isolation: Isolation) -> String {
    format!("vitrine {}, {isolation} isolation", env!("CARGO_PKG_VERSION"))
}

/// Boots what is live, with the admin side open meanwhile or from then on.
async fn bring_up(
    releases: &Releases,
    options: AdminOptions,
    started: impl FnOnce(),
    at_once: bool,
) -> Result<AdminSide, HostError> {
    if !at_once {
        releases.bring_up().await;
    }
    let admin = AdminSide::begin(options, started)?;
    if let Err(error) = notify::ready() {
        tracing::warn!(%error, "systemd can't be told that the host is ready");
    }
    if at_once {
        releases.bring_up().await;
    }
    Ok(admin)
}

/// What breaks the edge breaks the host.
fn served(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        // It is never cancelled.
        std::panic::resume_unwind(error.into_panic());
    }
}

/// A disk without room for a line is no reason not to serve.
fn audited(recorded: Result<(), StoreError>) {
    if let Err(error) = recorded {
        tracing::warn!(%error, "start or stop is not in the audit log");
    }
}

fn sockets_error(source: std::io::Error) -> HostError {
    HostError::System { operation: "copying the listening sockets", source }
}

async fn open(
    config: &Arc<Config>,
    store: Store,
    engine: Engine,
    telemetry: &Telemetry,
    predecessor: Option<Predecessor>,
    requests: &Handle,
) -> Result<(Routes, Releases), HostError> {
    let routes = Routes::new(&config.domain);
    let previews_secret = store.derived_secret("passes of previews");
    let parts = Parts {
        config: Arc::clone(config),
        store,
        engine,
        routes: routes.clone(),
        telemetry: telemetry.clone(),
        clock: Clock::system(),
        guard: Guard::load(&config.previews, &previews_secret)?,
        // `solo` serves one bundle once.
        take_snapshots: predecessor.is_some(),
        predecessor: predecessor.unwrap_or_default(),
        cache: config.cache.enabled.then(|| Cache::new(mib(config.cache.memory_mb))),
        requests: requests.clone(),
    };
    Ok((routes, Releases::open(parts).await?))
}

/// Bytes of so many MiB.
fn mib(count: u64) -> usize {
    usize::try_from(count << 20).unwrap_or(usize::MAX)
}

fn admin_options(
    config: &Config,
    isolation: Isolation,
    store: Store,
    releases: &Releases,
    telemetry: &Telemetry,
) -> Result<AdminOptions, AdminError> {
    let metrics = Arc::clone(&telemetry.metrics);
    let ready = releases.clone();
    let load = |files| Certificates::load(files, Arc::clone(&telemetry.metrics));
    let tls = config.admin_tls.clone().map(load).transpose()?;
    if tls.is_none() && !config.admin.ip().is_loopback() {
        tracing::warn!(admin = %config.admin,
            "the admin side speaks plain HTTP to other machines: tokens can be read on the way; give it a certificate ([admin_tls])");
    }
    Ok(AdminOptions {
        tls,
        listen: config.admin,
        inherited: None,
        edge: None,
        store,
        releases: releases.clone(),
        clock: Clock::system(),
        connections: telemetry.metrics.connections(Side::Admin),
        metrics: Arc::new(move || metrics.encode()),
        metrics_rules: config.metrics.clone(),
        ready: Arc::new(move || ready.ready()),
        fell_back: fell_back(config, isolation),
    })
}

/// Workers in containers run under other users and must be able to read their bundles, whatever the operator's mask.
/// What is secret (database, token) sets its own mode.
fn readable_bundles() {
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
}

/// Cancelled by the first SIGTERM or SIGINT; a second one ends the process at once.
fn stop_signal() -> Result<CancellationToken, HostError> {
    let system = |source| HostError::System { operation: "waiting for signals", source };
    let mut terminate = signal(SignalKind::terminate()).map_err(system)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(system)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(system)?;
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {
                tracing::warn!("SIGHUP ends the host as SIGTERM does; `vitrine upgrade` applies a changed vitrine.toml");
            }
        }
        stopped.cancel();
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        std::process::exit(130);
    });
    Ok(stop)
}

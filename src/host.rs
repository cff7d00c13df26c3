//! Composition: configuration to a running host, and back down.
//!
//! Open the store -> choose the isolation -> spawn the engine -> open the releases (adopts, publishes) -> serve edge and admin side ->
//! boot what is live -> `ready` -> serve until a signal, or until another process has taken over -> drain. Beside a predecessor
//! neither side accepts anything before `ready`.

mod admin_side;
mod kept_logs;
mod memory;
mod notify;
mod ready;
mod threads;
mod upgrade;

use crate::admin::{AdminError, AdminOptions};
use crate::audit::{Came, Event, What};
use crate::bundle::BundleError;
use crate::certificates::Certificates;
use crate::clock::Clock;
use crate::config::{Config, Isolation, IsolationChoice, MetricsRules, Switching};
use crate::connections::leaving::Leaving;
use crate::container::{Decision, Engine, EngineError, EngineOptions, OptionsError, choose};
use crate::edge::{Edge, EdgeError};
use crate::handover::{HandoverError, Inheritance, Predecessor, Role};
use crate::id::{AppName, InstanceId, ReleaseId};
use crate::limits::{SOLO_BOOT_DEADLINE_MS, SOLO_STOP_MARGIN_MS};
use crate::release::{Parts, PromoteOptions, ReleaseError, Releases, UploadOptions};
use crate::route::Routes;
use crate::route::guard::{Guard, GuardError};
use crate::store::{EnvScope, EnvValue, KeySource, Store, StoreError};
use crate::telemetry::connections::Side;
use crate::telemetry::{Telemetry, init_logs};
use admin_side::AdminSide;
use ipnet::IpNet;
pub use ready::ReadyLine;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
pub use threads::Threads;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;
pub use upgrade::Told;
use upgrade::Upgrade;

/// Why a host did not start or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
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

/// What `vitrine solo` runs.
#[derive(Debug, Clone)]
pub struct SoloOptions {
    /// Folder of the bundle.
    pub bundle: PathBuf,
    /// See [`Config::load_alone`]; networks of its `metrics` read them beside the machine itself.
    pub config: Config,
    /// Time from SIGTERM to SIGKILL, in seconds.
    pub stop_timeout_s: u32,
    /// How its `ready` line is written.
    pub ready: ReadyLine,
}

/// Runs a host until SIGTERM or SIGINT; `requests` are the threads that those pass through.
///
/// # Errors
/// See [`HostError`].
pub async fn run(config: Config, requests: Handle, ready: ReadyLine) -> Result<(), HostError> {
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
    let engine = start_engine(&config, &store).await?;
    let isolation = engine.isolation();
    let (routes, releases) =
        open(&config, store.clone(), engine, &telemetry, Some(predecessor.clone()), &requests).await?;
    let edge = {
        let _listening_there = requests.enter();
        Edge::bind(&config, routes, releases.clone(), telemetry.clone(), &mut inheritance)?
    };
    releases.set_public(edge.public());
    let leaving = Leaving::on(stop);
    // A predecessor serves until all that users get runs here. Without one they wait for what is not up yet, no longer than that takes,
    // and operators see what boots.
    let at_once = !predecessor.is_there();
    let mut serving = Serving::begin(edge, &leaving, &requests, at_once)?;
    let mut options = admin_options(&config, isolation, store.clone(), &releases, &telemetry)?;
    options.inherited = inheritance.listener(Role::Admin, config.admin);
    options.edge = Some(serving.address);
    let started = || audited(store.record_start(&started_text(isolation)));
    let admin = bring_up(&releases, options, started, at_once).await?;
    ready.write(serving.address, Some(&admin.url), isolation, fell_back(&config, isolation));
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
        audited(store.record_event(&Event::of_host(What::Stop, None, Came::Done)));
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
    fn begin(edge: Edge, leaving: &Leaving, requests: &Handle, at_once: bool) -> Result<Self, HostError> {
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

/// Whether workers run as processes though nobody chose that.
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
    let admin = AdminSide::begin(options, started).await?;
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
        // Nobody cancels it.
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

/// Runs one release without an admin side until SIGTERM or SIGINT. Its folder of sockets and records is a temporary one.
///
/// # Errors
/// See [`HostError`].
pub async fn solo(options: SoloOptions, requests: Handle) -> Result<(), HostError> {
    let (logs, _written) = init_logs();
    let telemetry = Telemetry::new(logs);
    let stop = stop_signal()?;
    let folder = tempfile::tempdir()
        .map_err(|source| HostError::System { operation: "making a temporary folder", source })?;
    let config = Arc::new(Config {
        data: folder.path().to_owned(),
        isolation: IsolationChoice::Process,
        any_host: true,
        stop_workers_on_exit: true,
        switching: solo_switching(options.stop_timeout_s),
        ..options.config
    });
    let store = Store::open(&config.data)?;
    let engine = start_engine(&config, &store).await?;
    let (routes, releases) = open(&config, store.clone(), engine, &telemetry, None, &requests).await?;
    releases.bring_up().await;
    let mut nobody = Inheritance::default();
    let edge = {
        let _listening_there = requests.enter();
        Edge::bind(&config, routes, releases.clone(), telemetry, &mut nobody)?
            .alone(solo_metrics(&config.metrics.allow))
    };
    releases.set_public(edge.public());
    let address = edge.local_addr();
    let stopping = stop.clone();
    let serving = requests.spawn(edge.serve(Leaving::on(stop)));
    if let Err(error) = deploy_alone(&options.bundle, &store, &releases).await {
        stopping.cancel();
        let _ = serving.await;
        releases.stop_workers().await;
        return Err(error);
    }
    options.ready.write(address, None, Isolation::Process, false);
    served(serving.await);
    releases.stop_workers().await;
    Ok(())
}

/// Without an admin side there is no token: whoever is on this machine, or beside it in one container or task, may read them.
fn solo_metrics(listed: &[IpNet]) -> MetricsRules {
    let own = [IpAddr::from([127, 0, 0, 0]), Ipv6Addr::LOCALHOST.into()];
    let own = own.into_iter().zip([8, 128]).filter_map(|(address, length)| IpNet::new(address, length).ok());
    MetricsRules { allow: own.chain(listed.iter().copied()).collect() }
}

/// Requests get all the time that the scheduler gives but what ending the worker takes.
fn solo_switching(stop_timeout_s: u32) -> Switching {
    let whole_ms = u64::from(stop_timeout_s) * 1000;
    let drain_timeout_ms = whole_ms - SOLO_STOP_MARGIN_MS.min(whole_ms / 2);
    Switching { drain_timeout_ms, stop_timeout_ms: SOLO_STOP_MARGIN_MS / 4, ..Switching::default() }
}

async fn deploy_alone(bundle: &std::path::Path, store: &Store, releases: &Releases) -> Result<(), HostError> {
    let (from, into, kept) = (bundle.to_owned(), store.layout().stage(), store.bundles().kept());
    let received = tokio::task::spawn_blocking(move || crate::bundle::receive_dir(&from, &into, &kept)).await;
    let received = received.map_err(|panic| HostError::System {
        operation: "reading the bundle",
        source: std::io::Error::other(panic),
    })?;
    let staged = received.map_err(|source| HostError::Bundle { path: bundle.to_owned(), source })?;
    let app: AppName = SOLO_APP.parse().map_err(|error| HostError::Isolation(format!("{error}")))?;
    for name in &staged.1.manifest.env {
        if let Ok(value) = std::env::var(name) {
            let value = EnvValue { name: name.clone(), value, secret: true, updated_ms: 0 };
            store.set_env(&app, EnvScope::Production, &[value])?;
        }
    }
    let boot_deadline = Duration::from_millis(SOLO_BOOT_DEADLINE_MS);
    let deploy = releases.begin_deploy();
    let env_scope = EnvScope::Production;
    let options =
        UploadOptions { preview: None, ttl: None, boot_deadline, deploy, env_scope, signature: None };
    let uploaded = releases.upload(app.clone(), None, staged, options).await?;
    let version =
        uploaded.release.version.parse().map_err(|error| HostError::Isolation(format!("{error}")))?;
    let options = PromoteOptions { boot_deadline, deploy: None };
    releases.promote(ReleaseId::new(app, version), options).await?;
    Ok(())
}

/// Name of the one app of `solo`.
const SOLO_APP: &str = "app";

async fn open(
    config: &Arc<Config>,
    store: Store,
    engine: Engine,
    telemetry: &Telemetry,
    predecessor: Option<Predecessor>,
    requests: &Handle,
) -> Result<(Routes, Releases), HostError> {
    let routes = Routes::new(&config.domain);
    let parts = Parts {
        config: Arc::clone(config),
        store,
        engine,
        routes: routes.clone(),
        telemetry: telemetry.clone(),
        clock: Clock::system(),
        guard: Guard::load(&config.previews)?,
        // `solo` serves one bundle once.
        take_snapshots: predecessor.is_some(),
        predecessor: predecessor.unwrap_or_default(),
        requests: requests.clone(),
    };
    Ok((routes, Releases::open(parts).await?))
}

fn admin_options(
    config: &Config,
    isolation: Isolation,
    store: Store,
    releases: &Releases,
    telemetry: &Telemetry,
) -> Result<AdminOptions, AdminError> {
    let (metrics, room) = (Arc::clone(&telemetry.metrics), releases.clone());
    let ready = releases.clone();
    let load = |files| Certificates::load(vec![files], Arc::clone(&telemetry.metrics));
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
        metrics: Arc::new(move || {
            metrics.schedulable_workers(room.room_left());
            metrics.encode()
        }),
        metrics_rules: config.metrics.clone(),
        ready: Arc::new(move || ready.ready()),
        fell_back: fell_back(config, isolation),
    })
}

/// Chooses the isolation, records the choice, and spawns the engine process for it.
async fn start_engine(config: &Config, store: &Store) -> Result<Engine, HostError> {
    let host_id = match store.meta("host_id")? {
        Some(id) => id,
        None => {
            let id = InstanceId::random().to_string();
            store.set_meta("host_id", &id)?;
            id
        }
    };
    let options = |isolation| {
        EngineOptions::new(isolation, config.data.clone(), host_id.clone())
            .map(|options| EngineOptions { runtime: config.worker.runtime.clone(), ..options })
    };
    let recorded = match store.meta("isolation")?.as_deref() {
        Some("container") => Some(Isolation::Container),
        Some("process") => Some(Isolation::Process),
        _ => None,
    };
    // Whoever names a runtime asks for containers: nothing weaker may take their place.
    let choice = match config.isolation {
        IsolationChoice::Auto if config.worker.runtime.is_some() => IsolationChoice::Container,
        choice => choice,
    };
    let mut decision = choose(choice, recorded, None);
    let mut probed_engine = None;
    if decision == Decision::Probe {
        let probed = probe(options(Isolation::Container)?).await;
        decision = choose(choice, recorded, Some(&probed.as_ref().map(drop).map_err(String::clone)));
        probed_engine = probed.ok();
    }
    match decision {
        Decision::Use { isolation, record, notice } => {
            if let Some(notice) = notice {
                tracing::warn!("{notice}");
            }
            if record {
                store.set_meta("isolation", &isolation.to_string())?;
            }
            match probed_engine.filter(|engine| engine.isolation() == isolation) {
                Some(engine) => Ok(engine),
                None => Ok(Engine::spawn(options(isolation)?)?),
            }
        }
        Decision::Refuse(reason) => Err(HostError::Isolation(reason)),
        Decision::Probe => Err(HostError::Isolation("the isolation could not be decided".into())),
    }
}

/// Runs one worker in a container for a moment; the engine that did it, or the reason why that does not work.
async fn probe(options: EngineOptions) -> Result<Engine, String> {
    let run = async {
        let engine = Engine::spawn(options)?;
        engine.probe().await?;
        Ok(engine)
    };
    run.await.map_err(|error: EngineError| error.to_string())
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
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        stopped.cancel();
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        std::process::exit(130);
    });
    Ok(stop)
}

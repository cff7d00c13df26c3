//! `vitrine solo`: one release without an admin side.

use super::{HostError, ReadyLine, engine, open, served, stop_signal};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use vitrine_control::release::{PromoteOptions, Releases, UploadOptions};
use vitrine_core::config::{Config, Isolation, IsolationChoice, MetricsRules, Switching};
use vitrine_core::handover::Inheritance;
use vitrine_core::id::{AppName, ReleaseId};
use vitrine_core::limits::{SOLO_BOOT_DEADLINE_MS, SOLO_STOP_MARGIN_MS};
use vitrine_core::telemetry::{Telemetry, init_logs};
use vitrine_edge::Edge;
use vitrine_proxy::connections::shutdown::Shutdown;
use vitrine_store::{EnvEdit, EnvScope, EnvValue, Store};

/// What `vitrine solo` runs.
#[derive(Debug, Clone)]
pub(crate) struct SoloOptions {
    /// Folder of the bundle.
    pub bundle: PathBuf,
    /// See [`Config::load_alone`]; networks of its `metrics` read them beside the machine itself.
    pub config: Config,
    /// Time from SIGTERM to SIGKILL, in seconds.
    pub stop_timeout_s: u32,
    /// How its `ready` line is written.
    pub ready: ReadyLine,
}

/// Runs one release without an admin side until SIGTERM or SIGINT. Its folder of sockets and records is a temporary one.
///
/// # Errors
/// See [`HostError`].
pub(crate) async fn solo(options: SoloOptions, requests: Handle) -> Result<(), HostError> {
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
    let engine = engine::start(&config, &store).await?.engine;
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
    let serving = requests.spawn(edge.serve(Shutdown::on(stop)));
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

/// Without an admin side there is no token: every process on this machine, or beside it in one container or task, may read them.
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
    let received =
        tokio::task::spawn_blocking(move || vitrine_bundle::receive_dir(&from, &into, &kept)).await;
    let received = received.map_err(|panic| HostError::System {
        operation: "reading the bundle",
        source: std::io::Error::other(panic),
    })?;
    let staged = received.map_err(|source| HostError::Bundle { path: bundle.to_owned(), source })?;
    let app: AppName = SOLO_APP.parse().map_err(|error| HostError::Isolation(format!("{error}")))?;
    let value = |name: &String| {
        let value = std::env::var(name).ok()?;
        Some(EnvValue { name: name.clone(), value, secret: true, updated_ms: 0, granted: false })
    };
    let values: Vec<EnvValue> = staged.1.manifest.env.iter().filter_map(value).collect();
    if !values.is_empty() {
        store.change_env(&app, EnvScope::Production, &EnvEdit::Set(values))?;
    }
    let boot_deadline = Duration::from_millis(SOLO_BOOT_DEADLINE_MS);
    let deploy = releases.begin_deploy();
    let env_scope = EnvScope::Production;
    let options = UploadOptions {
        preview: None,
        ttl: None,
        boot_deadline,
        deploy,
        env_scope,
        may_promote: true,
        signature: None,
        goes_live: true,
        observer: None,
    };
    let uploaded = releases.upload(app.clone(), None, staged, options).await?;
    let version =
        uploaded.release.version.parse().map_err(|error| HostError::Isolation(format!("{error}")))?;
    let options = PromoteOptions { boot_deadline, deploy: None, digest: None, observer: None };
    releases.promote(ReleaseId::new(app, version), options).await?;
    Ok(())
}

/// Name of the one app of `solo`.
const SOLO_APP: &str = "app";

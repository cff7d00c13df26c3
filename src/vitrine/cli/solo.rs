//! `vitrine solo`.

use crate::cli::{Failure, config, deploy, print};
use crate::host::{self, HostError, SoloOptions, Threads};
use ipnet::IpNet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use tempfile::TempDir;
use vitrine_control::release::ReleaseError;
use vitrine_core::config::{Config, ListenError, PrivateRule, listen_address};
use vitrine_core::health::service::{STOP_TIMEOUT_DEFAULT_SECONDS, check_stop_timeout};

/// Run one release without an admin side, under ECS, Kubernetes or plain Docker
///
/// Values that the bundle's `env` names are read from the process environment. On SIGTERM, requests in progress may finish for as long
/// as --stop-timeout allows; then it exits 0.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of a bundle, of a framework's build, or of the project that was built
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// Configuration file with the fields of `deploy/vitrine.toml` that concern one release: listen, trusted_proxies, edge, tls, limits,
    /// egress, health, metrics
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to listen on, or a port on all interfaces [default: 0.0.0.0:8000]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    listen: Option<SocketAddr>,
    /// Private service that the app may call, in addition to those of the file: an address and a port, a name and a port
    /// (db.internal:5432), or a network (10.0.0.0/8); can be repeated
    #[arg(
        long,
        value_name = "RULE",
        env = "VITRINE_ALLOW_PRIVATE",
        hide_env_values = true,
        value_delimiter = ','
    )]
    allow_private: Vec<PrivateRule>,
    /// Seconds that the scheduler waits between SIGTERM and SIGKILL, as ECS's stopTimeout: 2 to 120
    #[arg(long, value_name = "SECONDS", default_value_t = STOP_TIMEOUT_DEFAULT_SECONDS)]
    stop_timeout: u32,
    /// Network that may read /metrics, in addition to the machine itself, such as 10.0.0.0/8; can be repeated
    #[arg(
        long,
        value_name = "NETWORK",
        env = "VITRINE_METRICS_ALLOW",
        hide_env_values = true,
        value_delimiter = ','
    )]
    metrics_allow: Vec<IpNet>,
}

fn address(text: &str) -> Result<SocketAddr, ListenError> {
    listen_address(text, Ipv4Addr::UNSPECIFIED.into())
}

/// Runs the verb.
pub(super) fn run(args: Args) -> Result<(), Failure> {
    let stop_timeout_s = args.stop_timeout;
    check_stop_timeout(stop_timeout_s).map_err(|error| Failure::Usage(format!("--stop-timeout: {error}")))?;
    let named = args.bundle.clone();
    let config = resolve(args)?;
    // Held until the end: a build is laid out in it.
    let scratch = TempDir::with_prefix("vitrine-solo-").map_err(Failure::local("making a scratch folder"))?;
    let bundle = if named.is_dir() { deploy::bundle_of(&named, scratch.path())? } else { named };
    let threads = Threads::start().map_err(Failure::local("starting the host's threads"))?;
    let options = SoloOptions { bundle, config, stop_timeout_s, ready: print::ready_line() };
    threads.run(|requests| host::solo(options, requests)).map_err(failed)
}

/// A release that can't be served is told with what is known about it, as by `deploy`. Its lines are in the log already.
fn failed(error: HostError) -> Failure {
    match error {
        HostError::Releases(ReleaseError::Unservable { reason, diagnosis, .. }) => {
            Failure::Unservable { message: format!("the bundle can't be served: {reason}"), diagnosis }
        }
        error => Failure::local("running the release")(error),
    }
}

fn resolve(args: Args) -> Result<Config, Failure> {
    let mut config = config::of_solo(args.config.as_deref())?;
    config.listen = args.listen.unwrap_or(config.listen);
    config.egress.allow_private.extend(args.allow_private);
    config.metrics.allow.extend(args.metrics_allow);
    config::checked(config)
}

//! `vitrine solo`.

use crate::cli::{Failure, print};
use crate::health::service::{STOP_TIMEOUT_DEFAULT_SECONDS, check_stop_timeout};
use crate::host::{self, SoloOptions, Threads};
use ipnet::IpNet;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Run one release without an admin side: what runs under ECS, Kubernetes or plain Docker
///
/// Values that the bundle's `env` names come from the process environment. SIGTERM lets requests finish, for as long as
/// --stop-timeout allows, and exits 0.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of the bundle
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:8000")]
    listen: SocketAddr,
    /// What the scheduler waits from SIGTERM to SIGKILL: ECS's stopTimeout, 2 to 120
    #[arg(long, value_name = "SECONDS", default_value_t = STOP_TIMEOUT_DEFAULT_SECONDS)]
    stop_timeout: u32,
    /// Network that may read /metrics beside the machine itself, such as 10.0.0.0/8; may be given again
    #[arg(
        long,
        value_name = "NETWORK",
        env = "VITRINE_METRICS_ALLOW",
        hide_env_values = true,
        value_delimiter = ','
    )]
    metrics_allow: Vec<IpNet>,
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    let Args { bundle, listen, stop_timeout, metrics_allow } = args;
    check_stop_timeout(stop_timeout).map_err(|error| Failure::Usage(format!("--stop-timeout: {error}")))?;
    let threads = Threads::start().map_err(Failure::local("starting the host's threads"))?;
    let options = SoloOptions {
        bundle,
        listen,
        stop_timeout_s: stop_timeout,
        metrics_allow,
        ready: print::ready_line(),
    };
    threads.run(|requests| host::solo(options, requests)).map_err(Failure::local("running the release"))
}

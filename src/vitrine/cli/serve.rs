//! `vitrine serve`.

use crate::cli::{Failure, config, print};
use crate::host::{self, Threads};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use vitrine_core::config::{Config, IsolationChoice, ListenError, listen_address};
use vitrine_core::handover;
use vitrine_core::telemetry::error_chain;

/// Run a host: the edge, the admin side and the workers of every app
///
/// Prints one line on stdout when it accepts requests; its log is JSON lines on stderr. On SIGTERM, requests in progress finish, then it
/// exits 0.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help())]
pub(super) struct Args {
    /// Configuration file [default: ./vitrine.toml if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address of the public side, or a port on 127.0.0.1 [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    listen: Option<SocketAddr>,
    /// Address of the admin side, or a port on 127.0.0.1 [default: 127.0.0.1:8081]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    admin: Option<SocketAddr>,
    /// Data folder, for everything that outlives a restart [default: vitrine-data]
    #[arg(long, value_name = "DIR", env = "VITRINE_DATA", hide_env_values = true)]
    data: Option<PathBuf>,
    /// How workers are isolated from the host; `auto` decides at the first start and stays with it [default: auto]
    #[arg(long, value_enum)]
    isolation: Option<IsolationChoice>,
    /// Stop the workers together with the host, instead of leaving their containers to the next start
    #[arg(long)]
    stop_workers_on_exit: bool,
}

fn address(text: &str) -> Result<SocketAddr, ListenError> {
    listen_address(text, Ipv4Addr::LOCALHOST.into())
}

fn help() -> String {
    format!(
        "Flags win over the file. `vitrine config print` prints a file with all fields, their defaults and comments; `vitrine config \
         check FILE` reports errors in yours. The fields:\n\n{}",
        config::fields()
    )
}

/// Runs the verb.
pub(super) fn run(args: Args) -> Result<(), Failure> {
    serve(args).inspect_err(|failure| {
        // `vitrine upgrade` waits for the reason.
        handover::report_failure(&error_chain(failure));
    })
}

fn serve(args: Args) -> Result<(), Failure> {
    let config = resolve(args)?;
    let threads = Threads::start().map_err(Failure::local("starting the host's threads"))?;
    threads
        .run(|requests| host::run(config, requests, print::ready_line()))
        .map_err(Failure::local("running the host"))
}

fn resolve(args: Args) -> Result<Config, Failure> {
    let mut config = config::of_host(args.config)?;
    config.listen = args.listen.unwrap_or(config.listen);
    config.admin = args.admin.unwrap_or(config.admin);
    config.data = args.data.unwrap_or(config.data);
    config.isolation = args.isolation.unwrap_or(config.isolation);
    config.stop_workers_on_exit |= args.stop_workers_on_exit;
    config::checked(config)
}

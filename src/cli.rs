//! The command line: one verb, one file.
//!
//! stdout is data, stderr is progress and errors. [`Failure`] is the one list of how a verb can fail, and of the exit
//! code that follows.

mod age;
mod audit;
mod client;
mod completions;
mod deploy;
mod doctor;
mod env;
mod exit;
mod healthcheck;
mod host_name;
mod image;
mod logs;
mod print;
mod project;
mod promote;
mod releases;
mod remove;
mod rollback;
mod serve;
mod solo;
mod sse;
mod status;
mod table;
mod target;
mod token;
mod upgrade;
mod visible;

pub use exit::Failure;

use crate::container::engine::{self, EngineArgs};
use clap::{CommandFactory as _, Parser, Subcommand};
use std::process::ExitCode;

/// Host for server-side rendered front ends.
#[derive(Debug, Parser)]
#[command(
    name = "vitrine",
    version,
    propagate_version = false,
    arg_required_else_help = true,
    after_help = "\
The host: --host, else VITRINE_ADMIN (a URL), else the project's `.vitrine` file, which its first deploy writes, else the one that
this user runs on this machine, else http://127.0.0.1:8081. With several running, a command that changes something has to be told
which. VITRINE_TOKEN is the token of a host elsewhere.

Exit codes: 0 done; 1 refused or failed; 2 wrong usage; 3 the host can't be reached; 4 no such app or release;
130 interrupted."
)]
struct Cli {
    /// Host to talk to: URL, HOST:PORT, port of this machine, or data folder (its path or its name)
    #[arg(long, global = true, value_name = "HOST")]
    host: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Serve(serve::Args),
    Solo(solo::Args),
    Deploy(deploy::Args),
    Promote(promote::Args),
    Rollback(rollback::Args),
    Releases(releases::Args),
    Status(status::Args),
    Remove(remove::Args),
    Env(env::Args),
    Logs(logs::Args),
    Token(token::Args),
    Audit(audit::Args),
    Healthcheck(healthcheck::Args),
    Image(image::Args),
    Doctor(doctor::Args),
    Upgrade(upgrade::Args),
    Completions(completions::Args),
    /// What alone talks to Docker; started by `serve`
    #[command(hide = true)]
    Engine(EngineArgs),
}

impl Verb {
    const fn talks_to_a_host(&self) -> bool {
        match self {
            Self::Serve(_)
            | Self::Solo(_)
            | Self::Completions(_)
            | Self::Healthcheck(_)
            | Self::Image(_)
            | Self::Doctor(_)
            | Self::Engine(_) => false,
            Self::Deploy(_)
            | Self::Promote(_)
            | Self::Rollback(_)
            | Self::Releases(_)
            | Self::Status(_)
            | Self::Remove(_)
            | Self::Env(_)
            | Self::Logs(_)
            | Self::Token(_)
            | Self::Audit(_)
            | Self::Upgrade(_) => true,
        }
    }
}

/// Parses the arguments, runs the verb, and gives its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let Cli { host, verb } = Cli::parse();
    if let Some(host) = host {
        if !verb.talks_to_a_host() {
            let usage = Failure::Usage(
                "--host is for commands that talk to a running host; this one does not".into(),
            );
            return usage.report();
        }
        target::name(host);
    }
    let done = match verb {
        Verb::Engine(args) => return engine::main(args),
        Verb::Serve(args) => serve::run(args),
        Verb::Solo(args) => solo::run(args),
        Verb::Completions(args) => completions::run(&args, Cli::command()),
        Verb::Healthcheck(args) => healthcheck::run(&args),
        Verb::Image(args) => call(image::run(args)),
        Verb::Upgrade(args) => upgrade::run(args),
        Verb::Doctor(args) => call(doctor::run(args)),
        Verb::Deploy(args) => call(deploy::run(args)),
        Verb::Promote(args) => call(promote::run(args)),
        Verb::Rollback(args) => call(rollback::run(args)),
        Verb::Releases(args) => call(releases::run(args)),
        Verb::Status(args) => call(status::run(args)),
        Verb::Remove(args) => call(remove::run(args)),
        Verb::Env(args) => call(env::run(args)),
        Verb::Logs(args) => call(logs::run(args)),
        Verb::Token(args) => call(token::run(args)),
        Verb::Audit(args) => call(audit::run(args)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// Runs a verb that talks to a host. One thread is enough for one conversation.
fn call(verb: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|source| Failure::Local { doing: "starting", source: source.into() })?.block_on(verb)
}

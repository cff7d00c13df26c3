//! The command line: one verb, one file.
//!
//! stdout is data, stderr is progress and errors; `--json` makes JSON of both. [`Failure`] is the one list of how a verb can
//! fail, and of the exit code that follows.

mod age;
mod ask;
mod audit;
mod backup;
mod cache;
mod client;
mod colour;
mod completions;
mod config;
mod deploy;
mod deployments;
mod doctor;
mod env;
mod examples;
mod exit;
mod foreign;
mod form;
mod healthcheck;
mod hints;
mod host_name;
mod image;
mod key;
mod listener;
mod logs;
mod print;
mod project;
mod promote;
mod purge;
mod releases;
mod remove;
mod restore;
mod rollback;
mod routes;
mod scale;
mod serve;
mod similar;
mod solo;
mod sse;
mod status;
mod stop;
mod table;
mod target;
mod token;
mod trust;
mod upgrade;
mod usage;
mod verdict;

pub use exit::Failure;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;
use vitrine_core::visible;
use vitrine_engine::engine::{self, EngineArgs};

/// Above the flags that every verb has.
const GLOBAL: &str = "Options of every verb";

/// Below the verbs and options. A paragraph is one line, which clap wraps.
const AFTER_HELP: &str = "\
A command talks to the host that is named by the first of these: --host; VITRINE_ADMIN, a URL; VITRINE_DATA, the data folder of a \
host that runs on this machine; the project's `.vitrine` file, which its first deploy writes. Otherwise it is the host that this user \
runs on this machine, or http://127.0.0.1:8081. While several hosts run and none is named, commands that change something are refused.

VITRINE_TOKEN is the token for a host on another machine. VITRINE_CA is a PEM file of certificate authorities to trust in addition to \
the system's.

With --json, stderr is JSON too, one object a line: {\"note\": TEXT} for progress, and {\"error\": {\"code\", \"message\", \"hint\", \
\"status\", \"exit\", \"causes\", \"log\"}} for a failure.

Exit codes: 0 done; 1 refused or failed; 2 wrong usage; 3 the host can't be reached; 4 no such app or release; 130 interrupted.";

/// Verbs that talk to no running host: they refuse `--host`, and their help does not list it.
const LOCAL: [&str; 9] =
    ["serve", "solo", "routes link", "key forget", "healthcheck", "image", "doctor", "config", "completions"];

/// Whether a word is a verb that `--host` may be given to.
fn talks_to_a_host(verb: &str) -> bool {
    !LOCAL.contains(&verb) && Cli::command().find_subcommand(verb).is_some()
}

/// Host for server-side rendered front ends.
#[derive(Debug, Parser)]
#[command(
    name = "vitrine",
    version,
    propagate_version = false,
    arg_required_else_help = true,
    after_help = AFTER_HELP
)]
struct Cli {
    /// Host to talk to: URL, HOST:PORT, port of this machine, or data folder (its path or its name)
    #[arg(long, global = true, value_name = "HOST", help_heading = GLOBAL)]
    host: Option<String>,
    #[command(subcommand)]
    verb: Verb,
    /// Print JSON: data on stdout, notes and errors on stderr
    #[arg(long, global = true, help_heading = GLOBAL)]
    json: bool,
    /// Colours: always, never, or auto (the default): on a terminal, unless NO_COLOR is set
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        hide_default_value = true,
        hide_possible_values = true,
        help_heading = GLOBAL
    )]
    color: colour::When,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Serve(serve::Args),
    Solo(solo::Args),
    Deploy(deploy::Args),
    Deployments(deployments::Args),
    Promote(promote::Args),
    Rollback(rollback::Args),
    Scale(scale::Args),
    Releases(releases::Args),
    Status(status::Args),
    Remove(remove::Args),
    Restore(restore::Args),
    #[command(subcommand)]
    Env(env::Verb),
    Logs(logs::Args),
    #[command(subcommand)]
    Routes(routes::Verb),
    Purge(purge::Args),
    #[command(subcommand)]
    Cache(cache::Verb),
    #[command(subcommand)]
    Token(token::Verb),
    #[command(subcommand)]
    Audit(audit::Verb),
    #[command(subcommand)]
    Key(key::Verb),
    Backup(backup::Args),
    Healthcheck(healthcheck::Args),
    Image(image::Args),
    Doctor(doctor::Args),
    Upgrade(upgrade::Args),
    #[command(subcommand)]
    Config(config::Verb),
    Completions(completions::Args),
}

/// The process that alone talks to Docker. `serve` starts it; people never do, so it is none of the verbs.
#[derive(Debug, Parser)]
struct EngineCall {
    #[command(flatten)]
    args: EngineArgs,
}

/// Parses the arguments, runs the verb, and gives its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    if words.get(1).is_some_and(|verb| verb == "engine") {
        return engine::main(EngineCall::parse_from(&words[1..]).args);
    }
    if let Some(answered) = completions::answer(command) {
        return answered;
    }
    let (Cli { host, verb, json, color }, path) = match parse(&words) {
        Ok(parsed) => parsed,
        Err(error) => return usage::report(error, &words),
    };
    color.apply();
    if json {
        print::speak_json();
    }
    match aim(host, &verb, &path).and_then(|()| run(verb)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// What is parsed: the verbs and their examples.
fn command() -> clap::Command {
    let command = Cli::command();
    let host = command.get_arguments().find(|arg| arg.get_id() == "host").cloned();
    let host = host.expect("it has --host").hide(true);
    let hide = |command, verb: &&str| with_arg(command, verb, &host);
    examples::attach(LOCAL.iter().fold(command, hide))
}

/// The command with an argument for one of its verbs, such as `key forget`.
fn with_arg(command: clap::Command, verb: &str, arg: &clap::Arg) -> clap::Command {
    let (first, rest) = verb.split_once(' ').unwrap_or((verb, ""));
    let given = |verb: clap::Command| match rest {
        "" => verb.arg(arg),
        rest => with_arg(verb, rest, arg),
    };
    command.mut_subcommand(first, given)
}

/// Gives the verb's path, such as `key forget`, too.
fn parse(words: &[OsString]) -> Result<(Cli, String), clap::Error> {
    let matches = command().try_get_matches_from(words)?;
    let mut path: Vec<&str> = Vec::new();
    let mut rest = &matches;
    while let Some((verb, below)) = rest.subcommand() {
        path.push(verb);
        rest = below;
    }
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command()))?;
    Ok((cli, path.join(" ")))
}

/// Notes which host `--host` names.
fn aim(host: Option<String>, verb: &Verb, path: &str) -> Result<(), Failure> {
    let Some(host) = host else { return Ok(()) };
    let is_local = LOCAL.iter().any(|local| path.starts_with(local));
    let refusal = "--host is for commands that talk to a running host; this one does not";
    match verb {
        Verb::Healthcheck(_) => Err(Failure::refused(format!("{refusal}; --url names what to ask"))),
        Verb::Restore(args) if !args.is_for_an_app() => Err(Failure::Usage(refusal.into())),
        _ if is_local => Err(Failure::Usage(refusal.into())),
        _ => {
            hints::name_host(&host);
            target::name(host);
            Ok(())
        }
    }
}

fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Serve(args) => serve::run(args),
        Verb::Solo(args) => solo::run(args),
        Verb::Completions(args) => completions::run(&args, &command()),
        Verb::Config(args) => config::run(args),
        Verb::Healthcheck(args) => healthcheck::run(&args),
        Verb::Image(args) => call(image::run(args)),
        Verb::Upgrade(args) => upgrade::run(args),
        Verb::Doctor(args) => call(doctor::run(args)),
        Verb::Deploy(args) => call(deploy::run(args)),
        Verb::Deployments(args) => call(deployments::run(args)),
        Verb::Promote(args) => call(promote::run(args)),
        Verb::Rollback(args) => call(rollback::run(args)),
        Verb::Scale(args) => call(scale::run(args)),
        Verb::Releases(args) => call(releases::run(args)),
        Verb::Status(args) => call(status::run(args)),
        Verb::Remove(args) => call(remove::run(args)),
        Verb::Restore(args) => call(restore::run(args)),
        Verb::Env(args) => call(env::run(args)),
        Verb::Logs(args) => call(logs::run(args)),
        Verb::Routes(args) => call(routes::run(args)),
        Verb::Purge(args) => call(purge::run(args)),
        Verb::Cache(verb) => call(cache::run(verb)),
        Verb::Token(args) => call(token::run(args)),
        Verb::Audit(args) => call(audit::run(args)),
        Verb::Key(args) => call(key::run(args)),
        Verb::Backup(args) => call(backup::run(args)),
    }
}

/// Runs a verb that talks to a host. One thread is enough for one conversation.
fn call(verb: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|source| Failure::Local { doing: "starting", source: source.into() })?.block_on(verb)
}

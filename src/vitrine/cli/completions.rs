//! `vitrine completions`, and what its scripts ask of this program at each Tab.
//!
//! The scripts know nothing: at each Tab they call `vitrine` with [`VARIABLE`] and the words so far.

mod bash;
mod candidates;
mod flags;

use crate::cli::{Failure, print};
use bash::Bash;
use clap_complete::Shell;
use clap_complete::env::{CompleteEnv, Elvish, Fish, Powershell, Shells, Zsh};
use flags::FlagsOnDash;
use std::process::ExitCode;

/// Names the shell that asks.
const VARIABLE: &str = "VITRINE_COMPLETE";

const SHELLS: Shells<'static> =
    Shells(&[&Bash, &FlagsOnDash(Elvish), &FlagsOnDash(Fish), &FlagsOnDash(Powershell), &FlagsOnDash(Zsh)]);

/// Print the completion script of a shell
///
/// With it, Tab completes verbs and flags, and asks the host for names of apps, versions, previews, values and tokens.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Shell to print the script for
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the verb.
pub(super) fn run(args: &Args, command: &clap::Command) -> Result<(), Failure> {
    let shell = args.shell.to_string();
    let completer =
        SHELLS.completer(&shell).ok_or_else(|| Failure::refused(format!("no completions for {shell}")))?;
    let mut script = Vec::new();
    completer
        .write_registration(VARIABLE, "vitrine", "vitrine", "vitrine", &mut script)
        .map_err(Failure::local("writing the script"))?;
    let verbs: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    let script = format!("{}\n# Completes {}", String::from_utf8_lossy(&script).trim_end(), verbs.join(", "));
    if print::is_json() {
        return print::json(&serde_json::json!({ "shell": shell, "script": script }));
    }
    print::raw(&script)
}

/// Answers a shell that asks, if one does.
pub(super) fn answer(command: impl Fn() -> clap::Command) -> Option<ExitCode> {
    std::env::var_os(VARIABLE)?;
    print::hush();
    let asked = CompleteEnv::with_factory(|| candidates::attach(command())).var(VARIABLE).shells(SHELLS);
    let folder = std::env::current_dir().ok();
    match asked.try_complete(std::env::args_os(), folder.as_deref()) {
        Ok(true) => Some(ExitCode::SUCCESS),
        Ok(false) => None,
        // An error would be printed into the line that is being written.
        Err(_) => Some(ExitCode::FAILURE),
    }
}

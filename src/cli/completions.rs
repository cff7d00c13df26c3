//! `vitrine completions`.

use crate::cli::{Failure, print};
use clap_complete::Shell;

/// Print the completion script of a shell
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the verb.
pub fn run(args: &Args, mut command: clap::Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "vitrine", &mut script);
    print::raw(String::from_utf8_lossy(&script).trim_end())
}

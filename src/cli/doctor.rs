//! `vitrine doctor`.

use crate::cli::{Failure, print, table};
use crate::container::{self, Grade};
use std::path::PathBuf;

/// Look at this machine: kernel, lock-down, Docker and its versions, disk
///
/// Exit 0 if a host can keep its promises here, 1 if something has to be put right first. Warnings tell what is lost.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Docker's socket; else the one that DOCKER_HOST names, or Docker's own default
    #[arg(long, value_name = "SOCKET")]
    docker: Option<PathBuf>,
    /// Data folder whose disk is looked at [default: vitrine-data]
    #[arg(long, value_name = "DIR", env = "VITRINE_DATA", hide_env_values = true)]
    data: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub async fn run(args: Args) -> Result<(), Failure> {
    let checks = container::doctor(args.docker, &args.data.unwrap_or_else(|| "vitrine-data".into())).await;
    if args.json {
        print::json(&checks)?;
    } else {
        let grade = |grade: Grade| match grade {
            Grade::Good => "ok",
            Grade::Warning => "warning",
            Grade::Bad => "BAD",
        };
        let row = |check: &container::Check| {
            let advice = check.advice.unwrap_or_default().to_owned();
            vec![grade(check.grade).to_owned(), check.name.to_owned(), check.found.clone(), advice]
        };
        table::print(&["", "CHECK", "FOUND", "WHAT TO DO"], &checks.iter().map(row).collect::<Vec<_>>())?;
    }
    let bad: Vec<&str> =
        checks.iter().filter(|check| check.grade == Grade::Bad).map(|check| check.name).collect();
    if bad.is_empty() {
        Ok(())
    } else {
        Err(Failure::refused(format!("to be put right first: {}", bad.join(", "))))
    }
}

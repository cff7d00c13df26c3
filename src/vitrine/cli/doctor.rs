//! `vitrine doctor`.

use crate::cli::form::Width;
use crate::cli::table::{self, Column};
use crate::cli::{Failure, print, visible};
use std::path::{Path, PathBuf};
use vitrine_engine::{self as engine, Check, Grade};

/// Of a check.
const COLUMNS: [Column; 3] =
    [Column::new("").state(), Column::new("CHECK"), Column::new("FOUND, AND WHAT TO DO").wrap(24)];

/// Check whether this machine can run a host: kernel, sandbox, Docker and its version, disk
///
/// Exits 0 if a host can run safely here, 1 if something has to be fixed first. A warning says which protection or feature is missing.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Docker's socket [default: the one that DOCKER_HOST names, else Docker's own default]
    #[arg(long, value_name = "SOCKET")]
    docker: Option<PathBuf>,
    /// Data folder whose disk is checked [default: vitrine-data]
    #[arg(long, value_name = "DIR", env = "VITRINE_DATA", hide_env_values = true)]
    data: Option<PathBuf>,
    #[command(flatten)]
    width: Width,
}

/// Runs the verb.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let data = args.data.as_deref().unwrap_or(Path::new("vitrine-data"));
    let mut checks = engine::doctor(args.docker, data).await;
    // Only one that was named should be there: the first start makes it.
    checks.extend(args.data.as_deref().filter(|data| !data.is_dir()).map(no_folder));
    if print::is_json() {
        print::json(&checks)?;
    } else {
        let grade = |grade: Grade| match grade {
            Grade::Good => "ok",
            Grade::Warning => "warning",
            Grade::Bad => "BAD",
        };
        let row = |check: &Check| {
            let advice = check.advice.map_or_else(String::new, |advice| format!("\n→ {advice}"));
            let found = visible::line(&check.found);
            vec![grade(check.grade).to_owned(), check.name.to_owned(), format!("{found}{advice}")]
        };
        table::print(args.width, &COLUMNS, &checks.iter().map(row).collect::<Vec<_>>())?;
    }
    let bad: Vec<&str> =
        checks.iter().filter(|check| check.grade == Grade::Bad).map(|check| check.name).collect();
    if bad.is_empty() {
        Ok(())
    } else {
        Err(Failure::refused(format!("a host can't run safely here until this is fixed: {}", bad.join(", "))))
    }
}

fn no_folder(data: &Path) -> Check {
    Check {
        name: "data folder",
        grade: Grade::Warning,
        found: format!("{} is not there", data.display()),
        advice: Some("name the data folder of a host; the first `vitrine serve --data DIR` makes it"),
    }
}

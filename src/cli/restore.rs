//! `vitrine restore`.

mod backup_file;

use crate::cli::client::Client;
use crate::cli::{Failure, print};
use crate::id::AppName;
use crate::release::AppView;
use serde_json::json;
use std::path::PathBuf;

/// Bring back an app that was removed within the last day; or, with --from, make a data folder from a backup
///
/// An app comes back with its releases, values and history, and what was live is live again; `vitrine status` names the apps that can be
/// restored. Prints its URL.
///
/// From a backup: every file is compared with its digest, and the database is checked, before the folder gets its name. Running hosts
/// are not touched. The host makes a new token of its own at its first start; tokens made with `vitrine token` stay valid.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// App that was removed
    #[arg(required_unless_present = "from", conflicts_with_all = ["from", "data"])]
    app: Option<AppName>,
    /// What `vitrine backup` wrote
    #[arg(long, value_name = "FILE", requires = "data")]
    from: Option<PathBuf>,
    /// Folder to make of it, for `vitrine serve --data DIR`; it must not exist, or be empty
    #[arg(long, value_name = "DIR", requires = "from")]
    data: Option<PathBuf>,
}

impl Args {
    /// Whether an app is to be restored, which a running host does.
    pub const fn is_for_an_app(&self) -> bool {
        self.app.is_some()
    }
}

/// Runs the verb.
pub async fn run(args: Args) -> Result<(), Failure> {
    match args {
        Args { from: Some(from), data: Some(data), .. } => backup_file::run(&from, &data).await,
        Args { app: Some(app), .. } => restore(&app).await,
        _ => Err(Failure::Usage("name the app that was removed, or --from FILE and --data DIR".into())),
    }
}

async fn restore(app: &AppName) -> Result<(), Failure> {
    let client = Client::changing()?;
    let restored: AppView = client.post(&["apps", app.as_str(), "restore"], &json!({})).await?;
    if print::is_json() {
        return client.print_json(&restored);
    }
    let live =
        restored.live.as_ref().map_or_else(|| "nothing was live".into(), |live| format!("{live} is live"));
    print::talk(&format!("restored {app} with {} releases: {live}", restored.releases.len()));
    print::data(&restored.url)
}

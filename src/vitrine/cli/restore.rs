//! `vitrine restore`.

mod backup_file;

use crate::cli::client::Client;
use crate::cli::{Failure, print};
use clap::ArgGroup;
use serde_json::json;
use std::path::PathBuf;
use vitrine_control::release::AppView;
use vitrine_core::id::AppName;
use vitrine_store::backup::{HostKeys, Proof};

/// Restore an app that was removed within the last day, or, with --from, create a data folder from a backup
///
/// An app is restored with its releases, values and history, and its live release is live again. `vitrine status` lists the apps that
/// can be restored. Prints the app's URL.
///
/// From a backup: all files are compared with their digests, the backup's code is checked with the key of the host that saved it, and the
/// database is checked before the folder appears. Running hosts are not affected. The host makes a new token of its own at its first start; tokens made with `vitrine token` stay valid.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "vitrine restore <APP>\n       vitrine restore --from <FILE> --data <DIR> <--key-file <FILE>|--unauthenticated>",
    group = ArgGroup::new("what").args(["app", "from"]).required(true),
    group = ArgGroup::new("proof").args(["key_file", "unauthenticated"])
)]
pub(super) struct Args {
    /// App that was removed
    app: Option<AppName>,
    /// File that `vitrine backup` wrote
    #[arg(long, value_name = "FILE", requires = "data")]
    from: Option<PathBuf>,
    /// Data folder to create from it, for `vitrine serve --data DIR`; it must not exist, or be empty
    #[arg(long, value_name = "DIR", requires = "from", conflicts_with = "app")]
    data: Option<PathBuf>,
    /// Copy of the key file of the host that saved the backup: shows that nobody changed it since
    #[arg(long, value_name = "FILE", requires = "from")]
    key_file: Option<PathBuf>,
    /// Restore the backup without that: anyone who could write it may have added tokens and code
    #[arg(long, requires = "from")]
    unauthenticated: bool,
}

impl Args {
    /// Whether an app is to be restored, which a running host does.
    pub(super) const fn is_for_an_app(&self) -> bool {
        self.app.is_some()
    }
}

const NO_PROOF: &str = "add --key-file FILE, a copy of the key file of the host that saved the backup: it shows that nobody changed the \
                        backup since. Without one, --unauthenticated restores what is in it, whoever put it there";

/// Runs the verb.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    match args {
        Args { from: Some(from), data: Some(data), key_file, unauthenticated, .. } => {
            let proof = match (key_file, unauthenticated) {
                (Some(path), _) => {
                    Proof::Keys(HostKeys::read(&path).map_err(Failure::local("reading the key file"))?)
                }
                (None, true) => Proof::None,
                (None, false) => return Err(Failure::Usage(NO_PROOF.into())),
            };
            backup_file::run(&from, &data, proof).await
        }
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
    print::talk(&format!(
        "restored {app} with {}: {live}",
        print::counted(restored.releases.len(), "release")
    ));
    print::data(&restored.url)
}

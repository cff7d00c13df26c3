//! `vitrine promote`.

use crate::cli::client::Client;
use crate::cli::{Failure, print};
use crate::id::{AppName, Version};
use crate::release::Switched;
use serde_json::json;

/// Make a release live
///
/// Returns once the change is recorded and switched; requests of the release before it finish behind. Prints
/// APP@VERSION.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// App
    app: AppName,
    /// Version to make live
    version: Version,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub async fn run(args: Args) -> Result<(), Failure> {
    let Args { app, version, json } = args;
    let switched: Switched =
        Client::open()?.post(&["apps", app.as_str(), "promote"], &json!({ "version": version })).await?;
    show(&switched, json)
}

/// Prints a switch.
pub fn show(switched: &Switched, json: bool) -> Result<(), Failure> {
    if json {
        return print::json(switched);
    }
    talk(switched);
    print::data(&format!("{}@{}", switched.app, switched.version))
}

/// Says what a switch did.
pub fn talk(switched: &Switched) {
    let Switched { version, previous, epoch, url, .. } = switched;
    let before = previous.as_ref().filter(|previous| *previous != version);
    let before = before.map_or_else(String::new, |previous| format!(", before it {previous}"));
    print::talk(&format!("live: {version} at {url} (epoch {epoch}{before})"));
}

//! `vitrine rollback`.

use crate::cli::client::Client;
use crate::cli::{Failure, env, promote, similar, visible};
use serde_json::json;
use vitrine_control::release::Switched;
use vitrine_core::id::{AppName, Version};

/// Make an earlier release live again
///
/// Without --to: the previous live release, skipping ones already rolled back. It keeps the values of `vitrine env` that it was
/// started with. Prints APP@VERSION.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// App to roll back
    app: AppName,
    /// A version that was given as an argument, to be refused with what to write
    #[arg(hide = true)]
    rest: Option<String>,
    /// Version to go back to; it must have been live before
    #[arg(long, value_name = "VERSION")]
    to: Option<Version>,
    /// Do nothing unless this version is live now: for two operators at once
    #[arg(long, value_name = "VERSION")]
    from: Option<Version>,
    /// Do not ask when the release of --to is marked as bad
    #[arg(long, short)]
    yes: bool,
}

/// Runs the verb.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let Args { app, rest, to, from, yes } = args;
    if let Some(version) = rest {
        let version = visible::line(&version);
        return Err(Failure::Usage(format!(
            "the version to go back to is an option: `vitrine rollback {app} --to {version}`; without one it is the previous live release"
        )));
    }
    let body = json!({ "to": to, "from": from });
    let client = Client::changing()?;
    if let Some(to) = to.as_ref().filter(|_| !yes) {
        promote::ask_if_bad(&client, &app, to).await?;
    }
    let switched: Switched = match client.post(&["apps", app.as_str(), "rollback"], &body).await {
        Err(failure) => return Err(similar::with_hint(&client, &app, to.as_ref(), failure).await),
        switched => switched?,
    };
    promote::show(&client, &switched)?;
    env::tell_of_others(&client, &app).await;
    Ok(())
}

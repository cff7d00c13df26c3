//! `vitrine promote`.

use crate::cli::client::Client;
use crate::cli::{Failure, ask, env, print, similar, verdict};
use serde::Serialize;
use serde_json::json;
use vitrine_control::release::{DeploymentView, ReleaseView, ShareView, Switched};
use vitrine_core::id::{AppName, Digest, Version};

/// Make a release live
///
/// Returns once the change is recorded and switched; running requests of the previous release finish in the background.
/// Prints APP@VERSION. With --weight only that share of the users gets it, always the same ones; the others stay with the
/// live release, until a promotion without a weight or a rollback.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// App that has the release
    app: AppName,
    /// Version to make live
    version: Version,
    /// Percentage of users that get it; 100 is all
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    weight: Option<u8>,
    /// Wait until its bake ends: exit 0 if it passes or there is none, 1 if the release is rolled back or has no verdict
    #[arg(long, conflicts_with = "weight")]
    wait_bake: bool,
    /// Content that the release must have: the digest that `vitrine deploy` and `vitrine releases --json` show
    #[arg(long, value_name = "DIGEST")]
    digest: Option<Digest>,
    /// Do not ask when the release is marked as bad
    #[arg(long, short)]
    yes: bool,
}

/// Runs the verb.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let Args { app, version, weight, wait_bake, digest, yes } = args;
    let mut wish = json!({ "version": version });
    if let Some(weight) = weight {
        wish["weight"] = weight.into();
    }
    let client = Client::changing()?;
    // What was shown is what is promoted.
    let shown = if yes { None } else { ask_if_bad(&client, &app, &version).await? };
    if let Some(digest) = digest.map(|digest| digest.to_string()).or(shown.map(|release| release.digest)) {
        wish["digest"] = digest.into();
    }
    let switched: Switched = match client.post(&["apps", app.as_str(), "promote"], &wish).await {
        Err(failure) => return Err(similar::with_hint(&client, &app, Some(&version), failure).await),
        switched => switched?,
    };
    if !(wait_bake && print::is_json()) {
        show(&client, &switched)?;
        env::tell_of_others(&client, &app).await;
    }
    if !wait_bake {
        return Ok(());
    }
    let verdict = verdict::wait(&client, &app, &switched).await?;
    if print::is_json() {
        client.print_json(&Promoted { switched, deployment: verdict.as_ref() })?;
    }
    verdict::tell(&app, verdict.as_ref())
}

/// What a promotion did, as `--json` prints it once its verdict is there.
#[derive(Debug, Serialize)]
struct Promoted<'d> {
    #[serde(flatten)]
    switched: Switched,
    deployment: Option<&'d DeploymentView>,
}

/// Asks before users get a release that is marked as bad; gives the release, if there is one.
pub(super) async fn ask_if_bad(
    client: &Client,
    app: &AppName,
    version: &Version,
) -> Result<Option<ReleaseView>, Failure> {
    let path = ["apps", app.as_str(), "releases", version.as_str()];
    let release: ReleaseView = match client.get(&path).await {
        // The host is to say so, and to record that it was asked.
        Err(Failure::Missing(_)) => return Ok(None),
        found => found?,
    };
    if let Some(reason) = &release.bad {
        ask::consent(&format!("{app}@{} is marked as bad: {reason}", release.version))?;
    }
    Ok(Some(release))
}

/// Prints a switch.
pub(super) fn show(client: &Client, switched: &Switched) -> Result<(), Failure> {
    if print::is_json() {
        return client.print_json(switched);
    }
    talk(switched);
    print::data(&format!("{}@{}", switched.app, switched.version))
}

/// Says what a switch did.
pub(super) fn talk(switched: &Switched) {
    let Switched { version, weight, previous, epoch, url, share, .. } = switched;
    if *weight < 100 {
        let live = previous.as_deref().unwrap_or_default();
        return print::talk(&format!(
            "{version} for {weight} % of the users of {url}, {live} for the others (epoch {epoch})"
        ));
    }
    let before = previous.as_ref().filter(|previous| *previous != version);
    let before = before.map_or_else(String::new, |previous| format!(", before it {previous}"));
    print::talk(&format!("live: {version} at {url} (epoch {epoch}{before})"));
    if let Some(ShareView { version, weight }) = share {
        print::talk(&format!(
            "{version} keeps its {weight} % of the users, with the values that it was started with; for the new ones deploy it again \
             under another version"
        ));
    }
    verdict::announce(switched);
}

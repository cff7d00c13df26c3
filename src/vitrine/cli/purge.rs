//! `vitrine purge`.

use crate::cli::client::Client;
use crate::cli::{Failure, similar};
use vitrine_control::release::PurgeWish;
use vitrine_core::id::AppName;

/// Take pages, and what an app fetched, out of the cache
///
/// Returns once it is done: a request that begins then is not answered with what was purged. Without --hard a page that was purged may
/// still be shown where a new one can't be rendered and its `stale-if-error` allows it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// App whose pages they are
    app: AppName,
    /// Everything with this tag, as the app's cache-tag header has it; may be given several times
    #[arg(long = "tag", value_name = "TAG", required_unless_present_any = ["paths", "all"])]
    tags: Vec<String>,
    /// The page with this path, or all below it with /PATH/*; may be given several times
    #[arg(long = "path", value_name = "PATH")]
    paths: Vec<String>,
    /// All pages of the app, and all that it fetched
    #[arg(long)]
    all: bool,
    /// Not to be used again, whatever happens
    #[arg(long)]
    hard: bool,
}

/// Runs the verb.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let Args { app, tags, paths, all, hard } = args;
    let wish = PurgeWish { tags, paths, all, hard };
    wish.check().map_err(Failure::Usage)?;
    let client = Client::changing()?;
    let answered: Result<PurgeWish, Failure> = client.post(&["apps", app.as_str(), "purge"], &wish).await;
    match answered {
        Err(failure) => Err(similar::with_hint(&client, &app, None, failure).await),
        Ok(done) => client.done(&done, &format!("purged of {app}: {done}")),
    }
}

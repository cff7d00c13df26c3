//! What the host is asked for while somebody types: names of apps, versions, previews, values and tokens.
//!
//! Without a host, a token or an answer in time there are none, and nothing is said.

use super::bash::words;
use crate::admin::tokens::TokenView;
use crate::cli::Failure;
use crate::cli::client::Client;
use crate::limits::COMPLETION_MS;
use crate::release::{AppSummary, EnvView, ReleaseView};
use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use std::ffi::OsStr;
use std::time::Duration;

/// The arguments of every verb, with what is known of their values.
pub fn attach(command: Command) -> Command {
    let verb = command.get_name().to_owned();
    let command = command.mut_args(|arg| with_candidates(&verb, arg));
    command.mut_subcommands(attach)
}

fn with_candidates(verb: &str, arg: Arg) -> Arg {
    let completer = match (verb, arg.get_id().as_str()) {
        // A new one has a new name.
        ("deploy", "version") => return arg,
        ("deploy", "preview") => ArgValueCompleter::new(|current: &OsStr| fitting(current, previews)),
        ("set" | "unset", "name") => ArgValueCompleter::new(|current: &OsStr| fitting(current, values)),
        ("revoke", "name") => ArgValueCompleter::new(|current: &OsStr| fitting(current, tokens)),
        (_, "app") => ArgValueCompleter::new(|current: &OsStr| fitting(current, apps)),
        (_, "version" | "to" | "from") => {
            ArgValueCompleter::new(|current: &OsStr| fitting(current, versions))
        }
        (_, "subject") => ArgValueCompleter::new(subjects),
        _ => return arg,
    };
    arg.add(completer)
}

/// Those of the candidates that begin as what is written.
fn fitting(current: &OsStr, all: fn() -> Vec<String>) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    let fitting = all().into_iter().filter(|name| name.starts_with(current));
    fitting.map(CompletionCandidate::new).collect()
}

/// Apps, and behind an `@` their releases.
fn subjects(current: &OsStr) -> Vec<CompletionCandidate> {
    let written = current.to_str().and_then(|text| text.split_once('@'));
    let Some((app, _)) = written else { return fitting(current, apps) };
    let releases = asked(async |client| releases_of(client, app).await).into_iter();
    let all = releases.map(|release| format!("{app}@{}", release.version));
    let fitting = all.filter(|name| current.to_str().is_some_and(|current| name.starts_with(current)));
    fitting.map(CompletionCandidate::new).collect()
}

fn apps() -> Vec<String> {
    asked(async |client| known_apps(client).await)
}

fn versions() -> Vec<String> {
    releases().into_iter().map(|release| release.version).collect()
}

fn previews() -> Vec<String> {
    releases().into_iter().filter_map(|release| release.preview).collect()
}

fn tokens() -> Vec<String> {
    let tokens = asked(async |client| client.get::<Vec<TokenView>>(&["tokens"]).await);
    tokens.into_iter().map(|token| token.name).collect()
}

fn values() -> Vec<String> {
    let values = asked(async |client| {
        let app = written_app(client).await?;
        client.get::<Vec<EnvView>>(&["apps", &app, "env"]).await
    });
    values.into_iter().map(|value| value.name).collect()
}

/// Of the app that stands on the line.
fn releases() -> Vec<ReleaseView> {
    asked(async |client| {
        let app = written_app(client).await?;
        releases_of(client, &app).await
    })
}

async fn known_apps(client: &Client) -> Result<Vec<String>, Failure> {
    let apps: Vec<AppSummary> =
        client.json(client.request(reqwest::Method::GET, &["apps"]).query(&[("short", true)])).await?;
    Ok(apps.into_iter().map(|app| app.app).collect())
}

async fn releases_of(client: &Client, app: &str) -> Result<Vec<ReleaseView>, Failure> {
    client.get(&["apps", app, "releases"]).await
}

/// The first word that is an app.
async fn written_app(client: &Client) -> Result<String, Failure> {
    let apps = known_apps(client).await?;
    let line = std::env::args().skip_while(|word| word != "--").skip(1);
    let mut written = line.flat_map(|word| words(&word)).skip(1);
    written.find(|word| apps.contains(word)).ok_or_else(|| Failure::Missing("no app is named".to_owned()))
}

/// Nothing where something is amiss or takes longer than somebody waits who types.
fn asked<T>(question: impl AsyncFnOnce(&Client) -> Result<Vec<T>, Failure>) -> Vec<T> {
    let answer = async {
        let client = Client::reading().ok()?;
        tokio::time::timeout(Duration::from_millis(COMPLETION_MS), question(&client)).await.ok()?.ok()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.ok().and_then(|runtime| runtime.block_on(answer)).unwrap_or_default()
}

//! What the host is asked for to complete a line: names of apps, versions, previews, values and tokens.
//!
//! Without a host, a token or an answer in time there are none, and no error is printed.

use super::{bash, flags};
use crate::cli::client::Client;
use crate::cli::{Failure, env, remove, target};
use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use std::ffi::OsStr;
use std::str::FromStr;
use std::time::Duration;
use vitrine_control::admin::env::check_name;
use vitrine_control::admin::tokens::TokenView;
use vitrine_control::release::{AppSummary, EnvView, ReleaseView};
use vitrine_core::id::{AppName, TokenName, Version};
use vitrine_core::limits::COMPLETION_MS;

/// The arguments of every verb, with what is known of their values.
pub(super) fn attach(command: Command) -> Command {
    let verb = command.get_name().to_owned();
    let command = command.mut_args(|arg| with_candidates(&verb, arg));
    command.mut_subcommands(attach)
}

fn with_candidates(verb: &str, arg: Arg) -> Arg {
    let completer = match (verb, arg.get_id().as_str()) {
        // A new release has a new version, and a backup is a file.
        ("deploy", "version") | ("restore", "from") => return arg,
        ("deploy", "preview") => ArgValueCompleter::new(|current: &OsStr| fitting(current, previews)),
        ("set" | "grant", "name") => ArgValueCompleter::new(|current: &OsStr| fitting(current, values)),
        ("unset", "name") => ArgValueCompleter::new(|current: &OsStr| fitting(current, values_that_are_set)),
        ("revoke", "name") => ArgValueCompleter::new(|current: &OsStr| fitting(current, tokens)),
        ("restore", "app") => ArgValueCompleter::new(|current: &OsStr| fitting(current, removed)),
        (_, "app") => ArgValueCompleter::new(|current: &OsStr| fitting(current, apps)),
        (_, "version" | "to" | "from") => {
            ArgValueCompleter::new(|current: &OsStr| fitting(current, versions))
        }
        (_, "subject") => ArgValueCompleter::new(subjects),
        _ => return arg,
    };
    arg.add(completer)
}

/// What a host answers as a name, if it is one: the shell inserts it into the line as it is.
fn names<T: FromStr + ToString>(told: impl IntoIterator<Item = String>) -> Vec<String> {
    told.into_iter().filter_map(|name| name.parse::<T>().ok()).map(|name| name.to_string()).collect()
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
    let Ok(app) = app.parse::<AppName>() else { return Vec::new() };
    let releases = names::<Version>(releases.map(|release| release.version)).into_iter();
    let all = releases.map(|version| format!("{app}@{version}"));
    let fitting = all.filter(|name| current.to_str().is_some_and(|current| name.starts_with(current)));
    fitting.map(CompletionCandidate::new).collect()
}

fn apps() -> Vec<String> {
    names::<AppName>(asked(async |client| known_apps(client).await))
}

fn removed() -> Vec<String> {
    let apps = asked(async |client| Ok(remove::removed(client).await));
    names::<AppName>(apps.into_iter().map(|app| app.app))
}

fn versions() -> Vec<String> {
    names::<Version>(releases().into_iter().map(|release| release.version))
}

fn previews() -> Vec<String> {
    names::<Version>(releases().into_iter().filter_map(|release| release.preview))
}

fn tokens() -> Vec<String> {
    let tokens = asked(async |client| client.get::<Vec<TokenView>>(&["tokens"]).await);
    names::<TokenName>(tokens.into_iter().map(|token| token.name))
}

fn values() -> Vec<String> {
    listed_values().into_iter().map(|value| value.name).collect()
}

fn values_that_are_set() -> Vec<String> {
    listed_values().into_iter().filter(|value| !value.unset).map(|value| value.name).collect()
}

fn listed_values() -> Vec<EnvView> {
    asked(async |client| {
        let Line { app, is_for_previews, .. } = Line::read();
        let listed = env::list(client, &app.ok_or_else(no_app)?, is_for_previews).await?;
        Ok(listed.into_iter().filter(|value| check_name(&value.name).is_ok()).collect())
    })
}

/// Of the app on the line.
fn releases() -> Vec<ReleaseView> {
    asked(async |client| {
        let app = Line::read().app.ok_or_else(no_app)?;
        releases_of(client, app.as_str()).await
    })
}

fn no_app() -> Failure {
    Failure::Usage("no app is named".to_owned())
}

async fn known_apps(client: &Client) -> Result<Vec<String>, Failure> {
    let apps: Vec<AppSummary> =
        client.json(client.request(reqwest::Method::GET, &["apps"]).query(&[("short", true)])).await?;
    Ok(apps.into_iter().map(|app| app.app).collect())
}

async fn releases_of(client: &Client, app: &str) -> Result<Vec<ReleaseView>, Failure> {
    client.get(&["apps", app, "releases"]).await
}

/// What the line says so far.
#[derive(Debug, Default)]
struct Line {
    host: Option<String>,
    app: Option<AppName>,
    /// Whether values of previews are meant.
    is_for_previews: bool,
}

impl Line {
    /// The line that the shell hands over, without the word that is being written.
    fn read() -> Self {
        let handed: Vec<String> = std::env::args().skip_while(|word| word != "--").skip(1).collect();
        // bash hands over the whole line, the others its words: at least the program and the one that is being written.
        let mut words = if let [line] = &handed[..] { bash::words(line) } else { handed };
        words.truncate(flags::index(words.len()));
        Self::parse(&words)
    }

    fn parse(words: &[String]) -> Self {
        let Ok(matches) = crate::cli::command().ignore_errors(true).try_get_matches_from(words) else {
            return Self::default();
        };
        let mut verb = &matches;
        while let Some((_, below)) = verb.subcommand() {
            verb = below;
        }
        Self {
            host: verb.try_get_one("host").ok().flatten().cloned(),
            app: verb.try_get_one("app").ok().flatten().cloned(),
            is_for_previews: verb.try_get_one("preview").ok().flatten().copied().unwrap_or(false),
        }
    }
}

/// Nothing if there is an error, or no answer in the time that a person waits for a completion.
fn asked<T>(question: impl AsyncFnOnce(&Client) -> Result<Vec<T>, Failure>) -> Vec<T> {
    if let Some(host) = Line::read().host {
        target::name(host);
    }
    let answer = async {
        let client = Client::unasked().ok()?;
        tokio::time::timeout(Duration::from_millis(COMPLETION_MS), question(&client)).await.ok()?.ok()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.ok().and_then(|runtime| runtime.block_on(answer)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_name_is_not_inserted_into_a_line() {
        let told = ["shop", "x;touch /tmp/y", "$(id)", "a b", "`id`"].map(String::from);
        assert_eq!(names::<AppName>(told.clone()), ["shop"]);
        assert_eq!(names::<Version>(told.clone()), ["shop"]);
        assert_eq!(names::<TokenName>(told), ["shop"]);
    }

    #[test]
    fn a_line_is_read_as_the_command_line_reads_it() {
        let read = |line: &str| {
            let Line { host, app, is_for_previews } = Line::parse(&bash::words(line));
            (host.unwrap_or_default(), app.map(|app| app.to_string()).unwrap_or_default(), is_for_previews)
        };
        let of = |host: &str, app: &str, preview| (host.to_owned(), app.to_owned(), preview);
        for (line, said) in [
            ("vitrine promote shop", of("", "shop", false)),
            ("vitrine promote promote v1", of("", "promote", false)),
            ("vitrine env unset env --preview", of("", "env", true)),
            ("vitrine --host shop rollback blog --to", of("shop", "blog", false)),
            ("vitrine rollback --to v1 shop --host=8081", of("8081", "shop", false)),
            ("vitrine deploy shop . --preview pr-1", of("", "shop", false)),
            ("vitrine rollback --to", of("", "", false)),
            ("vitrine token revoke ci --host 1", of("1", "", false)),
            ("vitrine nonsense shop", of("", "", false)),
            ("vitrine", of("", "", false)),
        ] {
            assert_eq!(read(line), said, "{line}");
        }
    }
}

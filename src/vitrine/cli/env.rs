//! `vitrine env`.

mod dotenv;
mod given;

use crate::cli::client::Client;
use crate::cli::form::Form;
use crate::cli::table::{self, Column};
use crate::cli::{Failure, ask, print, promote, releases, similar};
use reqwest::Method;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use vitrine_control::release::{AppView, EnvChange, EnvView, LiveValue, ReleaseView};
use vitrine_core::id::AppName;
use vitrine_store::EnvScope;

/// Of a value.
const COLUMNS: [Column; 5] = [
    Column::new("NAME"),
    Column::new("VALUE").cut(12),
    Column::new("SET").rank(1),
    Column::new("LIVE"),
    Column::new("PREVIEWS"),
];

/// Values that an app's code can read, if its vitrine.json names them
///
/// A change starts a new release of the live bundle with the new values and makes it live. Previews see only the values that are set
/// with --preview, and so does a release that was uploaded with a token without `promote`, until it is promoted.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Set a value, read from stdin: printf %s VALUE | vitrine env set APP NAME
    Set {
        /// App that the value is for
        app: AppName,
        /// Name: a letter or _, then letters, digits and _
        name: String,
        /// A value that was given as an argument, to be refused without showing it
        #[arg(hide = true)]
        rest: Vec<String>,
        /// Never show the value again
        #[arg(long)]
        secret: bool,
        /// Set it for previews instead of production
        #[arg(long)]
        preview: bool,
        /// Allow an empty value; without this, empty stdin is an error
        #[arg(long)]
        allow_empty: bool,
    },
    /// Set all values of a .env file at once; if one line is invalid, nothing is set
    ///
    /// A line is NAME=VALUE, NAME='VALUE' or NAME="VALUE"; a comment begins with #. Values in quotes may span several lines. In double
    /// quotes \n and \t are replaced; $NAME is not expanded. Values that the file does not name are kept.
    Import {
        /// App that the values are for
        app: AppName,
        /// File with lines NAME=VALUE; - is stdin
        file: PathBuf,
        /// Never show the values again
        #[arg(long)]
        secret: bool,
        /// Set them for previews instead of production
        #[arg(long)]
        preview: bool,
    },
    /// Unset a value
    Unset {
        /// App that the value is for
        app: AppName,
        /// Name of the value
        name: String,
        /// Unset the value of previews instead of production
        #[arg(long)]
        preview: bool,
    },
    /// Let previews see production's value of a name, without showing it
    ///
    /// They see it as production has it, also after it is set anew, until it is unset or the grant is revoked. Previews get it with their
    /// next deploy, and lose it with the next one after it is revoked. A token needs `promote` for this.
    Grant {
        /// App that the value is of
        app: AppName,
        /// Name of the value
        name: String,
        /// Take the grant back
        #[arg(long)]
        revoke: bool,
    },
    /// List the names, and the values that are not secret; names of the live and the newest release without a value are `(unset)`
    List {
        /// App that the value is for
        app: AppName,
        /// List those of previews instead of production
        #[arg(long)]
        preview: bool,
        #[command(flatten)]
        form: Form,
    },
}

/// Runs the verb.
pub(super) async fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Set { app, name, rest, secret, preview, allow_empty } => {
            let name = given::name(&name, &rest)?;
            let value = given::value(&name, secret, allow_empty)?;
            set(&app, vec![(name, value)], secret, preview).await
        }
        Verb::Import { app, file, secret, preview } => set(&app, given::file(&file)?, secret, preview).await,
        Verb::Unset { app, name, preview } => {
            let name = given::name(&name, &[])?;
            let client = Client::changing()?;
            check_is_set(&client, &app, &name, preview).await?;
            let request = client.request(Method::DELETE, &["apps", app.as_str(), "env", &name]);
            let request = request.query(&scope(preview));
            changed(&client, &app, &[name], &client.json(request).await?, preview).await
        }
        Verb::Grant { app, name, revoke } => grant(&app, given::name(&name, &[])?, revoke).await,
        Verb::List { app, preview, form } => {
            let client = Client::reading()?;
            let values = list(&client, &app, preview).await?;
            if print::is_json() {
                return print::json(&values);
            }
            show(&values, form)?;
            if !preview {
                talk_of_own(&app, &list(&client, &app, true).await?);
            }
            Ok(())
        }
    }
}

/// Sets values: one revision, and one start of a release.
async fn set(
    app: &AppName,
    values: Vec<(String, String)>,
    secret: bool,
    preview: bool,
) -> Result<(), Failure> {
    let client = Client::changing()?;
    check_app(&client, app, preview).await?;
    let names: Vec<String> = values.iter().map(|(name, _)| name.clone()).collect();
    let one = |(name, value)| (name, json!({ "value": value, "secret": secret }));
    let set: Map<String, Value> = values.into_iter().map(one).collect();
    let request = client.request(Method::PATCH, &["apps", app.as_str(), "env"]);
    let request = request.query(&scope(preview)).json(&json!({ "set": set }));
    changed(&client, app, &names, &client.json(request).await?, preview).await
}

/// Grants production's value to previews, or takes that back.
async fn grant(app: &AppName, name: String, revoke: bool) -> Result<(), Failure> {
    let client = Client::changing()?;
    let method = if revoke { Method::DELETE } else { Method::PUT };
    if revoke {
        check_is_granted(&client, app, &name).await?;
    }
    let request = client.request(method, &["apps", app.as_str(), "env", &name, "grant"]);
    let change: EnvChange = client.json(request).await?;
    if print::is_json() || !revoke {
        return changed(&client, app, &[name], &change, true).await;
    }
    print::talk(
        "recorded; a preview that has the value keeps it until its next deploy, or until it is removed",
    );
    Ok(())
}

async fn check_is_granted(client: &Client, app: &AppName, name: &str) -> Result<(), Failure> {
    let values = match list(client, app, true).await {
        // The host is to say so, and to record that it was asked.
        Err(Failure::Missing(_)) => return Ok(()),
        found => found?,
    };
    let granted: Vec<&str> = values.iter().filter(|one| one.granted).map(|one| one.name.as_str()).collect();
    if granted.contains(&name) {
        return Ok(());
    }
    let others = if granted.is_empty() { "they are granted none".into() } else { granted.join(", ") };
    Err(Failure::Missing(format!("previews of `{app}` are not granted `{name}`: {others}")))
}

/// Values for the next release, and what the live one has.
pub(super) async fn list(client: &Client, app: &AppName, preview: bool) -> Result<Vec<EnvView>, Failure> {
    let request = client.request(Method::GET, &["apps", app.as_str(), "env"]);
    client.json(request.query(&scope(preview))).await
}

/// Values for an app's first deploy can be set before it exists. That is said, because the name may be mistyped.
async fn check_app(client: &Client, app: &AppName, preview: bool) -> Result<(), Failure> {
    let Err(Failure::Missing(_)) = list(client, app, preview).await else { return Ok(()) };
    let apps = similar::apps(client).await;
    let close = similar::closest(app.as_str(), apps.iter().map(String::as_str));
    let hint = close.map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
    let told = format!("app `{app}` does not exist yet: its values are kept for its first deploy{hint}");
    let end = if hint.is_empty() { "." } else { "" };
    match ask::at_terminal(&format!("{told}{end} Keep them? [y/N]"))? {
        Some(typed) if ask::is_yes(&typed) => {}
        Some(_) => return Err(Failure::refused("nothing was set")),
        None => print::talk(&told),
    }
    Ok(())
}

async fn check_is_set(client: &Client, app: &AppName, name: &str, preview: bool) -> Result<(), Failure> {
    let values = match list(client, app, preview).await {
        // The host is to say so, and to record that it was asked.
        Err(Failure::Missing(_)) => return Ok(()),
        found => found?,
    };
    // What only the live release still has was unset before.
    let set: Vec<&str> = values
        .iter()
        .filter(|one| one.live != LiveValue::Only && !one.unset)
        .map(|one| one.name.as_str())
        .collect();
    if set.contains(&name) {
        return Ok(());
    }
    let whose = if preview { " for previews" } else { "" };
    let others = if set.is_empty() { "it has none".into() } else { format!("it has {}", set.join(", ")) };
    Err(Failure::Missing(format!("`{app}` has no value `{name}`{whose}: {others}")))
}

fn scope(preview: bool) -> [(&'static str, &'static str); 1] {
    let scope = if preview { EnvScope::Preview } else { EnvScope::Production };
    [("scope", scope.as_str())]
}

/// What a change of a value led to.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Effect {
    /// A release with it is live.
    Live,
    /// Previews get it with their next deploy.
    NextPreviews,
    /// The app has no release yet; its first one gets it.
    FirstRelease,
    /// The live release does not name it.
    NotNamed,
}

impl Effect {
    async fn of(client: &Client, app: &AppName, change: &EnvChange, preview: bool) -> Self {
        if preview {
            Self::NextPreviews
        } else if change.switched.is_some() {
            Self::Live
        } else if let Err(Failure::Missing(_)) = client.get::<AppView>(&["apps", app.as_str()]).await {
            Self::FirstRelease
        } else {
            Self::NotNamed
        }
    }
}

async fn changed(
    client: &Client,
    app: &AppName,
    names: &[String],
    change: &EnvChange,
    preview: bool,
) -> Result<(), Failure> {
    let effect = Effect::of(client, app, change, preview).await;
    if print::is_json() {
        return client.print_json(&json!({
            "app": app, "name": names.first().filter(|_| names.len() == 1), "names": names, "preview": preview,
            "effect": effect, "switched": change.switched, "granted": change.granted, "unlisted": change.unlisted,
            "without_value": change.without_value,
        }));
    }
    match (effect, &change.switched) {
        (_, Some(switched)) => {
            promote::talk(switched);
            let release: ReleaseView =
                client.get(&["apps", app.as_str(), "releases", &switched.version]).await?;
            if let Some(text) = releases::revised(&release.version, release.config_revision) {
                print::talk(&format!("{} is {text}", release.version));
            }
        }
        (Effect::NextPreviews, _) => {
            print::talk("recorded; a preview gets it with its next deploy, also of the same content");
        }
        (Effect::FirstRelease, _) => {
            print::talk(&format!("recorded; `{app}` has no release yet: its first one gets the values"));
        }
        _ => print::talk("recorded; no live release names it, so none was restarted"),
    }
    tell_more(client, app, change, preview).await;
    Ok(())
}

/// Says what else a change does, and what it may not have been meant to do.
async fn tell_more(client: &Client, app: &AppName, change: &EnvChange, preview: bool) {
    let EnvChange { granted, unlisted, without_value, .. } = change;
    if !granted.is_empty() {
        let names = granted.join(", ");
        print::talk(&format!(
            "previews are granted {names}: they have it as production has it from their next deploy on (`vitrine env list {app}` \
             shows what is granted)"
        ));
    }
    if !without_value.is_empty() {
        print::talk(&format!(
            "warning: the live or the newest release lists {} in `env`, which has no value now",
            without_value.join(", ")
        ));
    }
    if unlisted.is_empty() {
        return;
    }
    let known = list(client, app, preview).await.unwrap_or_default();
    for name in unlisted {
        let others = known.iter().map(|view| view.name.as_str()).filter(|other| other != name);
        let hint = similar::closest(name, others);
        let hint = hint.map_or_else(String::new, |other| format!("; did you mean `{other}`?"));
        print::talk(&format!(
            "warning: no release of `{app}` lists {name} in `env` of its vitrine.json, so its code does not see it{hint}"
        ));
    }
}

/// Says which values previews have for themselves.
fn talk_of_own(app: &AppName, previews: &[EnvView]) {
    let own = previews.iter().filter(|view| !view.unset && !view.granted);
    let own: Vec<&str> = own.map(|view| view.name.as_str()).collect();
    if !own.is_empty() {
        print::talk(&format!(
            "previews have values of their own: {} (`vitrine env list {app} --preview` shows them)",
            own.join(", ")
        ));
    }
}

fn show(values: &[EnvView], form: Form) -> Result<(), Failure> {
    let row = |view: &EnvView| {
        if view.unset {
            return vec![view.name.clone(), "(unset)".into(), "-".into(), "-".into(), "-".into()];
        }
        let value = if view.secret { "(secret)" } else { view.value.as_deref().unwrap_or("-") };
        let live = match view.live {
            LiveValue::Same => "yes",
            LiveValue::Other => "another",
            LiveValue::Only => "yes, unset since",
            LiveValue::Unread => "-",
        };
        let granted = if view.granted { "granted" } else { "-" };
        let (value, set) = (value.escape_debug().to_string(), form.time(view.updated_ms));
        vec![view.name.clone(), value, set, live.to_owned(), granted.to_owned()]
    };
    // Most apps grant nothing.
    let columns = if values.iter().any(|view| view.granted) { &COLUMNS[..] } else { &COLUMNS[..4] };
    table::print(form.width, columns, &values.iter().map(row).collect::<Vec<_>>())?;
    talk_of_others(values);
    Ok(())
}

/// Says which values a release that just went live does not share with the next one, to people. A token may not be for reading, and
/// then this is not said.
pub(super) async fn tell_of_others(client: &Client, app: &AppName) {
    if !print::is_json()
        && let Ok(values) = list(client, app, false).await
    {
        talk_of_others(&values);
    }
}

/// Says which values the live release does not share with the next one.
fn talk_of_others(values: &[EnvView]) {
    let differs = |view: &&EnvView| matches!(view.live, LiveValue::Other | LiveValue::Only);
    let differing: Vec<&str> = values.iter().filter(differs).map(|view| view.name.as_str()).collect();
    if !differing.is_empty() {
        print::talk(&format!(
            "the live release runs with other values than the next deploy gets: {}",
            differing.join(", ")
        ));
    }
}

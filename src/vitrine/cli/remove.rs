//! `vitrine remove`.

use crate::cli::client::Client;
use crate::cli::{Failure, ask, form, print, similar};
use reqwest::Method;
use serde_json::json;
use std::str::FromStr;
use vitrine_control::release::{AppView, EnvView, RemovedView};
use vitrine_core::id::{AppName, IdError, ReleaseId, Version};

/// An app, or one release of it: `APP` or `APP@VERSION`.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// App.
    pub app: AppName,
    /// Version; none means the app.
    pub version: Option<Version>,
}

impl FromStr for Subject {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.contains('@') {
            let ReleaseId { app, version } = text.parse()?;
            return Ok(Self { app, version: Some(version) });
        }
        Ok(Self { app: text.parse()?, version: None })
    }
}

/// Remove a release that is not live, or an app with all its releases and values
///
/// A removed app can be restored for a day with `vitrine restore`; during that time its name can't be deployed to. Afterwards its name
/// stays reserved for it. A removed release can't be restored: deploy its bundle again.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// App, or one of its releases, to remove; a preview can be given by its name
    #[arg(value_name = "APP[@VERSION]")]
    subject: Subject,
    /// Do not ask for the app's name
    #[arg(long, short)]
    yes: bool,
    /// Remove the app at once, so that it can't be restored; also an app that was removed earlier
    #[arg(long)]
    now: bool,
    /// As --now, and release its name and host names for other apps
    #[arg(long)]
    free_name: bool,
}

/// Runs the verb.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let app = args.subject.app.clone();
    let Some(version) = args.subject.version.clone() else { return remove_app(&app, &args).await };
    let for_apps = [(args.free_name, "--free-name"), (args.now, "--now")];
    if let Some((_, flag)) = for_apps.into_iter().find(|(given, _)| *given) {
        return Err(Failure::Usage(format!("{flag} is for a whole app: vitrine remove APP {flag}")));
    }
    let client = Client::changing()?;
    if let Err(failure) = client.delete(&["apps", app.as_str(), "releases", version.as_str()]).await {
        return Err(similar::with_hint(&client, &app, Some(&version), failure).await);
    }
    client.done(&json!({ "removed": app, "version": version }), &format!("removed {app}@{version}"))
}

async fn remove_app(app: &AppName, args: &Args) -> Result<(), Failure> {
    let for_good = args.now || args.free_name;
    let client = Client::changing()?;
    if !args.yes {
        ask_for_name(&client, app, args).await?;
    }
    let request = client.request(Method::DELETE, &["apps", app.as_str()]);
    if let Err(failure) =
        client.send(request.query(&[("now", args.now), ("free_name", args.free_name)])).await
    {
        return Err(similar::with_hint(&client, app, None, failure).await);
    }
    let kept = if for_good {
        None
    } else {
        removed(&client).await.into_iter().find(|kept| kept.app == app.as_str())
    };
    let facts = json!({
        "removed": app,
        "name_is_free": args.free_name,
        "restorable_until_ms": kept.as_ref().map(|kept| kept.until_ms),
    });
    let then = match kept {
        Some(kept) => format!("`vitrine restore {app}` brings it back, until {}", form::utc(kept.until_ms)),
        None if args.free_name => "its name is free".into(),
        None => "its name stays its own".into(),
    };
    client.done(&facts, &format!("removed {app} and all its releases; {then}"))
}

/// The apps that can be restored. An older host knows of none.
pub(super) async fn removed(client: &Client) -> Vec<RemovedView> {
    let request = client.request(Method::GET, &["apps"]).query(&[("removed", true)]);
    client.json(request).await.unwrap_or_default()
}

/// Says what is about to be removed, and asks for the app's name.
async fn ask_for_name(client: &Client, app: &AppName, args: &Args) -> Result<(), Failure> {
    let what = match client.get::<AppView>(&["apps", app.as_str()]).await {
        Ok(view) => {
            let live = view.live.map_or_else(String::new, |live| format!("{live}, live at {}, ", view.url));
            format!("{live}{} in all, and its values", print::counted(view.releases.len(), "release"))
        }
        Err(Failure::Missing(text)) => match remains(client, app, args).await? {
            Some(what) => what.into(),
            None => return Err(similar::with_hint(client, app, None, Failure::Missing(text)).await),
        },
        Err(failure) => return Err(failure),
    };
    let then =
        if args.now || args.free_name { "for good" } else { "`vitrine restore` brings it back for a day" };
    let told = format!("This removes the app {app} ({what}): {then}.");
    if !ask::is_attended() {
        return Err(Failure::Usage(format!("{told} --yes goes on without asking")));
    }
    print::talk(&told);
    if ask::line("Type the app's name to go on:")? == app.as_str() {
        return Ok(());
    }
    Err(Failure::refused(format!("that is not `{app}`: nothing was removed")))
}

/// What there is of an app without a release that this call would remove; none if the host knows nothing of it.
async fn remains(client: &Client, app: &AppName, args: &Args) -> Result<Option<&'static str>, Failure> {
    match client.get::<Vec<EnvView>>(&["apps", app.as_str(), "env"]).await {
        Err(Failure::Missing(_)) => {}
        Ok(_) => return Ok(Some("it has values and no release")),
        Err(failure) => return Err(failure),
    }
    if (args.now || args.free_name) && removed(client).await.iter().any(|kept| kept.app == app.as_str()) {
        return Ok(Some("it was removed before and can be restored"));
    }
    // Held names are in no list: only the host can say that this is none.
    Ok(args.free_name.then_some("at most its name is left"))
}

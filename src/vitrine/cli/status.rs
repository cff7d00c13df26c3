//! `vitrine status`.

use crate::cli::client::Client;
use crate::cli::form::Form;
use crate::cli::table::{self, Column};
use crate::cli::{Failure, print, releases, remove, scale, similar, visible};
use reqwest::Method;
use serde::de::DeserializeOwned;
use std::io::IsTerminal as _;
use std::time::Duration;
use vitrine_control::release::{
    AppSummary, AppView, DeploymentView, LoadView, Phase, ReleaseView, RemovedView,
};
use vitrine_core::id::AppName;
use vitrine_core::limits::{APPS_PAGE, WATCH_ANSWER_MS, WATCH_MS};
use vitrine_store::DeploymentStatus;

/// Of an app.
const APPS: [Column; 7] = [
    Column::new("APP"),
    Column::new("LIVE"),
    Column::new("REQ/S").rank(2),
    Column::new("ERRORS"),
    Column::new("P95").rank(1),
    Column::new("MEMORY").rank(3),
    Column::new("URL"),
];
/// Of a limit.
const LIMITS: [Column; 2] = [Column::new("LIMIT"), Column::new("VALUE")];

/// Show all apps with their live releases, or one app with its releases and limits
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// App to show [default: every app]
    app: Option<AppName>,
    /// Show it again every second, until Ctrl-C
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    form: Form,
}

/// Runs the verb.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let client = Client::reading()?;
    let mut view = Some(View::get(&client, args.app.as_ref()).await?);
    loop {
        let view = match view.take() {
            Some(view) => view,
            None => View::wait_for(&client, args.app.as_ref()).await?,
        };
        if args.watch && !print::is_json() && std::io::stdout().is_terminal() {
            // Home, and clear what is below.
            print::raw("\x1b[H\x1b[2J")?;
        }
        view.show(args.form)?;
        if !args.watch || print::reader_is_gone() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(WATCH_MS)).await;
    }
}

enum View {
    One(Box<AppView>),
    All(Vec<AppView>),
    Lines(Vec<AppSummary>, Vec<RemovedView>),
}

impl View {
    async fn get(client: &Client, app: Option<&AppName>) -> Result<Self, Failure> {
        Ok(match app {
            Some(app) => match client.get(&["apps", app.as_str()]).await {
                Err(failure) => return Err(similar::with_hint(client, app, None, failure).await),
                view => Self::One(view?),
            },
            None if print::is_json() => Self::All(pages(client, false, |app: &AppView| &app.app).await?),
            None => {
                let apps = pages(client, true, |app: &AppSummary| &app.app).await?;
                Self::Lines(apps, remove::removed(client).await)
            }
        })
    }

    /// As [`View::get`]; a host that is being restarted is waited for.
    async fn wait_for(client: &Client, app: Option<&AppName>) -> Result<Self, Failure> {
        let patience = Duration::from_millis(WATCH_ANSWER_MS);
        let mut is_said = false;
        loop {
            match tokio::time::timeout(patience, Self::get(client, app)).await {
                Ok(Err(Failure::Unreachable { .. })) | Err(_) => {}
                Ok(answered) => return answered,
            }
            if !std::mem::replace(&mut is_said, true) {
                print::talk("the host does not answer; waiting until it does (Ctrl-C ends this)");
            }
            tokio::time::sleep(Duration::from_millis(WATCH_MS)).await;
        }
    }

    fn show(&self, form: Form) -> Result<(), Failure> {
        match self {
            Self::One(app) if print::is_json() => print::json(app),
            Self::One(app) => show_app(app, form),
            Self::All(apps) => print::json(apps),
            Self::Lines(apps, removed) => show_apps(apps, removed, form),
        }
    }
}

/// Every app, a page at a time.
async fn pages<T: DeserializeOwned>(
    client: &Client,
    short: bool,
    name: impl Fn(&T) -> &String,
) -> Result<Vec<T>, Failure> {
    let mut apps: Vec<T> = Vec::new();
    loop {
        let mut request = client.request(Method::GET, &["apps"]).query(&[("limit", APPS_PAGE)]);
        if short {
            request = request.query(&[("short", true)]);
        }
        if let Some(last) = apps.last() {
            request = request.query(&[("after", name(last))]);
        }
        let page: Vec<T> = client.json(request).await?;
        let is_last = page.len() < APPS_PAGE;
        apps.extend(page);
        if is_last {
            return Ok(apps);
        }
    }
}

fn show_apps(apps: &[AppSummary], removed: &[RemovedView], form: Form) -> Result<(), Failure> {
    let row = |app: &AppSummary| {
        let mut live = app.live.clone().unwrap_or_else(|| "-".into());
        if app.live_ready == Some(false) {
            live.push_str(NO_WORKER);
        }
        if let Some(other) = &app.share {
            live = format!("{live}, {} for {} %", other.version, other.weight);
        }
        let LoadView { requests_per_s, error_share, p95_ms, memory_bytes, .. } = app.load;
        let errors = shown(error_share, |share| format!("{:.1} %", share * 100.0));
        let p95 = shown(p95_ms, |ms| format!("{ms:.0} ms"));
        let memory = shown(memory_bytes, |bytes| format!("{} MB", bytes / 1_000_000));
        vec![app.app.clone(), live, format!("{requests_per_s:.1}"), errors, p95, memory, app.url.clone()]
    };
    table::print(form.width, &APPS, &apps.iter().map(row).collect::<Vec<_>>())?;
    if !removed.is_empty() {
        let one = |kept: &RemovedView| format!("{} {}", kept.app, form.end(kept.until_ms));
        let all = removed.iter().map(one).collect::<Vec<_>>().join(", ");
        print::talk(&format!("removed, and `vitrine restore APP` brings it back: {all}"));
    }
    Ok(())
}

/// What is said of a live release whose requests wait: it is being started, or its starts failed, which `failure` explains.
const NO_WORKER: &str = " (no worker yet)";

/// A figure, or a dash where there is none.
fn shown<T>(figure: Option<T>, text: impl FnOnce(T) -> String) -> String {
    figure.map_or_else(|| "-".into(), text)
}

/// `12.5 requests/s, 0.4 % failed, 95 in 100 renders answer within 23 ms, 180 MB (the last 60 s)`
fn load(load: &LoadView) -> String {
    let LoadView { seconds, requests_per_s, error_share, p95_ms, memory_bytes } = load;
    let failed = error_share.map(|share| format!(", {:.1} % failed", share * 100.0)).unwrap_or_default();
    let p95 =
        p95_ms.map(|ms| format!(", 95 in 100 renders begin to answer within {ms:.0} ms")).unwrap_or_default();
    let memory = memory_bytes.map(|bytes| format!(", {} MB", bytes / 1_000_000)).unwrap_or_default();
    format!("{requests_per_s:.1} requests/s{failed}{p95}{memory} (the last {seconds:.0} s)")
}

/// The release that some users get instead of the live one.
fn candidate(app: &AppView) -> Option<&ReleaseView> {
    app.releases.iter().find(|release| release.phase == Phase::Shared)
}

/// The last deployment, unless its verdict is history: another release is live since, or its own all the same.
fn standing_deployment(app: &AppView) -> Option<&DeploymentView> {
    let last = app.deployments.first()?;
    let is_live = app.live.as_ref() == Some(&last.version);
    let holds = match last.status {
        DeploymentStatus::Successful | DeploymentStatus::RollbackFailed => is_live,
        DeploymentStatus::Stopped | DeploymentStatus::RollbackSuccessful => !is_live,
        DeploymentStatus::Pending
        | DeploymentStatus::InProgress
        | DeploymentStatus::StopRequested
        | DeploymentStatus::RollbackRequested
        | DeploymentStatus::RollbackInProgress => true,
    };
    holds.then_some(last)
}

fn show_deployment(deployment: &DeploymentView) -> Result<(), Failure> {
    let DeploymentView { version, stage, status, reason, .. } = deployment;
    let reason =
        reason.as_ref().map_or_else(String::new, |reason| format!(": {}", visible::block(reason, "  ")));
    print::data(&format!("\ndeployment of {version}  {} at {}{reason}", status.as_str(), stage.as_str()))
}

fn show_app(app: &AppView, form: Form) -> Result<(), Failure> {
    print::data(&format!("app   {}", app.app))?;
    print::data(&format!("url   {}", app.url))?;
    let live = app.releases.iter().find(|release| app.live.as_ref() == Some(&release.version));
    let serves = live.is_none_or(|live| live.health.is_some());
    let no_worker = if serves { "" } else { NO_WORKER };
    print::data(&format!("live  {}{no_worker}", app.live.as_deref().unwrap_or("-")))?;
    if let Some(other) = candidate(app) {
        print::data(&format!("      {} for {} % of the users", other.version, other.weight))?;
    }
    print::data(&format!("load  {}", load(&app.load)))?;
    print::data("")?;
    releases::show(&app.releases, form)?;
    if app.instances.len() > 1 {
        print::data("")?;
        scale::show(&app.instances, form)?;
    }
    if let Some(deployment) = standing_deployment(app) {
        show_deployment(deployment)?;
    }
    let Some(release) = live.or(app.releases.first()) else { return Ok(()) };
    let worker = release.instance.as_deref().unwrap_or("none");
    print::data(&format!("\nlimits of {} (worker {worker})", release.version))?;
    let limits = serde_json::to_value(&release.limits).map_err(Failure::local("reading the limits"))?;
    let rows =
        limits.as_object().into_iter().flatten().map(|(name, value)| vec![name.clone(), value.to_string()]);
    table::print(form.width, &LIMITS, &rows.collect::<Vec<_>>())
}

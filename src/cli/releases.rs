//! `vitrine releases`.

use crate::cli::client::Client;
use crate::cli::{Failure, print, table, visible};
use crate::health::HealthStatus;
use crate::id::AppName;
use crate::release::{HealthView, ReleaseView, SnapshotView};
use crate::store::EnvScope;

/// List the releases of an app, newest first
#[derive(Debug, clap::Args)]
pub struct Args {
    /// App
    app: AppName,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub async fn run(args: Args) -> Result<(), Failure> {
    let Args { app, json } = args;
    let releases: Vec<ReleaseView> = Client::reading()?.get(&["apps", app.as_str(), "releases"]).await?;
    if json { print::json(&releases) } else { show(&releases) }
}

/// Prints releases as a table.
pub fn show(releases: &[ReleaseView]) -> Result<(), Failure> {
    let headings = [
        "VERSION",
        "PHASE",
        "HEALTH",
        "DIGEST",
        "CONFIG",
        "SNAPSHOT",
        "UPLOADED",
        "LAST LIVE",
        "IN FLIGHT",
        "URL",
    ];
    table::print(&headings, &releases.iter().map(row).collect::<Vec<_>>())?;
    let refused = releases.iter().filter_map(|release| match &release.snapshot {
        Some(SnapshotView::Refused { reason }) => Some((&release.version, reason)),
        _ => None,
    });
    refused.into_iter().try_for_each(|(version, reason)| {
        print::data(&format!("{version}: no snapshot: {}", visible::block(reason, "  ")))
    })?;
    let failed = releases.iter().filter_map(|release| Some((&release.version, release.failure.as_ref()?)));
    failed.into_iter().try_for_each(|(version, reason)| {
        print::data(&format!("{version}: does not start: {}", visible::block(reason, "  ")))
    })
}

fn row(release: &ReleaseView) -> Vec<String> {
    let mut phase = release.phase.as_str().to_owned();
    if (1..100).contains(&release.weight) {
        phase.push_str(&format!(", {} % of users", release.weight));
    }
    if let Some(preview) = &release.preview {
        phase.push_str(&format!(", preview {preview}"));
    }
    if let Some(expires_ms) = release.expires_ms {
        phase.push_str(&format!(" until {}", table::time(expires_ms)));
    }
    if release.env_scope == EnvScope::Preview && release.preview.is_none() {
        phase.push_str(", values of previews");
    }
    if release.rolled_back {
        phase.push_str(", rolled back");
    }
    if release.bad.is_some() {
        phase.push_str(", bad");
    }
    vec![
        release.version.clone(),
        phase,
        release.health.as_ref().map_or_else(|| "-".into(), health),
        release.digest.chars().take(12).collect(),
        release.config_revision.to_string(),
        release.snapshot.as_ref().map_or_else(|| "-".into(), snapshot),
        table::time(release.created_ms),
        release.promoted_ms.map_or_else(|| "-".into(), table::time),
        release.in_flight.to_string(),
        release.url.clone().unwrap_or_else(|| "-".into()),
    ]
}

fn health(health: &HealthView) -> String {
    let status = match health.status {
        HealthStatus::Unknown => "unknown",
        HealthStatus::Healthy => "healthy",
        HealthStatus::Unhealthy => "unhealthy",
    };
    let notes = [(health.hung, ", hangs"), (health.fail_open, ", served all the same")];
    notes.iter().filter(|(holds, _)| *holds).fold(status.to_owned(), |text, (_, note)| text + note)
}

fn snapshot(snapshot: &SnapshotView) -> String {
    match snapshot {
        SnapshotView::Taken { bytes } => format!("{:.1} MB", *bytes as f64 / 1e6),
        SnapshotView::Refused { .. } => "none".into(),
    }
}

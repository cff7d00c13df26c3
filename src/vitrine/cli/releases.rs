//! `vitrine releases`.

use crate::cli::client::Client;
use crate::cli::form::Form;
use crate::cli::table::{self, Column};
use crate::cli::{Failure, print, visible};
use std::collections::BTreeMap;
use vitrine_control::release::{HealthView, Phase, ReleaseView, SnapshotView};
use vitrine_core::health::HealthStatus;
use vitrine_core::id::AppName;
use vitrine_store::EnvScope;

/// Of a release.
const COLUMNS: [Column; 10] = [
    Column::new("VERSION"),
    Column::new("STATE").state(),
    Column::new("HEALTH").rank(1).state(),
    Column::new("DIGEST").rank(8),
    Column::new("CONFIG").rank(6),
    Column::new("SNAPSHOT").rank(5),
    Column::new("UPLOADED").rank(3),
    Column::new("LAST LIVE").rank(2),
    Column::new("IN FLIGHT").rank(4),
    Column::new("URL").rank(7),
];

/// List the releases of an app, newest first
///
/// STATE is `live` (users get it), `standby` (a rollback goes to it), `warm` (it was live and still runs), `sleeping` (it was
/// live or a preview, and starts with the next request), `ready` (it runs and was never live), `shared` (a share of the users
/// gets it), `preview`, or how far its start is: `uploaded`, `booting`, `warming`, `failed`, `draining`. HEALTH is that of its worker.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// App whose releases are listed
    app: AppName,
    #[command(flatten)]
    form: Form,
}

/// Runs the verb.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let Args { app, form } = args;
    let releases: Vec<ReleaseView> = Client::reading()?.get(&["apps", app.as_str(), "releases"]).await?;
    if print::is_json() { print::json(&releases) } else { show(&releases, form) }
}

/// Prints releases as a table.
pub(super) fn show(releases: &[ReleaseView], form: Form) -> Result<(), Failure> {
    table::print(
        form.width,
        &COLUMNS,
        &releases.iter().map(|release| row(release, form)).collect::<Vec<_>>(),
    )?;
    // Releases of one app have it from one place, mostly.
    let mut refused: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for release in releases {
        if let Some(SnapshotView::Refused { reason }) = &release.snapshot {
            refused.entry(reason).or_default().push(&release.version);
        }
    }
    refused.into_iter().try_for_each(|(reason, versions)| {
        print::data(&format!("{}: no snapshot: {}", versions.join(", "), visible::block(reason, "  ")))
    })?;
    let failed = releases.iter().filter_map(|release| Some((&release.version, release.failure.as_ref()?)));
    failed.into_iter().try_for_each(|(version, reason)| {
        print::data(&format!("{version}: does not start: {}", visible::block(reason, "  ")))
    })?;
    let unwell = releases.iter().filter_map(|one| Some((&one.version, one.warm_failure.as_ref()?)));
    unwell.into_iter().try_for_each(|(version, reason)| {
        print::data(&format!(
            "{version}: serves, although at its start a check failed: {}",
            visible::block(reason, "  ")
        ))
    })?;
    releases.iter().flat_map(|release| remarks(release, form)).try_for_each(|remark| print::data(&remark))
}

/// What a table has no room for: which version `vitrine env` made of another, and why one is marked as bad.
fn remarks(release: &ReleaseView, form: Form) -> Vec<String> {
    let version = &release.version;
    let revised = revised(version, release.config_revision).map(|text| format!("{version}: {text}"));
    let bad = release
        .bad
        .as_ref()
        .map(|reason| format!("{version}: is marked as bad: {}", visible::block(reason, "  ")));
    let was_bad = release.was_bad.as_ref().map(|was| {
        let (reason, by, at) =
            (visible::block(&was.reason, "  "), &was.promoted_by, form.time(was.promoted_ms));
        format!("{version}: was marked as bad ({reason}), promoted again by {by}, {at}")
    });
    [revised, bad, was_bad].into_iter().flatten().collect()
}

/// What a version is that `vitrine env` made of an earlier one; none for the others.
pub(super) fn revised(version: &str, revision: u64) -> Option<String> {
    let base = version.strip_suffix(&format!(".r{revision}")).filter(|base| !base.is_empty())?;
    Some(format!("{base} with newer values (revision {revision})"))
}

fn row(release: &ReleaseView, form: Form) -> Vec<String> {
    vec![
        release.version.clone(),
        state(release, form),
        release.health.as_ref().map_or_else(|| "-".into(), health),
        release.digest.chars().take(12).collect(),
        release.config_revision.to_string(),
        release.snapshot.as_ref().map_or_else(|| "-".into(), snapshot),
        form.time(release.created_ms),
        release.promoted_ms.map_or_else(|| "-".into(), |ms| form.time(ms)),
        release.in_flight.to_string(),
        release.link.as_ref().or(release.url.as_ref()).cloned().unwrap_or_else(|| "-".into()),
    ]
}

/// Where a release stands, in the words that `vitrine releases --help` explains.
fn state(release: &ReleaseView, form: Form) -> String {
    let target = release.rollback_target;
    let mut state = match (release.phase, &release.preview) {
        (Phase::Shared, _) => format!("shared, {} % of users", release.weight),
        (Phase::Live, _) if (1..100).contains(&release.weight) => {
            format!("live, {} % of users", release.weight)
        }
        (Phase::Standby | Phase::Frozen, _) if target => "standby".to_owned(),
        (Phase::Standby, _) => "warm".to_owned(),
        (Phase::Healthy, Some(preview)) => format!("preview {preview}"),
        (Phase::Healthy, None) => "ready".to_owned(),
        (phase, Some(preview)) => format!("{}, preview {preview}", phase.as_str()),
        (phase, None) if target && phase != Phase::Live => format!("{}, standby", phase.as_str()),
        (phase, None) => phase.as_str().to_owned(),
    };
    if let Some(expires_ms) = release.expires_ms {
        state.push_str(&format!(" {}", form.end(expires_ms)));
    }
    if release.env_scope == EnvScope::Preview && release.preview.is_none() {
        state.push_str(", values of previews");
    }
    if release.rolled_back {
        state.push_str(", rolled back");
    }
    if release.bad.is_some() {
        state.push_str(", bad");
    }
    state
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_a_change_of_values_made_is_explained() {
        assert_eq!(revised("v1.r2", 2).as_deref(), Some("v1 with newer values (revision 2)"));
        for (version, revision) in [("v1", 0), ("v1.r2", 3), (".r2", 2), ("v1.r12", 2)] {
            assert_eq!(revised(version, revision), None, "{version}");
        }
    }
}

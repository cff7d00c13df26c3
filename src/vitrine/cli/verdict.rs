//! The bake of a release that was just made live, and its verdict.

use crate::cli::client::Client;
use crate::cli::{Failure, print};
use std::time::{Duration, Instant};
use vitrine_control::release::{AppView, DeploymentView, Switched};
use vitrine_core::id::AppName;
use vitrine_core::limits::{VERDICT_HOST_AWAY_MS, WATCH_MS};
use vitrine_store::DeploymentStatus;

/// Says that the bake goes on, for how long, and how to watch it.
pub(super) fn announce(switched: &Switched) {
    let Switched { app, version, baked_against, bake_time_ms, .. } = switched;
    let Some(previous) = baked_against.as_ref().filter(|_| *bake_time_ms > 0) else { return };
    let time = humantime::format_duration(Duration::from_millis(*bake_time_ms));
    print::talk(&format!(
        "its bake goes on for {time}: if {version} is worse than {previous}, {previous} is made live again; \
         `vitrine status {app} --watch` shows it"
    ));
}

/// Waits until the deployment that made a release live is over, or until it needs a person. Nothing when it has none.
///
/// # Errors
/// The host can't be reached for [`VERDICT_HOST_AWAY_MS`].
pub(super) async fn wait(
    client: &Client,
    app: &AppName,
    switched: &Switched,
) -> Result<Option<DeploymentView>, Failure> {
    let mut begun_ms = None;
    let mut seen = Instant::now();
    loop {
        match client.get::<AppView>(&["apps", app.as_str()]).await {
            Ok(view) => {
                seen = Instant::now();
                let of_this = |one: &DeploymentView| {
                    one.version == switched.version
                        && begun_ms.is_none_or(|begun_ms| one.begun_ms == begun_ms)
                };
                let Some(mut one) = view.deployments.into_iter().find(of_this) else { return Ok(None) };
                begun_ms = Some(one.begun_ms);
                if one.waits || is_over(one.status) {
                    // Why it is bad is known before it is rolled back, and stays.
                    let release = view.releases.into_iter().find(|release| release.version == one.version);
                    one.reason = release.and_then(|release| release.bad).or(one.reason);
                    return Ok(Some(one));
                }
            }
            // A host that is restarted goes on with the bake.
            Err(Failure::Unreachable { .. } | Failure::NotRunning(_))
                if seen.elapsed() < Duration::from_millis(VERDICT_HOST_AWAY_MS) => {}
            Err(failure) => return Err(failure),
        }
        tokio::time::sleep(Duration::from_millis(WATCH_MS)).await;
    }
}

const fn is_over(status: DeploymentStatus) -> bool {
    matches!(
        status,
        DeploymentStatus::Successful
            | DeploymentStatus::Stopped
            | DeploymentStatus::RollbackSuccessful
            | DeploymentStatus::RollbackFailed
    )
}

/// Says what the verdict is.
///
/// # Errors
/// Anything but a pass.
pub(super) fn tell(app: &AppName, verdict: Option<&DeploymentView>) -> Result<(), Failure> {
    let Some(DeploymentView { version, status, previous, reason, .. }) = verdict else {
        print::talk("there is no bake to wait for");
        return Ok(());
    };
    let why = reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    let release = format!("{app}@{version}");
    let text = match status {
        DeploymentStatus::Successful => {
            print::talk(&format!("{release} passed its bake"));
            return Ok(());
        }
        DeploymentStatus::RollbackSuccessful => {
            let previous = previous.as_deref().unwrap_or("the release before it");
            format!("{release} was rolled back to {previous}{why}")
        }
        DeploymentStatus::RollbackFailed => format!("{release} failed, and could not be rolled back{why}"),
        DeploymentStatus::Stopped => {
            format!("{release} has no verdict, because another release went live{why}")
        }
        _ => format!("{release} is live and has no verdict yet{why}"),
    };
    Err(Failure::refused(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitrine_store::DeploymentStage;

    #[test]
    fn a_pass_is_no_failure_and_neither_is_no_bake() {
        let app = "shop".parse().unwrap();
        let told = |status, waits| {
            let view = DeploymentView {
                version: "v2".into(),
                previous: Some("v1".into()),
                stage: DeploymentStage::BakeTime,
                status,
                reason: Some("9 % failed".into()),
                waits,
                begun_ms: 1,
            };
            tell(&app, Some(&view)).map_err(|failure| failure.to_string())
        };
        assert_eq!(told(DeploymentStatus::Successful, false), Ok(()));
        for (status, waits, words) in [
            (DeploymentStatus::RollbackSuccessful, false, "shop@v2 was rolled back to v1: 9 % failed"),
            (DeploymentStatus::RollbackFailed, false, "could not be rolled back: 9 % failed"),
            (DeploymentStatus::Stopped, false, "another release went live: 9 % failed"),
            (DeploymentStatus::InProgress, true, "no verdict yet: 9 % failed"),
        ] {
            let text = told(status, waits).unwrap_err();
            assert!(text.contains(words), "{text}");
        }
        assert!(tell(&app, None).is_ok());
    }
}

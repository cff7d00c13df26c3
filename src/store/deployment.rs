//! Deployments as they are recorded: the last one of each app, and the versions that one found to be bad.

use super::removed::is_removed;
use super::transaction::{from_integer, parsed, parsed_option, to_integer};
use super::{Store, StoreError};
use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use vitrine_core::audit::{AuditAction, AuditResult, Event};
use vitrine_core::id::{AppName, ReleaseId, Version};

/// What a deployment is at, by ECS's names for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeploymentStage {
    /// What is live and what is to be are looked up.
    ReconcileService,
    /// Before a worker of the new release is started.
    PreScaleUp,
    /// Its worker is started and warmed.
    ScaleUp,
    /// It is healthy.
    PostScaleUp,
    /// It is reached under its own name.
    TestTrafficShift,
    /// Hooks `before_traffic`.
    PostTestTrafficShift,
    /// It becomes what users get.
    ProductionTrafficShift,
    /// Hooks `after_traffic`.
    PostProductionTrafficShift,
    /// It is compared with the release before it; then hooks `after_bake`.
    BakeTime,
    /// The release before it becomes a plain standby.
    CleanUp,
}

/// How a deployment goes, by ECS's names for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeploymentStatus {
    /// Not begun.
    Pending,
    /// On its way.
    InProgress,
    /// Done.
    Successful,
    /// Another release went live meanwhile: it ends where it is.
    StopRequested,
    /// Ended on its way; users get another release, and nothing was rolled back.
    Stopped,
    /// The release before it is to be live again.
    RollbackRequested,
    /// That is being done.
    RollbackInProgress,
    /// The release before it is live again.
    RollbackSuccessful,
    /// It should have been rolled back, and there is nothing to go back to or that failed.
    RollbackFailed,
}

/// The last deployment of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentRecord {
    /// The release that was deployed.
    pub release: ReleaseId,
    /// The release that was live before.
    pub previous: Option<Version>,
    /// See [`DeploymentStage`].
    pub stage: DeploymentStage,
    /// See [`DeploymentStatus`].
    pub status: DeploymentStatus,
    /// Why it is there.
    pub reason: Option<String>,
    /// When it began, in milliseconds since the Unix epoch.
    pub begun_ms: u64,
    /// Figures of the release before it, measured before the switch, in the form of the module that measures.
    pub baseline: String,
    /// Number of the deploy, among those that went live, that was begun last, and its version.
    pub newest_deploy: Option<(u64, Version)>,
}

impl DeploymentStage {
    /// All of them, in their order.
    pub const ALL: [Self; 10] = [
        Self::ReconcileService,
        Self::PreScaleUp,
        Self::ScaleUp,
        Self::PostScaleUp,
        Self::TestTrafficShift,
        Self::PostTestTrafficShift,
        Self::ProductionTrafficShift,
        Self::PostProductionTrafficShift,
        Self::BakeTime,
        Self::CleanUp,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReconcileService => "RECONCILE_SERVICE",
            Self::PreScaleUp => "PRE_SCALE_UP",
            Self::ScaleUp => "SCALE_UP",
            Self::PostScaleUp => "POST_SCALE_UP",
            Self::TestTrafficShift => "TEST_TRAFFIC_SHIFT",
            Self::PostTestTrafficShift => "POST_TEST_TRAFFIC_SHIFT",
            Self::ProductionTrafficShift => "PRODUCTION_TRAFFIC_SHIFT",
            Self::PostProductionTrafficShift => "POST_PRODUCTION_TRAFFIC_SHIFT",
            Self::BakeTime => "BAKE_TIME",
            Self::CleanUp => "CLEAN_UP",
        }
    }
}

impl DeploymentStatus {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::InProgress,
        Self::Successful,
        Self::StopRequested,
        Self::Stopped,
        Self::RollbackRequested,
        Self::RollbackInProgress,
        Self::RollbackSuccessful,
        Self::RollbackFailed,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::InProgress => "IN_PROGRESS",
            Self::Successful => "SUCCESSFUL",
            Self::StopRequested => "STOP_REQUESTED",
            Self::Stopped => "STOPPED",
            Self::RollbackRequested => "ROLLBACK_REQUESTED",
            Self::RollbackInProgress => "ROLLBACK_IN_PROGRESS",
            Self::RollbackSuccessful => "ROLLBACK_SUCCESSFUL",
            Self::RollbackFailed => "ROLLBACK_FAILED",
        }
    }
}

/// That a release was found to be bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadMark {
    /// Why.
    pub reason: String,
    /// Set once it was made live all the same: it counts as bad no longer.
    pub pardon: Option<Pardon>,
}

/// The actor that made a release live that was marked as bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pardon {
    /// By the audit log's name.
    pub by: String,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
}

/// A column that holds a name of one of these.
fn named<T: Copy>(
    row: &rusqlite::Row<'_>,
    index: usize,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> rusqlite::Result<T> {
    let text: String = row.get(index)?;
    let found = all.iter().copied().find(|one| name(*one) == text);
    found.ok_or_else(|| rusqlite::Error::InvalidColumnType(index, text, rusqlite::types::Type::Text))
}

/// Ends the deployment of a release that was rolled back from, as part of a change: it goes nowhere any more.
pub(super) fn end(transaction: &Transaction<'_>, live: &ReleaseId) -> rusqlite::Result<()> {
    let over = DeploymentStatus::RollbackSuccessful.as_str();
    let under_way = [
        DeploymentStatus::InProgress,
        DeploymentStatus::RollbackRequested,
        DeploymentStatus::RollbackInProgress,
    ];
    for status in under_way {
        transaction.execute(
            "UPDATE deployments SET status = ?4 WHERE app = ?1 AND version <> ?2 AND status = ?3",
            [live.app.as_str(), live.version.as_str(), status.as_str(), over],
        )?;
    }
    Ok(())
}

/// Writes an app's last deployment, as part of a change.
pub(super) fn set(transaction: &Transaction<'_>, deployment: &DeploymentRecord) -> rusqlite::Result<()> {
    let newest = deployment.newest_deploy.as_ref();
    transaction.execute(
        "INSERT OR REPLACE INTO deployments
         (app, version, previous, stage, status, reason, begun_ms, baseline, newest_deploy, newest_version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            deployment.release.app.as_str(),
            deployment.release.version.as_str(),
            deployment.previous.as_ref().map(Version::as_str),
            deployment.stage.as_str(),
            deployment.status.as_str(),
            deployment.reason,
            to_integer(deployment.begun_ms),
            deployment.baseline,
            newest.map(|(number, _)| to_integer(*number)),
            newest.map(|(_, version)| version.as_str()),
        ],
    )?;
    Ok(())
}

impl Store {
    /// Records how far an app's last deployment has come; gives false when another one is in its place by now, or the app is
    /// gone or removed. It was recorded with its switch (see [`Store::record_promotion`]).
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn set_deployment(&self, deployment: &DeploymentRecord) -> Result<bool, StoreError> {
        self.write("record the deployment", |transaction| {
            let known = transaction.query_row(
                "SELECT EXISTS (SELECT 1 FROM deployments WHERE app = ?1 AND version = ?2 AND begun_ms = ?3)",
                params![
                    deployment.release.app.as_str(),
                    deployment.release.version.as_str(),
                    to_integer(deployment.begun_ms)
                ],
                |row| row.get(0),
            )?;
            let known = known && !is_removed(transaction, &deployment.release.app)?;
            if known {
                set(transaction, deployment)?;
            }
            Ok(known)
        })
    }

    /// The last deployment of an app.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn deployment(&self, app: &AppName) -> Result<Option<DeploymentRecord>, StoreError> {
        self.read("read the deployment", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT version, previous, stage, status, reason, begun_ms, baseline, newest_deploy, newest_version
                 FROM deployments WHERE app = ?1",
            )?;
            let row = statement.query_row([app.as_str()], |row| {
                let number = row.get::<_, Option<i64>>(7)?.map(i64::cast_unsigned);
                Ok(DeploymentRecord {
                    release: ReleaseId::new(app.clone(), parsed(row, 0)?),
                    previous: parsed_option(row, 1)?,
                    stage: named(row, 2, &DeploymentStage::ALL, DeploymentStage::as_str)?,
                    status: named(row, 3, &DeploymentStatus::ALL, DeploymentStatus::as_str)?,
                    reason: row.get(4)?,
                    begun_ms: from_integer(row, 5)?,
                    baseline: row.get(6)?,
                    newest_deploy: number.zip(parsed_option(row, 8)?),
                })
            });
            row.optional()
        })
    }

    /// Marks a release as bad, or notes the actor that made it live all the same.
    ///
    /// # Errors
    /// See [`StoreError`]; one of them is that the release is gone.
    pub fn set_bad(&self, release: &ReleaseId, mark: &BadMark) -> Result<(), StoreError> {
        self.audited("record whether the release is bad", |transaction| {
            let (app, version) = (release.app.as_str(), release.version.as_str());
            let reason = &mark.reason;
            let (what, changed, detail) = match &mark.pardon {
                None => {
                    let changed = transaction.execute(
                        "INSERT OR REPLACE INTO bad_releases (app, version, reason) VALUES (?1, ?2, ?3)",
                        [app, version, reason],
                    )?;
                    (AuditAction::MarkBad, changed, reason.clone())
                }
                Some(Pardon { by, at_ms }) => {
                    let changed = transaction.execute(
                        "UPDATE bad_releases SET pardoned_by = ?3, pardoned_ms = ?4
                         WHERE app = ?1 AND version = ?2 AND pardoned_by IS NULL",
                        params![app, version, by, to_integer(*at_ms)],
                    )?;
                    (AuditAction::UnmarkBad, changed, format!("promoted again; it was marked: {reason}"))
                }
            };
            let event = Event {
                what,
                app: Some(release.app.clone()),
                version: Some(release.version.clone()),
                detail: Some(detail),
                came: AuditResult::Done,
            };
            Ok(((), (changed > 0).then_some(event)))
        })
    }

    /// Releases of an app that are or were marked as bad.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn bad(&self, app: &AppName) -> Result<Vec<(Version, BadMark)>, StoreError> {
        self.read("list the bad releases", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT version, reason, pardoned_by, pardoned_ms FROM bad_releases WHERE app = ?1",
            )?;
            let rows = statement.query_map([app.as_str()], |row| {
                let by: Option<String> = row.get(2)?;
                let at_ms = row.get::<_, Option<i64>>(3)?.map(i64::cast_unsigned);
                let pardon = by.zip(at_ms).map(|(by, at_ms)| Pardon { by, at_ms });
                Ok((parsed(row, 0)?, BadMark { reason: row.get(1)?, pardon }))
            })?;
            rows.collect()
        })
    }
}

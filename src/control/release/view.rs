//! Releases as the admin side shows them.

use super::deployment::Deployment;
use super::diagnosis::LoweredLimit;
use super::lifecycle::State;
use super::load::LoadView;
use serde::{Deserialize, Serialize};
use vitrine_bundle::Scale;
use vitrine_core::health::{HealthStatus, Reason, TargetState};
use vitrine_store::{DeploymentStage, DeploymentStatus, EnvScope, SnapshotRecord, SplitRecord};

/// Where a release stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Recorded; no worker was started yet.
    Uploaded,
    /// Its worker is being started.
    Booting,
    /// Its worker evaluates the app and renders its warm paths.
    Warming,
    /// It serves under its own name and was never live.
    Healthy,
    /// It was live, serves, and is ready to be gone back to.
    Standby,
    /// A standby whose worker gave its memory back; a request or a rollback thaws it.
    Frozen,
    /// Users get it.
    Live,
    /// A share of the users gets it instead of the live one.
    Shared,
    /// It finishes its requests, to sleep or to be gone.
    Draining,
    /// Retained without a worker; a request wakes it.
    Sleeping,
    /// Its starts failed, and none is tried for a while; a promotion tries at once.
    Failed,
}

impl From<State> for Phase {
    fn from(state: State) -> Self {
        match state {
            State::Uploaded => Self::Uploaded,
            State::Booting => Self::Booting,
            State::Warming => Self::Warming,
            State::Healthy => Self::Healthy,
            State::Live => Self::Live,
            State::Standby => Self::Standby,
            State::Frozen => Self::Frozen,
            State::Sleeping => Self::Sleeping,
            State::Failed => Self::Failed,
            State::Draining | State::Retired => Self::Draining,
        }
    }
}

impl Phase {
    /// Its name in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uploaded => "uploaded",
            Self::Booting => "booting",
            Self::Warming => "warming",
            Self::Healthy => "healthy",
            Self::Standby => "standby",
            Self::Frozen => "frozen",
            Self::Live => "live",
            Self::Shared => "shared",
            Self::Draining => "draining",
            Self::Sleeping => "sleeping",
            Self::Failed => "failed",
        }
    }
}

/// What the isolates of a release start from.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum SnapshotView {
    /// A snapshot of the app.
    Taken {
        /// Its length.
        bytes: u64,
    },
    /// The app is evaluated in each, with the code that V8 compiled before.
    Refused {
        /// Why there is no snapshot.
        reason: String,
    },
}

impl From<SnapshotRecord> for SnapshotView {
    fn from(record: SnapshotRecord) -> Self {
        match record {
            SnapshotRecord::Taken { bytes, .. } => Self::Taken { bytes },
            SnapshotRecord::Refused { reason } => Self::Refused { reason },
        }
    }
}

/// How the worker of a release does.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HealthView {
    /// `UNHEALTHY` when it answers no ping or fails `healthCheck`; `HEALTHY` when it answers and no configured check says
    /// otherwise; else `UNKNOWN`.
    pub status: HealthStatus,
    /// Whether it hangs: it answers no ping and gets no requests.
    pub hung: bool,
    /// By `targetGroup`, if that is configured.
    pub target: Option<TargetState>,
    /// Why the target is not healthy.
    pub reason: Option<Reason>,
    /// Whether it is asked for pages although it is not healthy.
    pub fail_open: bool,
}

/// A release as the admin side shows it.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReleaseView {
    /// App.
    pub app: String,
    /// Version.
    pub version: String,
    /// Bundle digest.
    pub digest: String,
    /// Configuration revision.
    pub config_revision: u64,
    /// Whose values of that it sees.
    pub env_scope: EnvScope,
    /// See [`Phase`].
    pub phase: Phase,
    /// Why its last start failed, if it did.
    pub failure: Option<String>,
    /// What failed of its warm and health paths when its worker started; it serves all the same, and the paths are asked for again.
    #[serde(default)]
    pub warm_failure: Option<String>,
    /// Percent of the users that get it.
    pub weight: u8,
    /// Its own URL; none when an app came whose name that is.
    pub url: Option<String>,
    /// The same with a pass in it, if a password is asked for there.
    pub link: Option<String>,
    /// Preview name, if it is one.
    pub preview: Option<String>,
    /// When a preview ends, in milliseconds since the Unix epoch.
    pub expires_ms: Option<u64>,
    /// When it was uploaded, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When it was last made live, in milliseconds since the Unix epoch.
    pub promoted_ms: Option<u64>,
    /// Whether it was rolled back from.
    pub rolled_back: bool,
    /// Whether a rollback that names no version goes to it.
    #[serde(default)]
    pub rollback_target: bool,
    /// Why it is marked as bad, if it is: deploys do not make it live again.
    pub bad: Option<String>,
    /// That it was marked as bad, and who made it live all the same.
    pub was_bad: Option<WasBad>,
    /// Its last deployment.
    pub deployment: Option<DeploymentView>,
    /// Requests in flight.
    pub in_flight: usize,
    /// Its instance, the oldest of several.
    pub instance: Option<String>,
    /// How it does; nothing while there is none.
    pub health: Option<HealthView>,
    /// Limits in force.
    #[schema(value_type = Object)]
    pub limits: vitrine_wire::WorkerLimits,
    /// What its isolates start from; nothing when the bundle or the host wants no snapshot, or none was taken yet.
    pub snapshot: Option<SnapshotView>,
}

/// An instance as the admin side shows it.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct InstanceView {
    /// Which.
    pub id: String,
    /// Version of its release.
    pub version: String,
    /// `ready`, `frozen`, `hung`, `lost` or `booting`.
    pub state: String,
    /// As [`HealthView::status`].
    pub health: HealthStatus,
    /// Requests and WebSockets in flight there.
    pub in_flight: usize,
    /// Name of the machine that it runs on.
    pub host: String,
}

/// A mark as bad that counts no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WasBad {
    /// Why it was marked.
    pub reason: String,
    /// Who promoted it again, by the audit log's name.
    pub promoted_by: String,
    /// When, in milliseconds since the Unix epoch.
    pub promoted_ms: u64,
}

/// A deployment as the admin side shows it.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeploymentView {
    /// What is or was deployed.
    pub version: String,
    /// What was live before.
    pub previous: Option<String>,
    /// What it is at, or was at when it ended.
    pub stage: DeploymentStage,
    /// How it goes.
    pub status: DeploymentStatus,
    /// Why.
    pub reason: Option<String>,
    /// Whether it waits for a person to promote the release again or to roll back.
    pub waits: bool,
    /// When it began, in milliseconds since the Unix epoch.
    pub begun_ms: u64,
}

impl From<&Deployment> for DeploymentView {
    fn from(deployment: &Deployment) -> Self {
        let standing = deployment.standing();
        Self {
            version: deployment.release.version.to_string(),
            previous: standing.previous.map(|version| version.to_string()),
            stage: standing.progress.stage,
            status: standing.progress.status,
            reason: standing.reason,
            waits: standing.waits,
            begun_ms: deployment.begun_ms,
        }
    }
}

/// An app as the admin side shows it.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AppView {
    /// App.
    pub app: String,
    /// Its URL.
    pub url: String,
    /// Live version.
    pub live: Option<String>,
    /// How many instances users have of each release that they get.
    pub scale: Scale,
    /// Whether an operator has set that, and not the bundle.
    pub scale_is_set: bool,
    /// The instances of all its releases.
    pub instances: Vec<InstanceView>,
    /// What is asked of it.
    pub load: LoadView,
    /// Retained releases, newest first.
    pub releases: Vec<ReleaseView>,
    /// The last deployments, newest first.
    pub deployments: Vec<DeploymentView>,
}

/// A share of an app's users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ShareView {
    /// What they get instead of the live release.
    pub version: String,
    /// Percent of the users.
    pub weight: u8,
}

impl From<SplitRecord> for ShareView {
    fn from(SplitRecord { version, weight }: SplitRecord) -> Self {
        Self { version: version.to_string(), weight }
    }
}

/// An app in a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AppSummary {
    /// App.
    pub app: String,
    /// Its URL.
    pub url: String,
    /// Live version.
    pub live: Option<String>,
    /// Whether that has a worker that serves: requests wait for one that is being started.
    pub live_ready: Option<bool>,
    /// What a share of its users gets instead.
    pub share: Option<ShareView>,
    /// Retained releases.
    pub releases: usize,
    /// Requests in flight.
    pub in_flight: usize,
    /// What is asked of it.
    pub load: LoadView,
}

/// An app that was removed and can be restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RemovedView {
    /// App.
    pub app: String,
    /// When it was removed, in milliseconds since the Unix epoch.
    pub removed_ms: u64,
    /// Until when it can be restored, in milliseconds since the Unix epoch.
    pub until_ms: u64,
    /// What was live.
    pub live: Option<String>,
    /// Its releases.
    pub releases: u64,
    /// Unpacked bytes of their bundles together.
    pub bytes: u64,
}

/// What an upload did.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Uploaded {
    /// Whether it is new (201) or was there with the same content (200).
    pub created: bool,
    /// Whether it was there, and runs with the values of previews that were changed since.
    #[serde(default)]
    pub values_renewed: bool,
    /// Number of the deploy that began with it: a promotion that names it is refused once a later deploy went live.
    pub deploy: u64,
    /// The release.
    pub release: ReleaseView,
    /// Names that its bundle lists in `env` and that have no value.
    #[serde(default)]
    pub env_unset: Vec<String>,
    /// Limits that are lower than its bundle asks for.
    #[serde(default)]
    pub limits_lowered: Vec<LoweredLimit>,
    /// What its health path answered, if that is a client's error: it counts as healthy, and the path may be mistyped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_missing: Option<HealthAnswer>,
}

/// The answer of a health path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HealthAnswer {
    /// Path.
    pub path: String,
    /// Status.
    pub status: u16,
}

/// What a switch did.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Switched {
    /// App.
    pub app: String,
    /// Version that users get now.
    pub version: String,
    /// Percent of the users that get it: 100 when it is live, less when it is beside the live one.
    pub weight: u8,
    /// Version that was live before, or is live for the other users.
    pub previous: Option<String>,
    /// How long it is compared with the release before it from now on, in milliseconds; 0 is not at all.
    #[serde(default)]
    pub bake_time_ms: u64,
    /// That release, which is made live again if this one is worse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baked_against: Option<String>,
    /// Another release that keeps a share of the users, with the values that it was started with: only values were changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<ShareView>,
    /// Epoch of the table that says so.
    pub epoch: u64,
    /// Its URL.
    pub url: String,
}

//! Deployments as the admin side tells of them.

use crate::admin::problem::ProblemBody;
use crate::release::{DeployPhase, Switched, Uploaded};
use serde::{Deserialize, Serialize};

/// A line of a deployment's progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeployProgress {
    /// Where it is.
    pub phase: DeployPhase,
    /// What is done there, for people. None with a line of the log, and where the line is only a sign of life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What the release's worker wrote to its log while it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}

/// How a deployment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeployResult {
    /// Users get the release.
    Live,
    /// The release runs and is not live: it is a preview, or was not to be promoted.
    Ready,
    /// It failed, and nothing that is live has changed. A release that it brought is removed again.
    Failed,
    /// A deployment that began later went live before it. A release that it brought is removed again.
    Superseded,
    /// Users got the release, until it was rolled back: by an operator, or by the verdict of its bake.
    RolledBack,
}

impl DeployResult {
    /// Its name in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
            Self::RolledBack => "rolled back",
        }
    }
}

/// The last line of a deployment.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeployEnd {
    /// How it ended.
    pub result: DeployResult,
    /// The deployment.
    pub id: String,
    /// The release, as `APP@VERSION`.
    pub release: String,
    /// The release's own URL; none where there is no such release any more.
    pub url: Option<String>,
    /// Why it is neither live nor ready.
    pub error: Option<ProblemBody>,
    /// What was taken in, if it came so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploaded: Option<Uploaded>,
    /// The switch, if it is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switched: Option<Switched>,
    /// What an operator is told beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
}

/// A line of the answer to a deploy: the last one is a [`DeployEnd`].
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum DeployLine {
    /// The last one.
    End(Box<DeployEnd>),
    /// Any other.
    Progress(DeployProgress),
}

/// A deployment that runs or ran.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeployView {
    /// Which: grows with each deployment.
    pub id: String,
    /// App.
    pub app: String,
    /// Version that it brings.
    pub version: String,
    /// Who began it. None for one that an earlier process of the host made live: of that no more is known.
    pub who: Option<String>,
    /// When it began, in milliseconds since the Unix epoch.
    pub begun_ms: u64,
    /// When it ended.
    pub ended_ms: Option<u64>,
    /// Where it is.
    pub phase: DeployPhase,
    /// How it ended; none while it runs.
    pub result: Option<DeployResult>,
    /// The release's own URL, while there is one.
    pub url: Option<String>,
    /// Why it is neither live nor ready.
    pub error: Option<ProblemBody>,
    /// The last lines that its worker wrote while it was started. Only for its own token, and for one that allows `logs`.
    pub log: Vec<String>,
}

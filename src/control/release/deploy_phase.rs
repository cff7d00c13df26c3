//! Where a deploy is, as whoever carries it out is told while it runs.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a deploy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeployPhase {
    /// Its archive is whole and checked.
    Accepted,
    /// Name, quota and signature are checked, and the bundle is stored.
    Storing,
    /// Its worker is started, evaluates the app and renders the warm paths.
    Booting,
    /// The hooks before traffic run.
    Hooks,
    /// It is made live.
    Switching,
    /// It failed: the release is removed again.
    Undoing,
    /// It has a result.
    Done,
}

impl DeployPhase {
    /// Its name in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Storing => "storing",
            Self::Booting => "booting",
            Self::Hooks => "hooks",
            Self::Switching => "switching",
            Self::Undoing => "undoing",
            Self::Done => "done",
        }
    }
}

/// Is told how a deploy goes. Called from within it: an observer must not block.
pub trait DeployObserver: fmt::Debug + Send + Sync {
    /// A phase begins.
    fn entered(&self, phase: DeployPhase);
    /// The release's worker wrote a line to its log while it was started.
    fn logged(&self, line: String);
}

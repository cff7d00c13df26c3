//! Making a snapshot of an app: a worker that is told [`SnapshotRequest`] instead of `Start` evaluates the app, answers with the
//! snapshot in pieces and serves nothing.

use crate::WorkerSettings;
use serde::{Deserialize, Serialize};

/// SHA-256 of a snapshot's file.
pub type Sha256Digest = [u8; 32];

/// What an app looks at while it is evaluated, and a snapshot would freeze.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModuleScopeRead {
    /// The time.
    Clock,
    /// A value of the environment that the bundle lists.
    Env,
    /// A random number.
    Randomness,
}

/// Make a snapshot of the app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotRequest {
    /// See [`WorkerSettings`].
    pub settings: WorkerSettings,
    /// Names of the environment that the bundle lists. None has a value here.
    pub env_names: Vec<String>,
    /// What the bundle declares to be harmless.
    pub harmless: Vec<ModuleScopeRead>,
}

/// A piece of a snapshot, or why the app can't have one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotPiece {
    /// Next bytes of the snapshot's file, or the reason why there is none.
    pub piece: Result<Vec<u8>, String>,
    /// Whether this is the last piece.
    pub last: bool,
}

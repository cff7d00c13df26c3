//! `vitrine.json`: what a team says about its bundle.

mod cache;
mod read;
mod snapshot;

use crate::Scale;
pub use cache::{CacheMode, CacheRoute, CacheWish};
use serde::{Deserialize, Serialize};
pub use snapshot::SnapshotWish;
use vitrine_wire::{Contract, WorkerLimits};

/// `vitrine.json`, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Manifest {
    /// Path of the server entry.
    pub entry: String,
    /// Folder of the client's files.
    pub assets: String,
    /// File below `assets` that stands in for a page that can't be rendered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
    /// Whether the host compresses what it answers.
    pub compression: bool,
    /// Whether it gives whole answers that have no validator one of their content.
    pub auto_etag: bool,
    /// What of its pages the host may keep.
    pub cache: CacheWish,
    /// How the entry is called.
    pub contract: Contract,
    /// Whether isolates start from a snapshot of the app.
    pub snapshot: SnapshotWish,
    /// Paths to render before `Ready`.
    pub warm: Vec<String>,
    /// Path of the health check.
    pub health: Health,
    /// What the app asks for.
    pub limits: WorkerLimits,
    /// How many instances it asks for.
    pub scale: Scale,
    /// Origins that the app wants to call.
    pub egress: Vec<String>,
    /// Names of environment values that the app may see.
    pub env: Vec<String>,
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            entry: "server/index.js".into(),
            assets: "client".into(),
            shell: None,
            compression: true,
            auto_etag: false,
            cache: CacheWish::default(),
            contract: Contract::Fetch,
            snapshot: SnapshotWish::default(),
            warm: vec!["/".into()],
            health: Health::default(),
            limits: WorkerLimits::default(),
            scale: Scale::default(),
            egress: Vec::new(),
            env: Vec::new(),
        }
    }
}

/// `health` of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Health {
    /// Path to render.
    pub path: String,
}

impl Default for Health {
    fn default() -> Self {
        Self { path: "/".into() }
    }
}

//! `vitrine.json`: what a team says about its bundle.

mod read;
mod snapshot;

use crate::Scale;
use serde::{Deserialize, Serialize};
pub use snapshot::SnapshotWish;
use vitrine_wire::Contract;

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
    /// How the entry is called.
    pub contract: Contract,
    /// Whether isolates start from a snapshot of the app.
    pub snapshot: SnapshotWish,
    /// Paths to render before `Ready`.
    pub warm: Vec<String>,
    /// Path of the health check.
    pub health: Health,
    /// What the app asks for.
    pub limits: LimitWishes,
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
            contract: Contract::Fetch,
            snapshot: SnapshotWish::default(),
            warm: vec!["/".into()],
            health: Health::default(),
            limits: LimitWishes::default(),
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

/// `limits` of the manifest; the names, units and defaults of the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitWishes {
    /// CPU time of a render.
    pub cpu_ms: u64,
    /// Wall time of a render.
    pub wall_ms: u64,
    /// Heap of an isolate.
    pub heap_mb: u64,
    /// Renders at once on an isolate.
    pub concurrency: u32,
    /// Waiting requests.
    pub queue: u32,
    /// Wait.
    pub queue_ms: u64,
    /// Request body.
    pub request_mb: u64,
    /// Response body.
    pub response_mb: u64,
    /// Slow clients.
    pub client_stall_ms: u64,
    /// Silent streams.
    pub stream_idle_ms: u64,
    /// Egress calls a request.
    pub subrequests: u32,
    /// Log rate.
    pub log_lines_per_s: u32,
    /// Isolates; 0 is one a core.
    pub isolates: u32,
    /// Whether each request gets an isolate of its own: `isolates` are at work at once, and one more waits.
    pub isolate_per_request: bool,
}

impl Default for LimitWishes {
    fn default() -> Self {
        Self {
            cpu_ms: 500,
            wall_ms: 5000,
            heap_mb: 128,
            concurrency: 32,
            queue: 256,
            queue_ms: 1000,
            request_mb: 10,
            response_mb: 50,
            client_stall_ms: 30_000,
            stream_idle_ms: 60_000,
            subrequests: 50,
            log_lines_per_s: 100,
            isolates: 0,
            isolate_per_request: false,
        }
    }
}

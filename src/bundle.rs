//! What a team ships: files, a manifest, a digest.

use crate::id::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use vitrine_wire::Contract;

/// `vitrine.json`, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Manifest {
    /// Path of the server entry.
    pub entry: String,
    /// Folder of the client's files.
    pub assets: String,
    /// How the entry is called.
    pub contract: Contract,
    /// Paths to render before `Ready`.
    pub warm: Vec<String>,
    /// Path of the health check.
    pub health: Health,
    /// What the app asks for.
    pub limits: LimitWishes,
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
            contract: Contract::Fetch,
            warm: vec!["/".into()],
            health: Health::default(),
            limits: LimitWishes::default(),
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
    /// Egress calls a request.
    pub subrequests: u32,
    /// Log rate.
    pub log_lines_per_s: u32,
    /// Isolates; 0 is one a core.
    pub isolates: u32,
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
            subrequests: 50,
            log_lines_per_s: 100,
            isolates: 0,
        }
    }
}

/// A content coding that a file is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Brotli.
    Br,
    /// Zstandard.
    Zstd,
    /// Gzip.
    Gzip,
}

/// One file of the client's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Digest of the plain bytes: the ETag.
    pub digest: Digest,
    /// Plain length, in bytes.
    pub bytes: u64,
    /// Media type.
    pub content_type: String,
    /// Whether it may be cached for ever (the contract's rule).
    pub immutable: bool,
    /// Precompressed variants and their lengths; only those that are smaller.
    pub encodings: BTreeMap<Encoding, u64>,
}

/// The client's files by URL path (`/assets/app-1a2b3c4d.js`).
pub type AssetIndex = BTreeMap<String, Asset>;

/// A checked bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// Identity: digest over sorted (path, digest of content).
    pub digest: Digest,
    /// See [`Manifest`].
    pub manifest: Manifest,
    /// See [`AssetIndex`].
    pub assets: AssetIndex,
    /// Files in it.
    pub files: u32,
    /// Unpacked size, in bytes.
    pub bytes: u64,
}

/// Where an unpacked bundle lies: `files/` as shipped, `encoded/` the precompressed variants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleDir(pub PathBuf);

//! The cache of what apps answer and fetch.

use serde::{Deserialize, Serialize};

/// Whether there is a cache, and what it may hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CacheRules {
    /// Whether answers that say how long they are fresh are kept.
    pub enabled: bool,
    /// Memory that all of them may take, in MiB.
    pub memory_mb: u64,
}

impl Default for CacheRules {
    fn default() -> Self {
        Self { enabled: true, memory_mb: 256 }
    }
}

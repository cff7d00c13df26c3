//! How long lines of apps are kept.

use serde::{Deserialize, Serialize};

/// Lines of apps and of their requests on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogRules {
    /// Bytes of all apps together, in MiB; 0 keeps none. An app that has less than its equal share loses nothing to another one.
    pub disk_mb: u64,
    /// Days.
    pub keep_days: u32,
}

impl Default for LogRules {
    fn default() -> Self {
        Self { disk_mb: 512, keep_days: 7 }
    }
}

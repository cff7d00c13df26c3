//! Where the keys of values are.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How values of environments are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecretsRules {
    /// File of the keys under which they are encrypted; absent is `vitrine.key` of systemd's credentials, else of the data folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
}

//! What is kept of apps' logs while this host runs.

use super::HostError;
use vitrine_core::config::Config;
use vitrine_core::telemetry::{Keeping, LogStoreGuard, Logs};
use vitrine_store::Store;

/// Keeps lines as the operator says, until the guard is dropped. A folder that can't be used is no reason not to serve.
pub(super) fn keep(config: &Config, store: &Store, logs: &Logs) -> Result<LogStoreGuard, HostError> {
    let rules = &config.logs;
    let keeping = (rules.disk_mb > 0).then(|| Keeping {
        folder: store.layout().logs(),
        bytes_max: rules.disk_mb.saturating_mul(1 << 20),
        age_max_ms: u64::from(rules.keep_days) * 24 * 3_600_000,
    });
    let kept = logs.keep(keeping).or_else(|error| {
        tracing::warn!(%error, "apps' logs are not kept on disk");
        logs.keep(None)
    });
    kept.map_err(|source| HostError::System { operation: "starting the thread of apps' logs", source })
}

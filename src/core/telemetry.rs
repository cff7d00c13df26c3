//! Logs and metrics: set-up, and names declared once.

mod bucket;
mod certificates;
pub mod connections;
mod drops;
mod error_chain;
mod families;
mod json_layer;
mod kept_line;
pub mod log_store;
mod logs;
mod metrics;
mod queue;
mod request_stats;

pub use bucket::Bucket;
pub use drops::{DropReason, LogDrops};
pub use error_chain::error_chain;
pub use kept_line::{KeptLine, LineKind};
pub use log_store::{Keeping, LogStore, LogStoreGuard, Past};
pub use logs::{AccessLine, LogGuard, Logs, init_logs};
pub use metrics::{CacheCounts, CachesCounted, FlipKind, Metrics, Replacement, series};
pub use request_stats::{Figures, Sample, Window};

use std::sync::Arc;

/// What every part of the host reports to. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// Counters, gauges and histograms.
    pub metrics: Arc<Metrics>,
    /// JSON lines on stderr.
    pub logs: Logs,
}

impl Telemetry {
    /// Metrics that count, beside everything else, which lines these logs drop.
    #[must_use]
    pub fn new(logs: Logs) -> Self {
        Self { metrics: Arc::new(Metrics::counting(logs.drops())), logs }
    }
}

//! Logs and metrics: set-up, and names declared once.

mod causes;
pub mod connections;
pub mod event;
pub mod logs;
pub mod metrics;
pub mod series;
pub mod tally;

pub use causes::causes;
pub use logs::{AccessLine, LogGuard, Logs, init_logs};
pub use metrics::{FlipKind, Metrics, Replacement};
pub use tally::{Figures, Sample, Window};

use std::sync::Arc;

/// What every part of the host reports to. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// Counters, gauges and histograms.
    pub metrics: Arc<Metrics>,
    /// JSON lines on stderr.
    pub logs: Logs,
}

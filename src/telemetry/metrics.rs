//! Prometheus metrics, declared once.

use crate::id::{AppName, ReleaseId};

/// Why the live release changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FlipKind {
    /// `promote`, or a deploy that promotes.
    Promote,
    /// `rollback`.
    Rollback,
}

/// Every metric of the host.
#[derive(Debug)]
pub struct Metrics {}

impl Metrics {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        todo!()
    }

    /// Counts a switch of the live release.
    pub fn flip(&self, _app: &AppName, _kind: FlipKind) {
        todo!()
    }

    /// Forgets every series of a release that is gone.
    pub fn forget(&self, _release: &ReleaseId) {
        todo!()
    }

    /// OpenMetrics text.
    #[must_use]
    pub fn encode(&self) -> String {
        todo!()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

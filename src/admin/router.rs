//! Paths of the admin side.

use crate::admin::Token;
use crate::release::Releases;
use std::path::PathBuf;
use std::sync::Arc;

/// Gives the metrics in Prometheus' text format.
pub type MetricsText = Arc<dyn Fn() -> String + Send + Sync>;
/// Says whether the host can serve, or why not.
pub type Readiness = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What handlers work with.
#[derive(Clone)]
pub struct AdminState {
    /// The control plane.
    pub releases: Releases,
    /// What callers have to show.
    pub token: Token,
    /// Folder where uploads are unpacked; each in a folder of its own.
    pub staging: PathBuf,
    /// See [`MetricsText`].
    pub metrics: MetricsText,
    /// See [`Readiness`].
    pub ready: Readiness,
}

/// Every path of the admin side.
pub fn router(_state: AdminState) -> axum::Router {
    todo!()
}

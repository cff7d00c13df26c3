//! The workers of one release: claim one, count what is in flight, drain.
//!
//! Claiming a worker and registering the request in flight is one step, so a drain that has begun can't miss one.

use crate::id::ReleaseId;
use crate::worker::Worker;
use std::sync::Arc;
use std::time::Duration;

/// Why there is no claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// The release is leaving: look at the route table again.
    #[error("the release is draining")]
    Draining,
    /// The release has no worker that serves now.
    #[error("the release has no worker")]
    NoWorker,
}

/// One release's workers. Shared by every route table that names the release.
#[derive(Debug)]
pub struct Pool {
    release: ReleaseId,
}

/// A worker for one request, counted as in flight until this is dropped.
#[derive(Debug)]
pub struct Claim {
    worker: Arc<Worker>,
}

impl Claim {
    /// The worker.
    #[must_use]
    pub const fn worker(&self) -> &Arc<Worker> {
        &self.worker
    }
}

impl Pool {
    /// A pool without a worker.
    #[must_use]
    pub fn new(release: ReleaseId) -> Arc<Self> {
        Arc::new(Self { release })
    }

    /// Whose.
    #[must_use]
    pub const fn release(&self) -> &ReleaseId {
        &self.release
    }

    /// Takes a worker for one request.
    ///
    /// # Errors
    /// See [`ClaimError`].
    pub fn claim(self: &Arc<Self>) -> Result<Claim, ClaimError> {
        todo!()
    }

    /// Gives the pool its worker, or takes it away. Also ends a drain.
    pub fn set_worker(&self, _worker: Option<Arc<Worker>>) {
        todo!()
    }

    /// Its worker, if it has one.
    #[must_use]
    pub fn worker(&self) -> Option<Arc<Worker>> {
        todo!()
    }

    /// Requests in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        todo!()
    }

    /// How long it has had no request, in milliseconds.
    #[must_use]
    pub fn idle_ms(&self) -> u64 {
        todo!()
    }

    /// Refuses new claims and waits until nothing is in flight or the time is over; gives what is left in flight.
    pub async fn drain(&self, _timeout: Duration) -> usize {
        todo!()
    }
}

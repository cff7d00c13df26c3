//! Signals that end an edge: a stop, or the handover to another host.

use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use vitrine_core::limits::SETTLE_GRACE_MS;

/// What connections look at to see whether they may go on. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// No request is taken any more; those under way are finished.
    pub stop: CancellationToken,
    /// Another host accepts. A connection ends after its next answer: to close one that rests could cross a request on its way.
    pub handed_over: CancellationToken,
    taking: TaskTracker,
}

impl Shutdown {
    /// One that ends with `stop`.
    #[must_use]
    pub fn on(stop: CancellationToken) -> Self {
        Self { stop, ..Self::default() }
    }

    /// Held by a connection for as long as it may take a request.
    pub fn taking(&self) -> TaskTrackerToken {
        self.taking.token()
    }

    /// Waits until no connection takes a request any more. Those that ask again soon have left by themselves by then; the others
    /// are told to end.
    pub async fn settle(&self) {
        self.taking.close();
        let grace = Duration::from_millis(SETTLE_GRACE_MS);
        if tokio::time::timeout(grace, self.taking.wait()).await.is_err() {
            self.stop.cancel();
            self.taking.wait().await;
        }
    }
}

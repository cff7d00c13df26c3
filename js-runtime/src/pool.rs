//! Isolates behind a fair bounded queue.

use crate::bundle::Bundle;
use crate::exchange::{Exchange, HostLink, PoolRequest};
use vitrine_wire::{BootFailure, Start};

/// The isolates of a release, each on a thread of its own. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pool {}

impl Pool {
    /// Boots and warms every isolate. Returns when all serve.
    ///
    /// # Errors
    /// The first thing that failed, with the app's error.
    pub async fn boot(_start: Start, _bundle: Bundle, _link: HostLink) -> Result<Self, BootFailure> {
        todo!()
    }

    /// Isolates in rotation.
    #[must_use]
    pub fn isolates(&self) -> u32 {
        todo!()
    }

    /// Queues a request. A full queue, or a wait over `queue_ms`, ends the exchange as `overloaded`; never blocks.
    pub fn submit(&self, _exchange: Exchange) {
        todo!()
    }

    /// Passes a request of the control socket on.
    pub fn request(&self, _request: PoolRequest) {
        todo!()
    }
}

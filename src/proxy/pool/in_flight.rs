//! Counts the requests and the WebSockets in flight at one instance.

use std::sync::atomic::{AtomicUsize, Ordering};

/// See the module.
#[derive(Debug, Default)]
pub struct InFlight {
    requests: AtomicUsize,
    sockets: AtomicUsize,
}

impl InFlight {
    pub(super) fn begin_request(&self) {
        self.requests.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn end_request(&self) {
        self.requests.fetch_sub(1, Ordering::SeqCst);
    }

    /// A request becomes a WebSocket. Who counts both looks at the requests first, so it is never missed.
    pub(super) fn becomes_socket(&self) {
        self.sockets.fetch_add(1, Ordering::SeqCst);
        self.end_request();
    }

    pub(super) fn end_socket(&self) {
        self.sockets.fetch_sub(1, Ordering::SeqCst);
    }

    /// Requests alone.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Requests and open WebSockets.
    #[must_use]
    pub fn all(&self) -> usize {
        self.requests() + self.sockets.load(Ordering::SeqCst)
    }
}

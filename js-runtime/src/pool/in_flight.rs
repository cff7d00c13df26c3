//! Requests inside of a pool: counted from submission to the last byte, so that a drain can wait until there are none.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use tokio::sync::Notify;

/// Counts requests and, once closed, lets none in.
#[derive(Debug, Default)]
pub struct InFlight {
    inside: AtomicU32,
    closed: AtomicBool,
    left: Notify,
}

/// A request's place inside. Dropping it leaves.
#[derive(Debug)]
pub struct Admission(Arc<InFlight>);

impl InFlight {
    /// Lets a request in, unless it is closed.
    pub fn enter(self: &Arc<Self>) -> Option<Admission> {
        // Counted before the look, so that `drained` can't miss a request that got in.
        self.inside.fetch_add(1, Ordering::SeqCst);
        let admission = Admission(Arc::clone(self));
        (!self.closed.load(Ordering::SeqCst)).then_some(admission)
    }

    /// Admits no further request and waits until none is inside.
    pub async fn drain(&self) {
        self.closed.store(true, Ordering::SeqCst);
        loop {
            let left = self.left.notified();
            tokio::pin!(left);
            left.as_mut().enable();
            if self.inside.load(Ordering::SeqCst) == 0 {
                return;
            }
            left.await;
        }
    }
}

impl Admission {
    /// Another place of the same request: it has left when both are dropped.
    #[must_use]
    pub fn second(&self) -> Self {
        self.0.inside.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(&self.0))
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if self.0.inside.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.left.notify_waiters();
        }
    }
}

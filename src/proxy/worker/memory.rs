//! Memory that bodies from workers hold in the host: so much for all workers, and a fair share of it for each.
//!
//! A window bounds one body. Here is what bounds their sum, whatever number of bodies a worker has under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use vitrine_core::limits::WORKER_BODIES_BYTES_MAX;

/// What all workers together may make the host hold.
#[derive(Debug)]
pub struct BodyMemory {
    most: usize,
    held: AtomicUsize,
}

/// What one worker makes it hold.
#[derive(Debug)]
pub struct MemoryShare {
    all: Arc<BodyMemory>,
    held: AtomicUsize,
}

impl BodyMemory {
    /// So many bytes.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, held: AtomicUsize::new(0) })
    }

    /// The share of a worker that holds nothing yet.
    #[must_use]
    pub fn share(self: &Arc<Self>) -> Arc<MemoryShare> {
        Arc::new(MemoryShare { all: Arc::clone(self), held: AtomicUsize::new(0) })
    }
}

impl MemoryShare {
    /// Whether this worker may have so many bytes more held: no more than its bound, nor than what is still free, so that there
    /// is always room for those that hold little.
    pub fn has_room(&self, bytes: usize) -> bool {
        let free = self.all.most.saturating_sub(self.all.held.load(Ordering::Relaxed));
        self.held.load(Ordering::Relaxed) + bytes <= free.min(WORKER_BODIES_BYTES_MAX)
    }

    /// So many bytes more are held.
    pub fn hold(&self, bytes: usize) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
        self.all.held.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many are not held any more.
    pub fn release(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        self.all.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_worker_may_hold_as_much_as_is_free_and_no_more_than_its_bound() {
        let all = BodyMemory::new(1_000);
        let fill =
            |share: &MemoryShare| (0..2_000).filter(|_| share.has_room(1)).inspect(|_| share.hold(1)).count();
        let (first, second, third) = (all.share(), all.share(), all.share());
        assert_eq!((fill(&first), fill(&second), fill(&third)), (500, 250, 125));
        first.release(500);
        assert!(third.has_room(300));
        let large = BodyMemory::new(usize::MAX).share();
        assert!(large.has_room(WORKER_BODIES_BYTES_MAX) && !large.has_room(WORKER_BODIES_BYTES_MAX + 1));
    }
}

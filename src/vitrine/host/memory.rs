//! Memory that a wave of requests left behind, given back to the system.
//!
//! The allocator keeps what a thread freed until that thread works again: four thousand connections leave more than a hundred megabytes.
//! A thread that is about to sleep for want of work gives back what it has, so no request waits for it.

use vitrine_core::limits::MEMORY_PAUSE_MS;
// It is linked also where it is not the program's allocator, as in tests: then it has nothing to give back.
use mimalloc as _;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

// SAFETY: mimalloc has this function, and any thread may call it at any time.
unsafe extern "C" {
    safe fn mi_collect(force: bool);
}

thread_local! {
    /// When this thread last gave memory back.
    static LAST: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Whether a thread gives memory back right now. The others stay ready for requests meanwhile.
static BUSY: AtomicBool = AtomicBool::new(false);

/// For a thread that is about to sleep.
pub(super) fn rest() {
    let is_due = LAST.get().is_none_or(|last| last.elapsed() >= Duration::from_millis(MEMORY_PAUSE_MS));
    if is_due && !BUSY.swap(true, Ordering::Acquire) {
        mi_collect(true);
        LAST.set(Some(Instant::now()));
        BUSY.store(false, Ordering::Release);
    }
}

//! Time as a value that a test can replace.

use crate::failpoint::{self, Fault};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// What the wall clock said when this process first asked, and when that was.
static BEGUN: LazyLock<(u64, Instant)> = LazyLock::new(|| (wall_ms(), Instant::now()));
/// A host that a rig breaks believes every jump.
static JUMPS: LazyLock<bool> = LazyLock::new(|| failpoint::at("clock.steady") == Some(Fault::Skip));

/// Wall time in milliseconds since the Unix epoch. Only for what people read, for retention and for the ends of previews and
/// tokens; deadlines and timeouts use the monotonic clock (`tokio::time::Instant`). The system's clock is read once: from then
/// on it goes at the pace of the monotonic one, so that a jump moves nothing before the next start.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<AtomicU64>>);

impl Clock {
    /// The system's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(None)
    }

    /// A clock that stands at `now_ms` until it is moved.
    #[must_use]
    pub fn fixed(now_ms: u64) -> Self {
        Self(Some(Arc::new(AtomicU64::new(now_ms))))
    }

    /// Moves a fixed clock. The system's clock stays as it is.
    pub fn advance(&self, by_ms: u64) {
        if let Some(now) = &self.0 {
            now.fetch_add(by_ms, Ordering::SeqCst);
        }
    }

    /// Now.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        match &self.0 {
            Some(now) => now.load(Ordering::SeqCst),
            None if *JUMPS => wall_ms(),
            None => BEGUN.0 + BEGUN.1.elapsed().as_millis() as u64,
        }
    }
}

fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

//! Time as a value that a test can replace.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Wall time in milliseconds since the Unix epoch. Only for what people read and for retention; deadlines and
/// timeouts use the monotonic clock (`tokio::time::Instant`), so a clock that jumps does not move them.
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
            None => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64),
        }
    }
}

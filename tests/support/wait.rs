//! Waiting for what must come true.

use std::time::{Duration, Instant};

/// Looks every 20 ms until `holds` gives a value; panics with what was waited for when the time is over.
pub fn wait_until<T>(what: &str, timeout: Duration, mut holds: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + timeout;
    loop {
        if let Some(value) = holds() {
            return value;
        }
        assert!(Instant::now() < end, "{what}: not within {timeout:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

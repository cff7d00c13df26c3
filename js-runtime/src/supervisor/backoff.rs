//! How long to wait before a render process is started again.

use crate::limits::{RESTART_PAUSE_MS, RESTART_PAUSE_MS_MAX, STABLE_MS};
use std::time::Duration;

/// Counts deaths that follow each other soon after the start.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    early_deaths: u32,
}

impl Backoff {
    /// The pause after a process that lived this long: none after one that served for a while or that died early for the
    /// first time, then doubling up to a bound.
    pub(super) fn after(&mut self, lived: Duration) -> Duration {
        if lived >= Duration::from_millis(STABLE_MS) {
            self.early_deaths = 0;
            return Duration::ZERO;
        }
        self.early_deaths = self.early_deaths.saturating_add(1);
        let Some(doublings) = self.early_deaths.checked_sub(2) else { return Duration::ZERO };
        let pause_ms = RESTART_PAUSE_MS.saturating_mul(1_u64.checked_shl(doublings).unwrap_or(u64::MAX));
        Duration::from_millis(pause_ms.min(RESTART_PAUSE_MS_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_restart_is_immediate_and_the_next_ones_wait_longer() {
        let mut backoff = Backoff::default();
        let early = Duration::from_millis(STABLE_MS - 1);
        let pauses_ms: Vec<u128> = (0..5).map(|_| backoff.after(early).as_millis()).collect();
        assert_eq!(pauses_ms, [0, 100, 200, 400, 800]);
        for _ in 0..200 {
            assert!(backoff.after(early) <= Duration::from_millis(RESTART_PAUSE_MS_MAX));
        }
        assert_eq!(backoff.after(early), Duration::from_millis(RESTART_PAUSE_MS_MAX));
    }

    #[test]
    fn a_process_that_served_for_a_while_is_restarted_at_once() {
        let mut backoff = Backoff::default();
        for _ in 0..5 {
            backoff.after(Duration::ZERO);
        }
        assert_eq!(backoff.after(Duration::from_millis(STABLE_MS)), Duration::ZERO);
        assert_eq!(backoff.after(Duration::ZERO), Duration::ZERO);
        assert_eq!(backoff.after(Duration::ZERO), Duration::from_millis(RESTART_PAUSE_MS));
    }
}

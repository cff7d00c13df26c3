//! How long things took, as one line.

use std::fmt;
use std::time::Duration;

/// Durations, in milliseconds, sorted.
#[derive(Debug, Clone)]
pub struct Figures(Vec<f64>);

impl Figures {
    /// Of these durations.
    pub fn of(durations: impl IntoIterator<Item = Duration>) -> Self {
        Self::of_ms(durations.into_iter().map(|duration| duration.as_secs_f64() * 1_000.0))
    }

    /// Of these milliseconds.
    pub fn of_ms(durations: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = durations.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Self(sorted)
    }

    /// The value that this share of all is not above, in milliseconds; 0 of nothing.
    pub fn at(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0.get((last as f64 * share).ceil() as usize).copied().unwrap_or_default()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p90, p99, max] = [0.5, 0.9, 0.99, 1.0].map(|share| self.at(share));
        write!(f, "p50 {p50:.1} p90 {p90:.1} p99 {p99:.1} max {max:.1} ms ({})", self.0.len())
    }
}

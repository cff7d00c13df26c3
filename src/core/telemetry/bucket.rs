//! A token bucket: so much a second, and so much at once after a pause.

use std::time::Instant;

/// See the module.
#[derive(Debug)]
pub struct Bucket {
    rate_per_s: f64,
    burst: f64,
    left: f64,
    at: Instant,
}

impl Bucket {
    /// A full one.
    #[must_use]
    pub const fn full(rate_per_s: f64, burst: f64, now: Instant) -> Self {
        Self { rate_per_s, burst, left: burst, at: now }
    }

    /// Takes `amount` if that much is there.
    pub fn take(&mut self, amount: f64, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = passed.mul_add(self.rate_per_s, self.left).min(self.burst);
        self.at = self.at.max(now);
        let has = self.left >= amount;
        if has {
            self.left -= amount;
        }
        has
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_goes_through_and_then_the_rate() {
        let begun = Instant::now();
        let mut bucket = Bucket::full(10.0, 100.0, begun);
        let taken = |bucket: &mut Bucket, after_ms| {
            (0..1_000).filter(|_| bucket.take(1.0, begun + Duration::from_millis(after_ms))).count()
        };
        assert_eq!(taken(&mut bucket, 0), 100);
        assert_eq!(taken(&mut bucket, 2_000), 20);
        assert_eq!(taken(&mut bucket, 1_000), 0, "time does not go back");
        assert_eq!(taken(&mut bucket, 60_000), 100);
        assert!(!bucket.take(1_000.0, begun + Duration::from_secs(600)), "more than it ever holds");
    }
}

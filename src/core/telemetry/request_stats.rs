//! How a release's renders go, in numbers that can be read back: metrics are for others to read.

use crate::limits::{WINDOW_MS, WINDOW_SAMPLE_MS};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use vitrine_wire::Outcome;

/// Buckets of durations. Each is a fourth longer than the one before; the last begins after twenty minutes.
const BUCKETS: usize = 64;
/// Upper end of the first bucket, in milliseconds.
const FIRST_MS: f64 = 1.0;
const GROWTH: f64 = 1.25;

/// Counters of one release since the host started.
#[derive(Debug)]
pub(super) struct RequestStats {
    errors: AtomicU64,
    took: [AtomicU64; BUCKETS],
}

/// The counters at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    errors: u64,
    took: [u64; BUCKETS],
}

/// Figures of a release in a window of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Renders that ended.
    pub requests: u64,
    /// Those among them that failed by the release's doing.
    pub errors: u64,
    /// Time below which 95 in 100 answers began, in milliseconds; nothing without requests.
    pub p95_ms: Option<f64>,
}

impl Default for RequestStats {
    fn default() -> Self {
        Self { errors: AtomicU64::new(0), took: [const { AtomicU64::new(0) }; BUCKETS] }
    }
}

impl RequestStats {
    /// Counts a render, and what it took until its answer began. One that its client gave up says nothing of the release, nor does a
    /// stream that has fallen silent.
    pub(super) fn count(&self, outcome: Outcome, code: u16, took: Duration) {
        let failed = match outcome {
            Outcome::Cancelled
            | Outcome::ClientError
            | Outcome::BadRequest
            | Outcome::Draining
            | Outcome::StreamIdle => return,
            Outcome::Ok => code >= 500,
            _ => true,
        };
        self.took[bucket(took.as_secs_f64() * 1000.0)].fetch_add(1, Ordering::Relaxed);
        self.errors.fetch_add(u64::from(failed), Ordering::Relaxed);
    }

    /// The counters now.
    pub(super) fn sample(&self) -> Sample {
        // Errors first: a render that ends in between is then counted without its failure, never the other way round.
        let errors = self.errors.load(Ordering::Relaxed);
        Sample { errors, took: std::array::from_fn(|at| self.took[at].load(Ordering::Relaxed)) }
    }
}

impl Default for Sample {
    fn default() -> Self {
        Self { errors: 0, took: [0; BUCKETS] }
    }
}

impl Sample {
    /// What came since an earlier one.
    #[must_use]
    pub fn since(&self, before: &Self) -> Figures {
        self.less(before).figures()
    }

    /// The counters without those of an earlier one.
    #[must_use]
    pub fn less(&self, before: &Self) -> Self {
        let took = std::array::from_fn(|at| self.took[at].saturating_sub(before.took[at]));
        Self { errors: self.errors.saturating_sub(before.errors), took }
    }

    /// Those of two releases together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            errors: self.errors + other.errors,
            took: std::array::from_fn(|at| self.took[at] + other.took[at]),
        }
    }

    /// What these counters say.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures { requests: self.took.iter().sum(), errors: self.errors, p95_ms: quantile(&self.took, 0.95) }
    }
}

/// Samples of the last minutes.
#[derive(Debug, Default)]
pub struct Window(VecDeque<(Instant, Sample)>);

impl Window {
    /// Begins anew with this sample: its release has just become live.
    pub fn restart(&mut self, now: Instant, sample: Sample) {
        self.0.clear();
        self.0.push_back((now, sample));
    }

    /// Takes a sample, if the last one is old enough.
    pub fn add(&mut self, now: Instant, sample: impl FnOnce() -> Sample) {
        if self.0.back().is_some_and(|(at, _)| now - *at < Duration::from_millis(WINDOW_SAMPLE_MS)) {
            return;
        }
        self.0.push_back((now, sample()));
        // One that is older than the window is its beginning.
        while self.0.get(1).is_some_and(|(at, _)| now - *at >= Duration::from_millis(WINDOW_MS)) {
            self.0.pop_front();
        }
    }

    /// The counters at the window's beginning.
    #[must_use]
    pub fn beginning(&self) -> Sample {
        self.0.front().map(|(_, sample)| sample.clone()).unwrap_or_default()
    }
}

fn bucket(took_ms: f64) -> usize {
    if took_ms <= FIRST_MS {
        return 0;
    }
    let steps = (took_ms / FIRST_MS).log(GROWTH).ceil();
    (steps as usize).min(BUCKETS - 1)
}

fn quantile(took: &[u64; BUCKETS], share: f64) -> Option<f64> {
    let all: u64 = took.iter().sum();
    let rank = all as f64 * share;
    let mut below = 0.0;
    for (at, count) in took.iter().enumerate().filter(|(_, count)| **count > 0) {
        let (lower, upper) = match at {
            0 => (0.0, FIRST_MS),
            _ => (FIRST_MS * GROWTH.powi(at as i32 - 1), FIRST_MS * GROWTH.powi(at as i32)),
        };
        let count = *count as f64;
        if below + count >= rank {
            return Some(lower + (upper - lower) * (rank - below) / count);
        }
        below += count;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_by_the_release_is_an_error_and_what_the_client_did_is_nothing() {
        let tally = RequestStats::default();
        let took = Duration::from_millis(10);
        for (outcome, code, count) in [
            (Outcome::Ok, 200, (1, 0)),
            (Outcome::Ok, 404, (2, 0)),
            (Outcome::Ok, 500, (3, 1)),
            (Outcome::AppError, 500, (4, 2)),
            (Outcome::Overloaded, 503, (5, 3)),
            (Outcome::Cancelled, 499, (5, 3)),
            (Outcome::StreamIdle, 200, (5, 3)),
        ] {
            tally.count(outcome, code, took);
            let figures = tally.sample().since(&Sample::default());
            assert_eq!((figures.requests, figures.errors), count, "{outcome:?} {code}");
        }
    }

    #[test]
    fn the_95th_in_100_is_within_a_bucket_of_the_truth() {
        for scale_us in [10_u64, 300, 40_000] {
            let tally = RequestStats::default();
            (1..=1_000).for_each(|at| tally.count(Outcome::Ok, 200, Duration::from_micros(at * scale_us)));
            let truth_ms = 950.0 * scale_us as f64 / 1000.0;
            let found_ms = tally.sample().since(&Sample::default()).p95_ms.unwrap();
            assert!((truth_ms / GROWTH..=truth_ms * GROWTH).contains(&found_ms), "{found_ms} for {truth_ms}");
        }
        assert_eq!(Sample::default().since(&Sample::default()).p95_ms, None);
        assert_eq!((bucket(0.0), bucket(1.0), bucket(1.1), bucket(1e12)), (0, 0, 1, BUCKETS - 1));
    }

    #[test]
    fn a_window_forgets_what_is_older_than_it() {
        let (tally, mut window, begun) = (RequestStats::default(), Window::default(), Instant::now());
        assert_eq!(window.beginning(), Sample::default());
        let samples = 3 * WINDOW_MS / WINDOW_SAMPLE_MS;
        for at in 0..samples {
            window.add(begun + Duration::from_millis(at * WINDOW_SAMPLE_MS), || tally.sample());
            window.add(begun + Duration::from_millis(at * WINDOW_SAMPLE_MS + 1), || panic!("too early"));
            tally.count(Outcome::Ok, 200, Duration::from_millis(5));
        }
        let requests = tally.sample().since(&window.beginning()).requests;
        assert_eq!(requests, WINDOW_MS / WINDOW_SAMPLE_MS + 1);
    }
}

//! How many instances a release needs by what is asked of it: as many as keep each below a part of the requests that it takes at once.
//!
//! The rule is Knative's: the mean of some seconds decides on more, the peak of minutes on fewer, and without enough samples there are
//! never fewer.

use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;
use vitrine_bundle::Scale;
use vitrine_core::limits::{SCALE_IN_MS, SCALE_OUT_MS};
use vitrine_wire::WorkerLimits;

/// Percent of the requests that an instance takes at once which it is to have on average: the rest is for what comes before another
/// instance serves.
const TARGET_PERCENT: u64 = 70;

/// Requests in flight of a release, looked at every so often.
#[derive(Debug, Default)]
pub(super) struct Demand {
    since: Option<Instant>,
    samples: VecDeque<(Instant, u64)>,
}

impl Demand {
    /// Notes how many requests are in flight now.
    pub(super) fn note(&mut self, now: Instant, in_flight: usize) {
        self.since.get_or_insert(now);
        self.samples.push_back((now, in_flight as u64));
        while self.samples.front().is_some_and(|(at, _)| now - *at > Duration::from_millis(SCALE_IN_MS)) {
            self.samples.pop_front();
        }
    }

    /// How many instances the release is to have, which has `size` now.
    pub(super) fn wanted(&self, now: Instant, scale: Scale, limits: &WorkerLimits, size: usize) -> usize {
        let (min, max) = (scale.min as usize, scale.max as usize);
        let size = size.clamp(min, max);
        let takes = u64::from(limits.concurrency) * u64::from(limits.isolates) * TARGET_PERCENT / 100;
        let need = |requests: u64| (requests.div_ceil(takes.max(1)) as usize).clamp(min, max);
        let recent = self.samples.iter().rev();
        let recent = recent.take_while(|(at, _)| now - *at <= Duration::from_millis(SCALE_OUT_MS));
        let (sum, count) = recent.fold((0, 0), |(sum, count), (_, requests)| (sum + requests, count + 1));
        let more = need(sum / u64::max(count, 1));
        if more > size {
            return more;
        }
        let is_known = self.since.is_some_and(|since| now - since >= Duration::from_millis(SCALE_IN_MS));
        let peak = self.samples.iter().map(|(_, requests)| *requests).max().unwrap_or_default();
        if is_known { need(peak).min(size) } else { size }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCALE: Scale = Scale { min: 1, max: 4 };

    fn limits() -> WorkerLimits {
        // 70 % of two isolates with 50 requests each.
        WorkerLimits { concurrency: 50, isolates: 2, ..vitrine_proxy::worker::fixture::settings().limits }
    }

    /// What is wanted after so many requests in flight in each of so many seconds, of a release with `size` instances.
    fn wanted(seconds: &[(u64, usize)], size: usize) -> usize {
        let (mut demand, mut now) = (Demand::default(), Instant::now());
        for (count, in_flight) in seconds {
            for _ in 0..*count {
                now += Duration::from_secs(1);
                demand.note(now, *in_flight);
            }
        }
        demand.wanted(now, SCALE, &limits(), size)
    }

    #[test]
    fn the_mean_of_some_seconds_decides_on_more() {
        assert_eq!(wanted(&[(20, 70)], 1), 1);
        assert_eq!(wanted(&[(20, 71)], 1), 2);
        assert_eq!(wanted(&[(20, 1_000)], 1), 4, "no more than the scale allows");
        assert_eq!(wanted(&[(20, 10), (1, 200)], 1), 1, "a peak of a second is no demand");
    }

    #[test]
    fn the_peak_of_minutes_decides_on_fewer() {
        assert_eq!(wanted(&[(301, 10)], 3), 1);
        assert_eq!(wanted(&[(200, 10)], 3), 3, "it is not known for long enough");
        assert_eq!(wanted(&[(150, 10), (1, 140), (150, 10)], 3), 2);
    }

    #[test]
    fn a_size_that_the_scale_does_not_allow_is_left_at_once() {
        assert_eq!(wanted(&[], 0), 1);
        assert_eq!(wanted(&[(1, 0)], 7), 4);
        let fixed = Scale { min: 3, max: 3 };
        assert_eq!(Demand::default().wanted(Instant::now(), fixed, &limits(), 1), 3);
    }
}

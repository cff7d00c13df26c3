//! What the users of an app ask of it, and what it takes: figures of the last minute.

use super::release_handle::ReleaseHandle;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use vitrine_core::limits::{LOAD_MS, OBSERVE_INTERVAL_MS};
use vitrine_core::telemetry::Sample;
use vitrine_core::telemetry::series::Series;

/// Figures of an app in the last minute, or since the host started where that is shorter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LoadView {
    /// Time that they are of, in seconds.
    pub seconds: f64,
    /// Requests a second, files among them.
    pub requests_per_s: f64,
    /// Share of the requests that failed by the app's doing or the host's, from 0 to 1; nothing without requests.
    pub error_share: Option<f64>,
    /// Time below which 95 in 100 renders began to answer, in milliseconds; nothing without renders.
    pub p95_ms: Option<f64>,
    /// Memory of its workers, in bytes; nothing while none runs, or none was looked at yet.
    pub memory_bytes: Option<u64>,
}

/// Counters of one release at the moments of the last minute.
#[derive(Debug)]
pub(super) struct Load {
    moments: Mutex<VecDeque<Moment>>,
    /// Memory of its instances at the last look; 0 is not known.
    memory_bytes: AtomicU64,
}

#[derive(Debug, Clone)]
struct Moment {
    at: Instant,
    requests: u64,
    failed: u64,
    renders: Sample,
}

impl Moment {
    fn of(series: &Series, at: Instant) -> Self {
        let (requests, failed) = series.totals();
        Self { at, requests, failed, renders: series.sample() }
    }
}

impl Default for Load {
    fn default() -> Self {
        let begun = Moment { at: Instant::now(), requests: 0, failed: 0, renders: Sample::default() };
        Self { moments: Mutex::new(VecDeque::from([begun])), memory_bytes: AtomicU64::new(0) }
    }
}

impl Load {
    /// Takes the counters as they are now, every [`OBSERVE_INTERVAL_MS`].
    pub(super) fn note(&self, series: &Series, now: Instant) {
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        moments.push_back(Moment::of(series, now));
        // One that is older than the window is its beginning.
        while moments.get(1).is_some_and(|next| now - next.at >= Duration::from_millis(LOAD_MS)) {
            moments.pop_front();
        }
    }

    /// Remembers the memory of its instances; none has none.
    pub(super) fn note_memory(&self, bytes: Option<u64>) {
        self.memory_bytes.store(bytes.unwrap_or(0), Ordering::Relaxed);
    }

    fn since_beginning(&self, series: &Series, now: Instant) -> Moment {
        let moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let current = Moment::of(series, now);
        let Some(begun) = moments.front() else { return current };
        Moment {
            at: begun.at,
            requests: current.requests.saturating_sub(begun.requests),
            failed: current.failed.saturating_sub(begun.failed),
            renders: current.renders.less(&begun.renders),
        }
    }
}

/// Figures of these releases together.
pub(super) fn of(releases: &[Arc<ReleaseHandle>]) -> LoadView {
    let now = Instant::now();
    let (mut view, mut requests, mut failed) = (LoadView::default(), 0, 0);
    let mut renders = Sample::default();
    for handle in releases {
        let since = handle.load.since_beginning(handle.pool.series(), now);
        let seconds = (now - since.at).as_secs_f64();
        view.seconds = view.seconds.max(seconds);
        view.requests_per_s += since.requests as f64 / seconds.max(1.0);
        requests += since.requests;
        failed += since.failed;
        renders = renders.plus(&since.renders);
        let memory = Some(handle.load.memory_bytes.load(Ordering::Relaxed)).filter(|bytes| *bytes > 0);
        if let Some(bytes) = memory.filter(|_| handle.pool.has_instance()) {
            view.memory_bytes = Some(view.memory_bytes.unwrap_or(0) + bytes);
        }
    }
    view.error_share = (requests > 0).then(|| failed as f64 / requests as f64);
    view.p95_ms = renders.figures().p95_ms;
    view
}

const _: () = assert!(OBSERVE_INTERVAL_MS < LOAD_MS);

#[cfg(test)]
mod tests {
    use super::*;
    use vitrine_core::telemetry::Metrics;
    use vitrine_wire::Outcome;

    #[test]
    fn figures_are_of_the_last_minute_alone() {
        let (metrics, begun) = (Metrics::new(), Instant::now());
        let series = Series::of(&"shop@v1".parse().unwrap());
        let load = Load::default();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let ask = |outcome, code, count: u64| {
            for _ in 0..count {
                metrics.request(&series, outcome, code, 0.01, Some((0.001, 0.0, Duration::from_millis(10))));
            }
        };
        ask(Outcome::Ok, 200, 1_000);
        for seconds in (10..=100).step_by(10) {
            load.note(&series, at(seconds));
        }
        ask(Outcome::Ok, 200, 6);
        ask(Outcome::Ok, 500, 1);
        ask(Outcome::CpuLimit, 503, 1);
        ask(Outcome::ClientError, 404, 1);
        let since = load.since_beginning(&series, at(100));
        assert_eq!((since.requests, since.failed, since.at), (9, 2, at(40)));
        assert_eq!(since.renders.figures().requests, 8);
        assert!(load.moments.lock().unwrap().len() <= 8);
    }
}

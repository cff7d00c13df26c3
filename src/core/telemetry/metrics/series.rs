//! The series of one release. Its pool keeps them: a request needs no look-up and no lock to be counted, and what still counts when the
//! release is gone counts into nothing.

use super::labels::DIRECTIONS;
use super::{Metrics, Restarts};
use crate::id::ReleaseId;
use crate::telemetry::request_stats::{RequestStats, Sample};
use arc_swap::ArcSwap;
use http::StatusCode;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntGauge};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use vitrine_wire::Outcome;

/// Status in logs and metrics of a request whose client went away before there was an answer.
pub const CLIENT_WENT_AWAY: u16 = 499;

/// Counts of a release's requests that are exported as 0 from the moment that users get it: a rate or an alert misses the first event of
/// a counter that appears with it. Statuses that only an app or a client causes are left out.
pub const COUNTED_FROM_START: [(Outcome, u16); 12] = [
    (Outcome::Ok, 200),
    (Outcome::Ok, 500),
    (Outcome::AppError, 500),
    (Outcome::CpuLimit, 503),
    (Outcome::WallLimit, 504),
    (Outcome::HeapLimit, 503),
    (Outcome::Crashed, 502),
    (Outcome::Overloaded, 503),
    (Outcome::Draining, 503),
    (Outcome::NoRelease, 503),
    (Outcome::UpstreamGone, 502),
    (Outcome::StreamIdle, 200),
];

/// Series of one release, or of the requests that reached none. Those of a release that users get are exported from the start, others
/// with their first sample.
#[derive(Debug)]
pub struct Series {
    app: String,
    release: String,
    counts: ArcSwap<HashMap<(Outcome, u16), IntCounter>>,
    in_flight: OnceLock<IntGauge>,
    duration: OnceLock<Histogram>,
    render_cpu: OnceLock<Histogram>,
    sockets: OnceLock<IntGauge>,
    /// Messages of sockets: from clients, and to them.
    messages: [OnceLock<IntCounter>; 2],
    /// Whether its release is gone. Held while a series is made, so that none is made after that.
    gone: Mutex<bool>,
    /// Whether there are figures of a worker.
    pub(super) has_worker: AtomicBool,
    /// Restarts of its isolates as its worker last told them.
    pub(super) restarts: Mutex<Restarts>,
    pub(super) tally: RequestStats,
}

/// One request in flight; ends when dropped.
#[derive(Debug)]
pub struct InFlight(Arc<Series>);

impl InFlight {
    /// Whose.
    #[must_use]
    pub fn series(&self) -> &Series {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.get().map(IntGauge::dec);
    }
}

/// One open WebSocket; ends when dropped.
#[derive(Debug)]
pub struct OpenSocket(Arc<Series>);

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.0.sockets.get().map(IntGauge::dec);
    }
}

/// A status as a label: the number if it is registered or the host's own, else the first of its class, as which clients treat it
/// (RFC 9110, 15). An app can't make a series of each number.
fn label_of(code: u16) -> u16 {
    let known = StatusCode::from_u16(code).is_ok_and(|status| status.canonical_reason().is_some());
    if known || code == CLIENT_WENT_AWAY { code } else { code / 100 * 100 }
}

impl Series {
    /// Those of a release.
    #[must_use]
    pub fn of(release: &ReleaseId) -> Self {
        Self::with(release.app.to_string(), release.version.to_string())
    }

    pub(super) fn nowhere() -> Self {
        Self::with(String::new(), String::new())
    }

    fn with(app: String, release: String) -> Self {
        Self {
            app,
            release,
            counts: ArcSwap::default(),
            in_flight: OnceLock::new(),
            duration: OnceLock::new(),
            render_cpu: OnceLock::new(),
            sockets: OnceLock::new(),
            messages: Default::default(),
            gone: Mutex::new(false),
            has_worker: AtomicBool::new(false),
            restarts: Mutex::default(),
            tally: RequestStats::default(),
        }
    }

    pub(super) fn labels(&self) -> [&str; 2] {
        [&self.app, &self.release]
    }

    pub(super) fn labels_and<'a>(&'a self, third: &'a str) -> [&'a str; 3] {
        [&self.app, &self.release, third]
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether its release is gone.
    pub(super) fn is_gone(&self) -> bool {
        *self.lock()
    }

    /// How the renders of the release went since the host started.
    #[must_use]
    pub fn sample(&self) -> Sample {
        self.tally.sample()
    }

    /// Requests that were answered since the host started, and those among them that the release or the host failed.
    #[must_use]
    pub fn totals(&self) -> (u64, u64) {
        let counts = self.counts.load();
        let failed = |outcome: Outcome, code: u16| {
            code >= 500
                || matches!(
                    outcome,
                    Outcome::AppError
                        | Outcome::CpuLimit
                        | Outcome::WallLimit
                        | Outcome::HeapLimit
                        | Outcome::Crashed
                        | Outcome::UpstreamGone
                )
        };
        counts.iter().fold((0, 0), |(all, bad), ((outcome, code), counter)| {
            let count = counter.get();
            (all + count, bad + if failed(*outcome, *code) { count } else { 0 })
        })
    }

    /// Counts a request as in flight.
    #[must_use]
    pub fn enter(self: &Arc<Self>, metrics: &Metrics) -> InFlight {
        self.in_flight(metrics).inc();
        InFlight(Arc::clone(self))
    }

    fn in_flight(&self, metrics: &Metrics) -> &IntGauge {
        let make = || metrics.in_flight.with_label_values(&self.labels());
        self.made(&self.in_flight, make, unread_gauge)
    }

    /// Counts a WebSocket as open.
    #[must_use]
    pub fn open_socket(self: &Arc<Self>, metrics: &Metrics) -> OpenSocket {
        let make = || metrics.sockets.with_label_values(&self.labels());
        self.made(&self.sockets, make, unread_gauge).inc();
        OpenSocket(Arc::clone(self))
    }

    /// Counts the messages of a WebSocket: from its client, and to it.
    pub fn count_messages(&self, metrics: &Metrics, received: u64, sent: u64) {
        for ((slot, count), direction) in self.messages.iter().zip([received, sent]).zip(DIRECTIONS) {
            let make = || metrics.messages.with_label_values(&self.labels_and(direction));
            self.made(slot, make, unread_counter).inc_by(count);
        }
    }

    /// Exports the series of a release that users get, before its first request.
    pub(super) fn begin(&self, metrics: &Metrics) {
        self.make_counts(metrics, &COUNTED_FROM_START);
        self.in_flight(metrics);
        self.duration(metrics);
        self.render_cpu(metrics);
    }

    pub(super) fn count(&self, metrics: &Metrics, outcome: Outcome, code: u16) {
        let code = label_of(code);
        if let Some(counter) = self.counts.load().get(&(outcome, code)) {
            counter.inc();
            return;
        }
        self.make_counts(metrics, &[(outcome, code)]);
        if let Some(counter) = self.counts.load().get(&(outcome, code)) {
            counter.inc();
        }
    }

    /// Makes those of these counts that are missing, unless the release is gone.
    fn make_counts(&self, metrics: &Metrics, wanted: &[(Outcome, u16)]) {
        if wanted.iter().all(|one| self.counts.load().contains_key(one)) {
            return;
        }
        let gone = self.lock();
        if *gone {
            return;
        }
        // The lock is held: no other thread replaces the map meanwhile.
        let mut counts = HashMap::clone(&self.counts.load());
        for &(outcome, code) in wanted {
            counts.entry((outcome, code)).or_insert_with(|| {
                let code = code.to_string();
                metrics.requests.with_label_values(&[&self.app, &self.release, outcome.as_str(), &code])
            });
        }
        self.counts.store(Arc::new(counts));
    }

    /// Removes every series of requests, and makes none any more.
    pub(super) fn forget(&self, metrics: &Metrics) {
        let mut gone = self.lock();
        if std::mem::replace(&mut *gone, true) {
            // What has its name by now is another's.
            return;
        }
        // What was never counted is not there.
        for (outcome, code) in self.counts.load().keys() {
            let code = code.to_string();
            let labels = [&self.app, &self.release, outcome.as_str(), &code];
            let _ = metrics.requests.remove_label_values(&labels);
        }
        let labels = self.labels();
        let _ = metrics.in_flight.remove_label_values(&labels);
        let _ = metrics.sockets.remove_label_values(&labels);
        let _ = metrics.duration.remove_label_values(&labels);
        let _ = metrics.render_cpu.remove_label_values(&labels);
        for direction in DIRECTIONS {
            let _ = metrics.messages.remove_label_values(&self.labels_and(direction));
        }
    }

    pub(super) fn duration(&self, metrics: &Metrics) -> &Histogram {
        let make = || metrics.duration.with_label_values(&self.labels());
        self.made(&self.duration, make, unread_histogram)
    }

    pub(super) fn render_cpu(&self, metrics: &Metrics) -> &Histogram {
        let make = || metrics.render_cpu.with_label_values(&self.labels());
        self.made(&self.render_cpu, make, unread_histogram)
    }

    /// The metric of a slot. If the release is gone before its first sample, the metric is in no registry.
    fn made<'a, M>(&self, slot: &'a OnceLock<M>, make: impl FnOnce() -> M, unread: fn() -> M) -> &'a M {
        slot.get_or_init(|| {
            let gone = self.lock();
            if *gone { unread() } else { make() }
        })
    }

    /// Whether there were figures of a worker until now.
    pub(super) fn loses_worker(&self) -> bool {
        self.has_worker.swap(false, Ordering::Relaxed)
    }
}

// Metrics in no registry, for what still counts for a release that is gone.

fn unread_counter() -> IntCounter {
    IntCounter::new("unread", "unread").expect("its name is valid")
}

fn unread_gauge() -> IntGauge {
    IntGauge::new("unread", "unread").expect("its name is valid")
}

fn unread_histogram() -> Histogram {
    Histogram::with_opts(HistogramOpts::new("unread", "unread")).expect("its name is valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_that_nobody_registered_share_a_label() {
        for (code, label) in [(200, 200), (418, 418), (499, 499), (299, 200), (477, 400), (599, 500)] {
            assert_eq!(label_of(code), label);
        }
        let labels: std::collections::BTreeSet<u16> = (200..=599).map(label_of).collect();
        assert!(labels.len() < 80, "{}", labels.len());
    }
}

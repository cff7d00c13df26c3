//! The series of one release. Its pool keeps them: a request needs no look-up and no lock to be counted, and what still counts when the
//! release is gone counts into nothing.

use super::Metrics;
use super::metrics::{DIRECTIONS, MessageLabels, OutcomeLabel, RequestLabels, Restarts};
use super::request_stats::{RequestStats, Sample};
use crate::id::ReleaseId;
use arc_swap::ArcSwap;
use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use vitrine_wire::Outcome;

/// Status in logs and metrics of a request whose client went away before there was an answer.
pub const CLIENT_WENT_AWAY: u16 = 499;

/// Labels of everything that is told by release.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ReleaseLabels {
    pub app: Arc<str>,
    pub release: Arc<str>,
}

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
    pub(super) labels: ReleaseLabels,
    counts: ArcSwap<HashMap<(Outcome, u16), Counter>>,
    in_flight: OnceLock<Gauge>,
    duration: OnceLock<Histogram>,
    render_cpu: OnceLock<Histogram>,
    sockets: OnceLock<Gauge>,
    /// Messages of sockets: from clients, and to them.
    messages: [OnceLock<Counter>; 2],
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
        self.0.in_flight.get().map(Gauge::dec);
    }
}

/// One open WebSocket; ends when dropped.
#[derive(Debug)]
pub struct OpenSocket(Arc<Series>);

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.0.sockets.get().map(Gauge::dec);
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
        Self::with(ReleaseLabels {
            app: release.app.as_str().into(),
            release: release.version.as_str().into(),
        })
    }

    pub(super) fn nowhere() -> Self {
        Self::with(ReleaseLabels { app: "".into(), release: "".into() })
    }

    fn with(labels: ReleaseLabels) -> Self {
        Self {
            labels,
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

    fn in_flight(&self, metrics: &Metrics) -> &Gauge {
        let make = || metrics.in_flight.get_or_create_owned(&self.labels);
        self.made(&self.in_flight, make, Gauge::default)
    }

    /// Counts a WebSocket as open.
    #[must_use]
    pub fn open_socket(self: &Arc<Self>, metrics: &Metrics) -> OpenSocket {
        let make = || metrics.sockets.get_or_create_owned(&self.labels);
        self.made(&self.sockets, make, Gauge::default).inc();
        OpenSocket(Arc::clone(self))
    }

    /// Counts the messages of a WebSocket: from its client, and to it.
    pub fn count_messages(&self, metrics: &Metrics, received: u64, sent: u64) {
        for ((slot, count), direction) in self.messages.iter().zip([received, sent]).zip(DIRECTIONS) {
            let labels = self.message_labels(direction);
            let make = || metrics.messages.get_or_create_owned(&labels);
            self.made(slot, make, Counter::default).inc_by(count);
        }
    }

    fn message_labels(&self, direction: &'static str) -> MessageLabels {
        MessageLabels {
            app: Arc::clone(&self.labels.app),
            release: Arc::clone(&self.labels.release),
            direction,
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
            let labels = self.request_labels(outcome, code);
            counts.entry((outcome, code)).or_insert_with(|| metrics.requests.get_or_create_owned(&labels));
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
        for (outcome, code) in self.counts.load().keys() {
            metrics.requests.remove(&self.request_labels(*outcome, *code));
        }
        metrics.in_flight.remove(&self.labels);
        metrics.duration.remove(&self.labels);
        metrics.render_cpu.remove(&self.labels);
        metrics.sockets.remove(&self.labels);
        for direction in DIRECTIONS {
            metrics.messages.remove(&self.message_labels(direction));
        }
    }

    pub(super) fn duration(&self, metrics: &Metrics) -> &Histogram {
        let make = || metrics.duration.get_or_create_owned(&self.labels);
        self.made(&self.duration, make, Metrics::duration_histogram)
    }

    pub(super) fn render_cpu(&self, metrics: &Metrics) -> &Histogram {
        let make = || metrics.render_cpu.get_or_create_owned(&self.labels);
        self.made(&self.render_cpu, make, Metrics::fine_histogram)
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

    fn request_labels(&self, outcome: Outcome, code: u16) -> RequestLabels {
        RequestLabels {
            app: Arc::clone(&self.labels.app),
            release: Arc::clone(&self.labels.release),
            outcome: OutcomeLabel(outcome),
            code,
        }
    }
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

//! Prometheus metrics, declared once. A family without a sample is not in the text.

use super::connections::{ConnectionFamilies, ConnectionSeries, Side};
use super::drops::LogDrops;
use super::series::{ReleaseLabels, Series};
use super::tally::Sample;
use crate::id::{AppName, ReleaseId};
use arc_swap::ArcSwap;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use vitrine_wire::{EgressFailure, IsolateState, IsolateStatus, Outcome, RestartReason};

/// OpenTelemetry's buckets for the duration of HTTP requests, in seconds.
const DURATION_BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// For times that are mostly far below a request's: CPU of a render, wait in a queue. In seconds.
const FINE_BUCKETS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// Why the live release changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlipKind {
    /// `promote`, or a deploy that promotes.
    Promote,
    /// `rollback`.
    Rollback,
}

/// Why a worker is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacement {
    /// Its container or process ended, or did not come back.
    Gone,
    /// It answered no ping.
    Hung,
    /// It failed the checks that the operator configured.
    Unhealthy,
}

/// Labels of one count of requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RequestLabels {
    pub app: Arc<str>,
    pub release: Arc<str>,
    pub outcome: OutcomeLabel,
    pub code: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct OutcomeLabel(pub Outcome);

impl EncodeLabelValue for OutcomeLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), std::fmt::Error> {
        encoder.write_str(self.0.as_str())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    app: Arc<str>,
    release: Arc<str>,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FlipLabels {
    app: String,
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReplacementLabels {
    app: String,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RestartLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EgressLabels {
    app: String,
    host: String,
    outcome: &'static str,
}

/// Restarts of a release's isolates as its worker last told them, by reason.
type Restarts = HashMap<RestartReason, u64>;

type Histograms = Family<ReleaseLabels, Histogram, fn() -> Histogram>;

/// Every metric of the host.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub(super) requests: Family<RequestLabels, Counter>,
    pub(super) duration: Histograms,
    pub(super) render_cpu: Histograms,
    pub(super) in_flight: Family<ReleaseLabels, Gauge>,
    queue: Histogram,
    flips: Family<FlipLabels, Counter>,
    workers: Family<StateLabels, Gauge>,
    replacements: Family<ReplacementLabels, Counter>,
    fail_open: Family<ReleaseLabels, Gauge>,
    worker_memory: Family<ReleaseLabels, Gauge>,
    isolates: Family<StateLabels, Gauge>,
    isolate_heap: Family<ReleaseLabels, Gauge>,
    isolate_restarts: Family<RestartLabels, Counter>,
    restarts_told: Mutex<HashMap<ReleaseId, Restarts>>,
    egress: Family<EgressLabels, Counter>,
    connections: ConnectionFamilies,
    wakes_refused: Counter,
    series: ArcSwap<HashMap<ReleaseId, Arc<Series>>>,
    unrouted: Arc<Series>,
}

/// Names of a worker's states in `vitrine_workers`.
const WORKER_STATES: [&str; 6] = ["booting", "ready", "draining", "hung", "lost", "failed"];

impl Metrics {
    /// An empty set, without logs beside it.
    #[must_use]
    pub fn new() -> Self {
        Self::counting(&LogDrops::default())
    }

    /// An empty set, and the lines that are counted here as dropped.
    #[must_use]
    pub fn counting(log_drops: &LogDrops) -> Self {
        let requests = Family::default();
        let duration: Histograms = Family::new_with_constructor(|| Histogram::new(DURATION_BUCKETS));
        let render_cpu: Histograms = Family::new_with_constructor(|| Histogram::new(FINE_BUCKETS));
        let in_flight = Family::default();
        let unrouted = Arc::new(Series::nowhere());
        let mut metrics = Self {
            registry: Registry::with_prefix("vitrine"),
            requests,
            duration,
            render_cpu,
            in_flight,
            queue: Histogram::new(FINE_BUCKETS),
            flips: Family::default(),
            workers: Family::default(),
            replacements: Family::default(),
            fail_open: Family::default(),
            worker_memory: Family::default(),
            isolates: Family::default(),
            isolate_heap: Family::default(),
            isolate_restarts: Family::default(),
            restarts_told: Mutex::default(),
            egress: Family::default(),
            connections: ConnectionFamilies::default(),
            wakes_refused: Counter::default(),
            series: ArcSwap::default(),
            unrouted,
        };
        metrics.register();
        let dropped = log_drops.family();
        metrics.registry.register("log_lines_dropped", "Log lines dropped, by reason", dropped);
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("http_requests", "Requests answered", self.requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "From the request's head to the last byte of its answer",
            self.duration.clone(),
        );
        registry.register("render_cpu_seconds", "CPU time of renders", self.render_cpu.clone());
        registry.register("queue_seconds", "Wait for an isolate", self.queue.clone());
        registry.register("in_flight", "Requests being answered", self.in_flight.clone());
        registry.register("flips", "Changes of the live release", self.flips.clone());
        registry.register("workers", "Workers by state", self.workers.clone());
        let replacements = self.replacements.clone();
        registry.register("worker_replacements", "Workers replaced by reason", replacements);
        let fail_open = self.fail_open.clone();
        registry.register(
            "fail_open",
            "Whether a release is served although no worker is healthy",
            fail_open,
        );
        registry.register("worker_memory_bytes", "Memory of workers", self.worker_memory.clone());
        registry.register("isolates", "Isolates by state", self.isolates.clone());
        registry.register("isolate_heap_bytes", "Used heap of isolates", self.isolate_heap.clone());
        let restarts = self.isolate_restarts.clone();
        registry.register("isolate_restarts", "Isolates condemned and replaced", restarts);
        registry.register("egress_requests", "Calls of apps to the outside", self.egress.clone());
        let refused = self.wakes_refused.clone();
        registry.register(
            "wakes_refused",
            "Starts of sleeping releases refused to clients above their quota",
            refused,
        );
        self.connections.register(registry);
    }

    /// The counts of one side's connections.
    #[must_use]
    pub fn connections(&self, side: Side) -> ConnectionSeries {
        self.connections.of(side)
    }

    /// The series of one release, for a request that ends in it; `None` is a request that reached no app.
    #[must_use]
    pub fn series(&self, release: Option<&ReleaseId>) -> Arc<Series> {
        let Some(release) = release else { return Arc::clone(&self.unrouted) };
        if let Some(series) = self.series.load().get(release) {
            return Arc::clone(series);
        }
        let series = Arc::new(Series::of(self, release));
        self.series.rcu(|known| {
            let mut known = HashMap::clone(known);
            known.entry(release.clone()).or_insert_with(|| Arc::clone(&series));
            known
        });
        series
    }

    /// Counts one answered request. Durations in seconds; CPU time, wait in the queue and the time until the answer began are absent
    /// when nothing was rendered.
    pub fn request(
        &self,
        series: &Series,
        outcome: Outcome,
        code: u16,
        duration_s: f64,
        render: Option<(f64, f64, Duration)>,
    ) {
        series.count(&self.requests, outcome, code);
        series.duration(self).observe(duration_s);
        if let Some((cpu_s, queue_s, begun)) = render {
            series.render_cpu(self).observe(cpu_s);
            self.queue.observe(queue_s);
            series.tally.count(outcome, code, begun);
        }
    }

    /// How the renders of a release went since the host started.
    #[must_use]
    pub fn sample(&self, release: &ReleaseId) -> Sample {
        self.series(Some(release)).tally.sample()
    }

    /// Counts a switch of the live release.
    pub fn flip(&self, app: &AppName, kind: FlipKind) {
        let kind = match kind {
            FlipKind::Promote => "promote",
            FlipKind::Rollback => "rollback",
        };
        self.flips.get_or_create(&FlipLabels { app: app.to_string(), kind }).inc();
    }

    /// Counts a start of a sleeping release that a client was refused.
    pub fn wake_refused(&self) {
        self.wakes_refused.inc();
    }

    /// Counts a worker that is replaced.
    pub fn replacement(&self, app: &AppName, reason: Replacement) {
        let reason = match reason {
            Replacement::Gone => "gone",
            Replacement::Hung => "hung",
            Replacement::Unhealthy => "unhealthy",
        };
        self.replacements.get_or_create(&ReplacementLabels { app: app.to_string(), reason }).inc();
    }

    /// Says whether a release is asked for pages although none of its workers is healthy.
    pub fn fail_open(&self, release: &ReleaseId, open: bool) {
        self.fail_open.get_or_create(&ReleaseLabels::of(release)).set(i64::from(open));
    }

    /// Says in which state (`booting`, `ready`, `draining`, `hung`, `lost`, `failed`) a release's worker is; `None` is no
    /// worker. Memory in bytes, when the engine knows it.
    pub fn worker(&self, release: &ReleaseId, state: Option<&str>, memory_bytes: Option<u64>) {
        let labels = ReleaseLabels::of(release);
        for name in WORKER_STATES {
            let value = i64::from(state == Some(name));
            self.workers.get_or_create(&labels.state(name)).set(value);
        }
        if let Some(bytes) = memory_bytes {
            self.worker_memory.get_or_create(&labels).set(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
    }

    /// Takes the figures of a release's isolates over.
    pub fn isolates(&self, release: &ReleaseId, isolates: &[IsolateStatus]) {
        let labels = ReleaseLabels::of(release);
        for (state, name) in [
            (IsolateState::Booting, "booting"),
            (IsolateState::Serving, "serving"),
            (IsolateState::Condemned, "condemned"),
        ] {
            let count = isolates.iter().filter(|isolate| isolate.state == state).count();
            self.isolates.get_or_create(&labels.state(name)).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        // A worker may say what it likes.
        let heap = isolates.iter().fold(0_u64, |sum, isolate| sum.saturating_add(isolate.heap_bytes));
        self.isolate_heap.get_or_create(&labels).set(i64::try_from(heap).unwrap_or(i64::MAX));
        self.restarts(release, isolates);
    }

    /// Counts the restarts since the last look. A worker whose render process was started again begins anew.
    fn restarts(&self, release: &ReleaseId, isolates: &[IsolateStatus]) {
        let mut told = self.restarts_told.lock().unwrap_or_else(PoisonError::into_inner);
        let before = told.remove(release).unwrap_or_default();
        let mut now = Restarts::new();
        for (reason, count) in isolates.iter().flat_map(|isolate| &isolate.restarts) {
            *now.entry(*reason).or_default() += u64::from(*count);
        }
        for (reason, count) in &now {
            let known = before.get(reason).copied().filter(|known| known <= count).unwrap_or_default();
            self.isolate_restarts
                .get_or_create(&RestartLabels { reason: reason.as_str() })
                .inc_by(count - known);
        }
        told.insert(release.clone(), now);
    }

    /// Counts a call of an app to a host outside, by how it ended.
    pub fn egress(&self, app: &AppName, host: &str, result: Result<(), &EgressFailure>) {
        let outcome = match result {
            Ok(()) => "ok",
            Err(EgressFailure::Denied(_)) => "denied",
            Err(EgressFailure::Unreachable(_)) => "unreachable",
            Err(EgressFailure::TimedOut(_)) => "timed_out",
            Err(EgressFailure::Limit(_)) => "limit",
        };
        let labels = EgressLabels { app: app.to_string(), host: host.to_owned(), outcome };
        self.egress.get_or_create(&labels).inc();
    }

    /// Forgets every series of a release that is gone.
    pub fn forget(&self, release: &ReleaseId) {
        let labels = ReleaseLabels::of(release);
        if let Some(series) = self.series.load().get(release) {
            series.forget(&self.requests);
        }
        self.series.rcu(|known| {
            let mut known = HashMap::clone(known);
            known.remove(release);
            known
        });
        self.restarts_told.lock().unwrap_or_else(PoisonError::into_inner).remove(release);
        self.duration.remove(&labels);
        self.render_cpu.remove(&labels);
        self.in_flight.remove(&labels);
        self.worker_memory.remove(&labels);
        self.fail_open.remove(&labels);
        self.isolate_heap.remove(&labels);
        for name in WORKER_STATES {
            self.workers.remove(&labels.state(name));
        }
        for name in ["booting", "serving", "condemned"] {
            self.isolates.remove(&labels.state(name));
        }
    }

    /// OpenMetrics text.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::with_capacity(16 << 10);
        prometheus_client::encoding::text::encode(&mut text, &self.registry)
            .expect("writing into a String does not fail");
        text
    }

    /// Media type of [`Metrics::encode`].
    pub const CONTENT_TYPE: &'static str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

impl ReleaseLabels {
    fn state(&self, state: &'static str) -> StateLabels {
        StateLabels { app: Arc::clone(&self.app), release: Arc::clone(&self.release), state }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;

//! Prometheus metrics, declared once. A family without a sample is not in the text, so counters are made before their first event, as 0:
//! `rate` and `increase` see nothing of an event that a counter appears with.

mod labels;

pub(super) use labels::{DIRECTIONS, MessageLabels, OutcomeLabel, RequestLabels};

use super::certificates::CertificateSeries;
use super::connections::{ConnectionFamilies, ConnectionSeries, Side};
use super::drops::LogDrops;
use super::series::{ReleaseLabels, Series};
use crate::id::AppName;
use crate::limits::EGRESS_HOSTS_MAX;
use labels::{
    AppLabels, EGRESS_OUTCOMES, EgressLabels, FLIP_KINDS, FlipLabels, ISOLATE_STATES, REPLACEMENTS,
    ReplacementLabels, RestartLabels, StateLabels, WORKER_STATES,
};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use vitrine_wire::{EgressFailure, IsolateStatus, Outcome, RestartReason};

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

/// Restarts of a release's isolates as its worker last told them, by reason.
pub(super) type Restarts = HashMap<RestartReason, u64>;

type Histograms = Family<ReleaseLabels, Histogram, fn() -> Histogram>;

/// Every metric of the host.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub(super) requests: Family<RequestLabels, Counter>,
    pub(super) duration: Histograms,
    pub(super) render_cpu: Histograms,
    pub(super) in_flight: Family<ReleaseLabels, Gauge>,
    pub(super) sockets: Family<ReleaseLabels, Gauge>,
    pub(super) messages: Family<MessageLabels, Counter>,
    queue: Histogram,
    flips: Family<FlipLabels, Counter>,
    workers: Family<StateLabels, Gauge>,
    replacements: Family<ReplacementLabels, Counter>,
    fail_open: Family<ReleaseLabels, Gauge>,
    worker_memory: Family<ReleaseLabels, Gauge>,
    isolates: Family<StateLabels, Gauge>,
    isolate_heap: Family<ReleaseLabels, Gauge>,
    isolate_restarts: Family<RestartLabels, Counter>,
    egress: Family<EgressLabels, Counter>,
    connections: ConnectionFamilies,
    /// See [`CertificateSeries`].
    pub certificates: CertificateSeries,
    wakes_refused: Counter,
    schedulable_workers: Gauge,
    warm_failures: Family<AppLabels, Counter>,
    log_drops: LogDrops,
    /// The apps that there are, with the hosts that each has series of: what is counted for another leaves nothing behind.
    apps: Mutex<HashMap<AppName, BTreeSet<String>>>,
    unrouted: Series,
}

/// Stands for the hosts beyond [`EGRESS_HOSTS_MAX`].
const OTHER_HOSTS: &str = "other";

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
        let duration: Histograms = Family::new_with_constructor(Self::duration_histogram);
        let render_cpu: Histograms = Family::new_with_constructor(Self::fine_histogram);
        let in_flight = Family::default();
        let mut metrics = Self {
            registry: Registry::with_prefix("vitrine"),
            requests,
            duration,
            render_cpu,
            in_flight,
            sockets: Family::default(),
            messages: Family::default(),
            queue: Self::fine_histogram(),
            flips: Family::default(),
            workers: Family::default(),
            replacements: Family::default(),
            fail_open: Family::default(),
            worker_memory: Family::default(),
            isolates: Family::default(),
            isolate_heap: Family::default(),
            isolate_restarts: Family::default(),
            egress: Family::default(),
            connections: ConnectionFamilies::default(),
            certificates: CertificateSeries::default(),
            wakes_refused: Counter::default(),
            schedulable_workers: Gauge::default(),
            warm_failures: Family::default(),
            log_drops: log_drops.clone(),
            apps: Mutex::default(),
            unrouted: Series::nowhere(),
        };
        metrics.register();
        metrics.begin();
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
        registry.register("web_sockets", "Open WebSockets of visitors", self.sockets.clone());
        registry.register(
            "web_socket_messages",
            "Messages of visitors' WebSockets that are closed, from clients and to them",
            self.messages.clone(),
        );
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
        registry.register(
            "schedulable_workers",
            "How many more workers of the largest configured size fit",
            self.schedulable_workers.clone(),
        );
        registry.register(
            "warm_failures",
            "Starts of accepted releases whose warm or health path failed",
            self.warm_failures.clone(),
        );
        let dropped = self.log_drops.family();
        registry.register("log_lines_dropped", "Log lines dropped, by reason", dropped);
        self.connections.register(registry);
        self.certificates.register(registry);
    }

    /// Makes the counters that belong to no app.
    fn begin(&self) {
        for reason in RestartReason::ALL {
            self.isolate_restarts.get_or_create(&RestartLabels { reason: reason.as_str() }).inc_by(0);
        }
        self.log_drops.begin_host();
    }

    /// The counts of one side's connections.
    #[must_use]
    pub fn connections(&self, side: Side) -> ConnectionSeries {
        self.connections.of(side)
    }

    pub(super) fn duration_histogram() -> Histogram {
        Histogram::new(DURATION_BUCKETS)
    }

    pub(super) fn fine_histogram() -> Histogram {
        Histogram::new(FINE_BUCKETS)
    }

    /// The series of requests that reached no app.
    #[must_use]
    pub const fn unrouted(&self) -> &Series {
        &self.unrouted
    }

    fn apps(&self) -> MutexGuard<'_, HashMap<AppName, BTreeSet<String>>> {
        self.apps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is such an app: its counters are exported from now on.
    pub fn add_app(&self, app: &AppName) {
        // Held meanwhile: a removal takes all of them away.
        let mut apps = self.apps();
        apps.entry(app.clone()).or_default();
        for kind in FLIP_KINDS {
            self.flips.get_or_create(&FlipLabels { app: app.to_string(), kind }).inc_by(0);
        }
        for reason in REPLACEMENTS {
            self.replacements.get_or_create(&ReplacementLabels { app: app.to_string(), reason }).inc_by(0);
        }
        self.warm_failures.get_or_create(&AppLabels { app: app.to_string() }).inc_by(0);
        self.log_drops.begin(app.as_str());
    }

    /// Users get this release: its counters are exported from now on.
    pub fn live(&self, series: &Series) {
        series.begin(self);
    }

    /// An app may call these hosts: its calls to them are exported from now on.
    pub fn egress_hosts<'a>(&self, app: &AppName, hosts: impl IntoIterator<Item = &'a str>) {
        let mut apps = self.apps();
        let Some(known) = apps.get_mut(app) else { return };
        for host in hosts {
            if known.len() >= EGRESS_HOSTS_MAX || !known.insert(host.to_owned()) {
                continue;
            }
            for outcome in EGRESS_OUTCOMES {
                let labels = EgressLabels { app: app.to_string(), host: host.to_owned(), outcome };
                self.egress.get_or_create(&labels).inc_by(0);
            }
        }
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
        series.count(self, outcome, code);
        series.duration(self).observe(duration_s);
        if let Some((cpu_s, queue_s, begun)) = render {
            series.render_cpu(self).observe(cpu_s);
            self.queue.observe(queue_s);
            series.tally.count(outcome, code, begun);
        }
    }

    /// Counts a request that became a WebSocket, by the time until it was one. What its handshake cost is not known apart from the
    /// messages behind it.
    pub fn handshake(&self, series: &Series, begun: Duration) {
        let (outcome, code) = (Outcome::Ok, 101);
        series.count(self, outcome, code);
        series.duration(self).observe(begun.as_secs_f64());
        series.tally.count(outcome, code, begun);
    }

    /// Counts a switch of the live release.
    pub fn flip(&self, app: &AppName, kind: FlipKind) {
        let [promote, rollback] = FLIP_KINDS;
        let kind = match kind {
            FlipKind::Promote => promote,
            FlipKind::Rollback => rollback,
        };
        if self.apps().contains_key(app) {
            self.flips.get_or_create(&FlipLabels { app: app.to_string(), kind }).inc();
        }
    }

    /// Counts a start of a sleeping release that a client was refused.
    pub fn wake_refused(&self) {
        self.wakes_refused.inc();
    }

    /// Counts a start of an accepted release whose warm or health path failed.
    pub fn warm_failure(&self, app: &AppName) {
        if self.apps().contains_key(app) {
            self.warm_failures.get_or_create(&AppLabels { app: app.to_string() }).inc();
        }
    }

    /// Counts a worker that is replaced.
    pub fn replacement(&self, app: &AppName, reason: Replacement) {
        let [gone, hung, unhealthy] = REPLACEMENTS;
        let reason = match reason {
            Replacement::Gone => gone,
            Replacement::Hung => hung,
            Replacement::Unhealthy => unhealthy,
        };
        if self.apps().contains_key(app) {
            self.replacements.get_or_create(&ReplacementLabels { app: app.to_string(), reason }).inc();
        }
    }

    /// Says whether a release is asked for pages although none of its workers is healthy.
    pub fn fail_open(&self, series: &Series, open: bool) {
        if !series.is_gone() {
            series.has_worker.store(true, Ordering::Relaxed);
            self.fail_open.get_or_create(&series.labels).set(i64::from(open));
        }
    }

    /// How many more workers of the largest configured size fit on this host; who reserves room for them sets it.
    #[must_use]
    pub fn schedulable_workers(&self) -> Gauge {
        self.schedulable_workers.clone()
    }

    /// Says in which states (`booting`, `ready`, `draining`, `hung`, `lost`, `failed`) a release's workers are. Memory of all in bytes,
    /// when the engine knows it.
    pub fn workers(&self, series: &Series, states: &[&str], memory_bytes: Option<u64>) {
        if series.is_gone() {
            return;
        }
        series.has_worker.store(true, Ordering::Relaxed);
        for name in WORKER_STATES {
            let value = states.iter().filter(|state| **state == name).count() as i64;
            self.workers.get_or_create(&series.labels.state(name)).set(value);
        }
        if let Some(bytes) = memory_bytes {
            self.worker_memory.get_or_create(&series.labels).set(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
    }

    /// Takes the figures of the isolates of a release's workers over.
    pub fn isolates(&self, series: &Series, isolates: &[IsolateStatus]) {
        if series.is_gone() {
            return;
        }
        series.has_worker.store(true, Ordering::Relaxed);
        for (state, name) in ISOLATE_STATES {
            let count = isolates.iter().filter(|isolate| isolate.state == state).count();
            let labels = series.labels.state(name);
            self.isolates.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        // A worker may say what it likes.
        let heap = isolates.iter().fold(0_u64, |sum, isolate| sum.saturating_add(isolate.heap_bytes));
        self.isolate_heap.get_or_create(&series.labels).set(i64::try_from(heap).unwrap_or(i64::MAX));
        self.restarts(series, isolates);
    }

    /// Counts the restarts since the last look. A worker whose render process was started again begins anew.
    fn restarts(&self, series: &Series, isolates: &[IsolateStatus]) {
        let mut now = Restarts::new();
        for (reason, count) in isolates.iter().flat_map(|isolate| &isolate.restarts) {
            *now.entry(*reason).or_default() += u64::from(*count);
        }
        let mut told = series.restarts.lock().unwrap_or_else(PoisonError::into_inner);
        for (reason, count) in &now {
            let known = told.get(reason).copied().filter(|known| known <= count).unwrap_or_default();
            self.isolate_restarts
                .get_or_create(&RestartLabels { reason: reason.as_str() })
                .inc_by(count - known);
        }
        *told = now;
    }

    /// A release has no worker: removes the series about one.
    pub fn no_worker(&self, series: &Series) {
        if !series.loses_worker() {
            return;
        }
        series.restarts.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.worker_memory.remove(&series.labels);
        self.fail_open.remove(&series.labels);
        self.isolate_heap.remove(&series.labels);
        for name in WORKER_STATES {
            self.workers.remove(&series.labels.state(name));
        }
        for (_, name) in ISOLATE_STATES {
            self.isolates.remove(&series.labels.state(name));
        }
    }

    /// Counts a call of an app to a host outside, by how it ended.
    pub fn egress(&self, app: &AppName, host: &str, result: Result<(), &EgressFailure>) {
        let [ok, denied, unreachable, timed_out, limit] = EGRESS_OUTCOMES;
        let outcome = match result {
            Ok(()) => ok,
            Err(EgressFailure::Denied(_)) => denied,
            Err(EgressFailure::Unreachable(_)) => unreachable,
            Err(EgressFailure::TimedOut(_)) => timed_out,
            Err(EgressFailure::Limit(_)) => limit,
        };
        let mut apps = self.apps();
        let Some(hosts) = apps.get_mut(app) else { return };
        // An app may ask for any name, also for those that it is denied.
        let host = if hosts.contains(host) || hosts.len() < EGRESS_HOSTS_MAX { host } else { OTHER_HOSTS };
        if !hosts.contains(host) {
            hosts.insert(host.to_owned());
        }
        let labels = EgressLabels { app: app.to_string(), host: host.to_owned(), outcome };
        self.egress.get_or_create(&labels).inc();
    }

    /// Forgets every series of a release that is gone. None of its name is made by what still counts for it.
    pub fn forget(&self, series: &Series) {
        series.forget(self);
        self.no_worker(series);
    }

    /// Forgets every series of an app that is gone.
    pub fn forget_app(&self, app: &AppName) {
        let mut apps = self.apps();
        let hosts = apps.remove(app).unwrap_or_default();
        self.log_drops.forget(app.as_str());
        self.warm_failures.remove(&AppLabels { app: app.to_string() });
        for kind in FLIP_KINDS {
            self.flips.remove(&FlipLabels { app: app.to_string(), kind });
        }
        for reason in REPLACEMENTS {
            self.replacements.remove(&ReplacementLabels { app: app.to_string(), reason });
        }
        for host in hosts {
            for outcome in EGRESS_OUTCOMES {
                self.egress.remove(&EgressLabels { app: app.to_string(), host: host.clone(), outcome });
            }
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

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;

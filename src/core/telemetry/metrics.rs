//! Prometheus metrics, declared once. A family without a sample is not in the text, so counters are made before their first event, as 0:
//! `rate` and `increase` see nothing of an event that a counter appears with.

mod apps;
mod caches;
mod labels;
pub mod series;
mod workers;

pub use apps::{FlipKind, Replacement};
pub use caches::{CacheCounts, CachesCounted};

use super::certificates::CertificateSeries;
use super::connections::{ConnectionFamilies, ConnectionSeries, Side};
use super::drops::LogDrops;
use super::families::{counters, gauges, histograms, registered};
use crate::id::AppName;
use labels::{RELEASE, RELEASE_STATE};
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry,
    TextEncoder,
};
use series::Series;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use vitrine_wire::{Outcome, RestartReason};

/// OpenTelemetry's buckets for the duration of HTTP requests, in seconds.
const DURATION_BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// For times that are mostly far below a request's: CPU of a render, wait in a queue. In seconds.
const FINE_BUCKETS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// Restarts of a release's isolates as its worker last told them, by reason.
type Restarts = HashMap<RestartReason, u64>;

/// Every metric of the host.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    duration: HistogramVec,
    render_cpu: HistogramVec,
    queue: Histogram,
    in_flight: IntGaugeVec,
    sockets: IntGaugeVec,
    messages: IntCounterVec,
    flips: IntCounterVec,
    workers: IntGaugeVec,
    replacements: IntCounterVec,
    fail_open: IntGaugeVec,
    worker_memory: IntGaugeVec,
    isolates: IntGaugeVec,
    isolate_heap: IntGaugeVec,
    isolate_restarts: IntCounterVec,
    egress: IntCounterVec,
    cache_requests: IntCounterVec,
    caches: OnceLock<Arc<dyn CachesCounted>>,
    wakes_refused: IntCounter,
    schedulable_workers: IntGauge,
    warm_failures: IntCounterVec,
    connections: ConnectionFamilies,
    /// See [`CertificateSeries`].
    pub certificates: CertificateSeries,
    log_drops: LogDrops,
    /// The apps that there are, with the hosts that each has series of: what is counted for another leaves nothing behind.
    apps: Mutex<HashMap<AppName, BTreeSet<String>>>,
    unrouted: Series,
}

impl Metrics {
    /// An empty set, without logs beside it.
    #[must_use]
    pub fn new() -> Self {
        Self::counting(&LogDrops::default())
    }

    /// An empty set, and the lines that are counted here as dropped.
    #[must_use]
    pub fn counting(log_drops: &LogDrops) -> Self {
        let registry = Registry::new_custom(Some("vitrine".into()), None).expect("its prefix is valid");
        let counters = |name, help, labels: &[&str]| counters(&registry, name, help, labels);
        let gauges = |name, help, labels: &[&str]| gauges(&registry, name, help, labels);
        let histograms = |name, help, buckets| histograms(&registry, (name, help), buckets, RELEASE);
        let request = ["app", "release", "outcome", "code"];
        let duration = "From the request's head to the last byte of its answer";
        let messages = "Messages of visitors' WebSockets that are closed, from clients and to them";
        let fail_open = "Whether a release is served although no worker is healthy";
        let wakes_refused = "Starts of sleeping releases refused to clients above their quota";
        let schedulable = "How many more workers of the largest configured size fit";
        let cache_requests = "Requests for pages, and calls of apps, that a kept answer might be for";
        let warm_failures = "Starts of accepted releases whose warm or health path failed";
        let queue = HistogramOpts::new("queue_seconds", "Wait for an isolate").buckets(FINE_BUCKETS.to_vec());
        let metrics = Self {
            requests: counters("http_requests_total", "Requests answered", &request),
            duration: histograms("http_request_duration_seconds", duration, &DURATION_BUCKETS),
            render_cpu: histograms("render_cpu_seconds", "CPU time of renders", &FINE_BUCKETS),
            queue: registered(&registry, Histogram::with_opts(queue)),
            in_flight: gauges("in_flight", "Requests being answered", RELEASE),
            sockets: gauges("web_sockets", "Open WebSockets of visitors", RELEASE),
            messages: counters("web_socket_messages_total", messages, &["app", "release", "direction"]),
            flips: counters("flips_total", "Changes of the live release", &["app", "kind"]),
            workers: gauges("workers", "Workers by state", RELEASE_STATE),
            replacements: counters(
                "worker_replacements_total",
                "Workers replaced by reason",
                &["app", "reason"],
            ),
            fail_open: gauges("fail_open", fail_open, RELEASE),
            worker_memory: gauges("worker_memory_bytes", "Memory of workers", RELEASE),
            isolates: gauges("isolates", "Isolates by state", RELEASE_STATE),
            isolate_heap: gauges("isolate_heap_bytes", "Used heap of isolates", RELEASE),
            isolate_restarts: counters(
                "isolate_restarts_total",
                "Isolates condemned and replaced",
                &["reason"],
            ),
            egress: counters(
                "egress_requests_total",
                "Calls of apps to the outside",
                &["app", "host", "outcome"],
            ),
            cache_requests: counters("cache_requests_total", cache_requests, &["app", "cache", "result"]),
            caches: OnceLock::new(),
            wakes_refused: registered(&registry, IntCounter::new("wakes_refused_total", wakes_refused)),
            schedulable_workers: registered(&registry, IntGauge::new("schedulable_workers", schedulable)),
            warm_failures: counters("warm_failures_total", warm_failures, &["app"]),
            connections: ConnectionFamilies::new(&registry),
            certificates: CertificateSeries::new(&registry),
            log_drops: log_drops.clone(),
            apps: Mutex::default(),
            unrouted: Series::nowhere(),
            registry: registry.clone(),
        };
        registered(&registry, Ok(metrics.log_drops.family()));
        metrics.begin();
        metrics
    }

    /// Makes the counters that belong to no app.
    fn begin(&self) {
        for reason in RestartReason::ALL {
            self.isolate_restarts.with_label_values(&[reason.as_str()]);
        }
        self.log_drops.begin_host();
    }

    /// The counts of one side's connections.
    #[must_use]
    pub fn connections(&self, side: Side) -> ConnectionSeries {
        self.connections.of(side)
    }

    /// The series of requests that reached no app.
    #[must_use]
    pub const fn unrouted(&self) -> &Series {
        &self.unrouted
    }

    /// Users get this release: its counters are exported from now on.
    pub fn live(&self, series: &Series) {
        series.begin(self);
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

    /// Counts a start of a sleeping release that a client was refused.
    pub fn wake_refused(&self) {
        self.wakes_refused.inc();
    }

    /// How many more workers of the largest configured size fit on this host; who reserves room for them sets it.
    #[must_use]
    pub fn schedulable_workers(&self) -> IntGauge {
        self.schedulable_workers.clone()
    }

    /// Forgets every series of a release that is gone. None of its name is made by what still counts for it.
    pub fn forget(&self, series: &Series) {
        series.forget(self);
        self.no_worker(series);
    }

    /// Prometheus' text format.
    #[must_use]
    pub fn encode(&self) -> String {
        self.read_caches();
        let mut families = self.registry.gather();
        labels::put_in_order(&mut families);
        let mut text = String::with_capacity(16 << 10);
        TextEncoder::new().encode_utf8(&families, &mut text).expect("writing into a String does not fail");
        text
    }

    /// Media type of [`Metrics::encode`].
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;

//! What is known of a request, from its head to its last byte: one log line and one count when it ends.

use super::clients::Counted;
use super::request_info::RequestInfo;
use super::select::{Pin, Selection};
use super::visitor::Visitor;
use http::HeaderValue;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vitrine_core::limits::LOG_FIELD_BYTES_MAX;
use vitrine_core::telemetry::series::{CLIENT_WENT_AWAY, InFlight, OpenSocket};
use vitrine_core::telemetry::{AccessLine, Telemetry};
use vitrine_proxy::route::Target;
use vitrine_proxy::route::guard::PASS_PARAMETER;
use vitrine_proxy::web_sockets::session::{CLOSED_WITHOUT_A_WORD, Summary};
use vitrine_wire::{Done, Outcome};

/// One request. When it is dropped, its line is written: a request can't be forgotten.
#[derive(Debug)]
pub(crate) struct Record {
    telemetry: Arc<Telemetry>,
    in_flight: Option<InFlight>,
    time: jiff::Timestamp,
    arrived: Instant,
    silent: bool,
    complete: bool,
    /// Who asks.
    pub info: RequestInfo,
    /// Host name as routed.
    pub host: String,
    /// Epoch of the table that chose.
    pub epoch: u64,
    /// Release that answers.
    pub target: Option<Arc<Target>>,
    /// What became of the pin.
    pub pin: Pin,
    /// Who asks, as a split of the users sees it.
    pub visitor: Visitor,
    /// Whether the answer depends on the visitor's bucket.
    pub by_bucket: bool,
    /// Whether a pin led to another release than clients without one get.
    pub by_pin: bool,
    /// Whether it came by a release's own host name, which search engines are to leave alone.
    pub by_own_name: bool,
    /// Whether the request has shown the password, or a pass for its host name.
    pub shows_pass: bool,
    /// Whether the answer is for those alone who showed a pass.
    pub guarded: bool,
    /// Pass that the client is given with the answer.
    pub new_pass: Option<String>,
    /// Status of the answer.
    pub status: u16,
    /// How it ended, as far as is known.
    pub outcome: Outcome,
    /// Body bytes handed to the connection.
    pub bytes: u64,
    /// From arrival until a worker was asked.
    pub edge: Duration,
    /// From arrival until the answer began, of one that is streamed.
    pub begun: Option<Duration>,
    /// The worker's end of it, when there is one.
    pub done: Option<Done>,
    /// Counts it among the requests of its client.
    pub counted: Option<Counted>,
    /// What the answer says about HTTPS from now on.
    pub hsts: Option<HeaderValue>,
    /// Whether the answer says how it came about.
    pub diagnostic: bool,
    /// Counts the WebSocket that it has become.
    open_socket: Option<OpenSocket>,
    /// What became of that.
    socket: Option<Summary>,
}

impl Record {
    /// A request that has just come in.
    #[must_use]
    pub(crate) fn begin(
        telemetry: Arc<Telemetry>,
        info: RequestInfo,
        visitor: Visitor,
        epoch: u64,
    ) -> Box<Self> {
        Box::new(Self {
            telemetry,
            in_flight: None,
            time: jiff::Timestamp::now(),
            arrived: Instant::now(),
            silent: false,
            complete: false,
            info,
            host: String::new(),
            epoch,
            target: None,
            pin: Pin::None,
            visitor,
            by_bucket: false,
            by_pin: false,
            by_own_name: false,
            shows_pass: false,
            guarded: false,
            new_pass: None,
            status: CLIENT_WENT_AWAY,
            outcome: Outcome::Cancelled,
            bytes: 0,
            edge: Duration::ZERO,
            begun: None,
            done: None,
            counted: None,
            hsts: None,
            diagnostic: true,
            open_socket: None,
            socket: None,
        })
    }

    /// Neither logs nor counts it: it is a probe of this host.
    pub(crate) const fn silence(&mut self) {
        self.silent = true;
    }

    /// A release was chosen.
    pub(crate) fn select(&mut self, selection: &Selection, epoch: u64) {
        self.epoch = epoch;
        self.pin = selection.pin;
        self.by_bucket = selection.by_bucket;
        self.by_pin = selection.is_by_pin();
        self.by_own_name = selection.own_name;
        self.answered_by(&selection.target);
    }

    /// This release answers: the chosen one, or another that still has the file.
    pub(crate) fn answered_by(&mut self, target: &Arc<Target>) {
        if self.target.as_ref().is_some_and(|known| Arc::ptr_eq(known, target)) {
            return;
        }
        self.in_flight = Some(target.pool.series().enter(&self.telemetry.metrics));
        self.target = Some(Arc::clone(target));
    }

    /// Since arrival.
    #[must_use]
    pub(crate) fn elapsed(&self) -> Duration {
        self.arrived.elapsed()
    }

    /// It is a WebSocket from now on, and counts as the answer that its client has now: what becomes of a socket says little of a release,
    /// and one isolate that falls ends many.
    pub(crate) fn open_socket(&mut self) {
        let Some(target) = &self.target else { return };
        let (series, metrics) = (target.pool.series(), &self.telemetry.metrics);
        metrics.handshake(series, self.begun.unwrap_or_default());
        self.open_socket = Some(series.open_socket(metrics));
    }

    /// The WebSocket is over.
    pub(crate) fn end_socket(&mut self, summary: Summary) {
        self.socket = Some(summary);
        if let Some(series) = self.target.as_ref().map(|target| target.pool.series()) {
            series.count_messages(&self.telemetry.metrics, summary.received, summary.sent);
        }
        let outcome = self.done.as_ref().map(|done| done.outcome);
        match outcome {
            // It is closed with a code that says so.
            Some(Outcome::Draining) => self.complete(Outcome::Ok),
            Some(Outcome::Ok) if summary.close_code == CLOSED_WITHOUT_A_WORD => {}
            Some(outcome) => self.complete(outcome),
            // Its client takes nothing, or does not close.
            None => {}
        }
    }

    fn count(&self, outcome: Outcome, duration: Duration) {
        let seconds = |us: u64| Duration::from_micros(us).as_secs_f64();
        let begun = self.begun.unwrap_or(duration);
        // That there is no place for another socket is no failure of a render.
        let no_place = outcome == Outcome::Overloaded && self.info.handshake.is_asked();
        let done = self.done.as_ref().filter(|_| !no_place);
        let render = done.map(|done| (seconds(done.cpu_us), seconds(done.queue_us), begun));
        let metrics = &self.telemetry.metrics;
        let series = self.in_flight.as_ref().map_or_else(|| metrics.unrouted(), InFlight::series);
        metrics.request(series, outcome, self.status, duration.as_secs_f64(), render);
    }

    /// The last byte was handed over, or the answer was broken off for this reason.
    pub(crate) const fn complete(&mut self, outcome: Outcome) {
        self.outcome = outcome;
        self.complete = true;
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if self.silent {
            return;
        }
        let outcome = if self.complete { self.outcome } else { Outcome::Cancelled };
        let duration = self.arrived.elapsed();
        let release = self.target.as_ref().map(|target| &target.release);
        // A socket was counted with its handshake.
        if self.open_socket.is_none() {
            self.count(outcome, duration);
        }
        let figure = |of: fn(&Done) -> u64| self.done.as_ref().map_or(0.0, |done| of(done) as f64 / 1000.0);
        let milliseconds = |duration: Duration| duration.as_micros() as f64 / 1000.0;
        let agent = self.info.user_agent.as_ref().and_then(|agent| agent.to_str().ok());
        self.telemetry.logs.access(&AccessLine {
            time: self.time,
            level: level(outcome, self.status),
            request_id: self.info.request_id(),
            trace_id: self.info.trace_id(),
            client: self.info.client,
            method: self.info.method.as_str(),
            host: &self.host,
            path: cut(self.info.uri.path()),
            query: self.info.uri.query().filter(|query| !query.contains(PASS_PARAMETER)).map(cut),
            status: self.status,
            outcome,
            app: release.map(|release| &release.app),
            release: release.map(|release| release.version.as_str()),
            epoch: self.epoch,
            bytes: self.bytes,
            duration_ms: milliseconds(duration),
            edge_ms: milliseconds(if self.edge.is_zero() { duration } else { self.edge }),
            queue_ms: figure(|done| done.queue_us),
            render_ms: figure(|done| done.render_us),
            cpu_ms: figure(|done| done.cpu_us),
            user_agent: agent.map(cut),
            pin: self.pin.as_str(),
            close_code: self.socket.map(|socket| socket.close_code),
            messages: self.socket.map(|socket| [socket.received, socket.sent]),
            error: self.done.as_ref().and_then(|done| done.error.as_ref()),
        });
    }
}

const fn level(outcome: Outcome, status: u16) -> &'static str {
    match outcome {
        // What the app itself calls its failure.
        Outcome::Ok if status >= 500 => "error",
        Outcome::Ok
        | Outcome::ClientError
        | Outcome::NoRoute
        | Outcome::NoRelease
        | Outcome::BadRequest
        | Outcome::Cancelled
        | Outcome::StreamIdle => "info",
        Outcome::Overloaded | Outcome::Draining => "warn",
        Outcome::AppError
        | Outcome::CpuLimit
        | Outcome::WallLimit
        | Outcome::HeapLimit
        | Outcome::Crashed
        | Outcome::UpstreamGone => "error",
    }
}

/// The first bytes of a text, whole characters only.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LOG_FIELD_BYTES_MAX)]
}

//! A request from its head to the last byte of its answer. The steps of the handler read it and fill it in; when it ends, it is logged
//! and counted once.

mod access_log;

use super::address::Address;
use super::cache::shared::Shared;
use super::cache::told::Told;
use super::clients::Counted;
use super::cookies::Cookies;
use super::own_cookie::{PASS, PIN};
use super::request_info::RequestInfo;
use super::routed::Routed;
use super::select::{Pin, Selection};
use super::version_pin::VersionPin;
use super::visitor::Visitor;
use http::{HeaderMap, HeaderValue};
use std::sync::Arc;
use std::time::{Duration, Instant};
use vitrine_core::telemetry::Telemetry;
use vitrine_core::telemetry::series::{CLIENT_WENT_AWAY, InFlight, OpenSocket};
use vitrine_proxy::route::Target;
use vitrine_proxy::web_sockets::session::{CLOSED_WITHOUT_A_WORD, Summary};
use vitrine_wire::{Done, Outcome};

/// One request. Dropping it writes its log line and counts it, however it ended.
#[derive(Debug)]
pub(crate) struct RequestContext {
    telemetry: Arc<Telemetry>,
    in_flight: Option<InFlight>,
    time: jiff::Timestamp,
    arrived: Instant,
    silent: bool,
    complete: bool,
    /// Client, trace context, accepted response types.
    pub info: RequestInfo,
    /// The request's headers, until its answer begins.
    pub headers: HeaderMap,
    /// Where the host's own cookies stand in them.
    cookies: Cookies,
    /// Where it asks for a release.
    version_pin: VersionPin,
    /// Host that is meant, and the authority that the app sees.
    pub address: Address,
    /// What routing rules make of it, where there are some.
    pub routed: Option<Box<Routed>>,
    /// What the cache makes of the request that the app gets, if the answer may be kept.
    pub shared: Option<Box<Shared>>,
    /// What came of asking the cache.
    pub cached: Told,
    /// Whether the rule has changed the answer's headers already.
    pub edited_by_rule: bool,
    /// Epoch of the table that chose.
    pub epoch: u64,
    /// Release that answers.
    pub target: Option<Arc<Target>>,
    /// What became of the pin.
    pub pin: Pin,
    /// The visitor that a split of the users counts.
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

impl RequestContext {
    /// A request that has just come in. `fresh` gives the number of a visitor without one.
    #[must_use]
    pub(crate) fn begin(
        telemetry: Arc<Telemetry>,
        info: RequestInfo,
        headers: HeaderMap,
        epoch: u64,
        fresh: impl FnOnce() -> u128,
    ) -> Box<Self> {
        let cookies = Cookies::of(&headers, info.https);
        let visitor = Visitor::of(&headers, &cookies, fresh);
        let version_pin = VersionPin::of(&info, &headers, &cookies);
        Box::new(Self {
            telemetry,
            in_flight: None,
            time: jiff::Timestamp::now(),
            arrived: Instant::now(),
            silent: false,
            complete: false,
            info,
            headers,
            cookies,
            version_pin,
            address: Address::default(),
            routed: None,
            shared: None,
            cached: Told::default(),
            edited_by_rule: false,
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

    /// Cookie lines among the headers.
    #[must_use]
    pub(crate) const fn cookies(&self) -> &Cookies {
        &self.cookies
    }

    /// The release that the request asks for: `VERSION` or `APP@VERSION`.
    #[must_use]
    pub(crate) fn wanted(&self) -> Option<&str> {
        self.version_pin.release(&self.headers, &self.cookies)
    }

    /// The release that the client's cookie names, whether or not it counts for this request.
    #[must_use]
    pub(crate) fn pin_cookie(&self) -> Option<&str> {
        self.cookies.get(PIN, &self.headers)
    }

    /// The pass to guarded previews in the client's cookie.
    #[must_use]
    pub(crate) fn pass_cookie(&self) -> Option<&str> {
        self.cookies.get(PASS, &self.headers)
    }

    /// Scheme, host and port that the client asked.
    #[must_use]
    pub(crate) fn origin(&self) -> String {
        format!("{}://{}", if self.info.https { "https" } else { "http" }, self.address.authority)
    }

    /// Path that the app gets: the client's, or what a rule makes of it.
    #[must_use]
    pub(crate) fn app_path(&self) -> &str {
        self.routed.as_deref().and_then(Routed::path).unwrap_or(self.info.uri.path())
    }

    /// Whether the app was asked by what a page that is kept is checked by, and not by what the client has.
    #[must_use]
    pub(crate) fn asks_by_what_is_kept(&self) -> bool {
        self.shared.as_ref().is_some_and(|shared| !shared.checks.is_empty())
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

    /// The last byte was handed over, or the answer was broken off for this reason.
    pub(crate) const fn complete(&mut self, outcome: Outcome) {
        self.outcome = outcome;
        self.complete = true;
    }
}

impl Drop for RequestContext {
    fn drop(&mut self) {
        if !self.silent {
            access_log::end(self);
        }
    }
}

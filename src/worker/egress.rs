//! The broker: what apps fetch, fetched by the host under its rules.
//!
//! A call is made only if the bundle's list and the operator's policy both name its origin, and only to addresses
//! that are public or opened by the operator, checked after name resolution and again on each redirect.

mod policy;
mod resolve;

use crate::config::{EgressPolicy, OriginPattern};
use crate::id::AppName;
use crate::limits::{
    EGRESS_BYTES_MAX, EGRESS_CALLS_MAX, EGRESS_IDLE_MS, EGRESS_IDLE_PER_HOST_MAX, EGRESS_REDIRECTS_MAX,
    EGRESS_STALL_MS,
};
use crate::telemetry::Metrics;
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
pub use policy::Rules;
use std::collections::HashMap;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{AbortHandle, JoinSet};
use url::Url;
use vitrine_wire::limits::{BODY_FRAME_BYTES_MAX, HEADERS_MAX, WINDOW_BYTES};
use vitrine_wire::{Done, EgressFailure, EgressHead, Frame, Headers, Outcome, ResponseHead, StreamId};

/// What one release may call, and the connections it keeps.
#[derive(Debug)]
pub struct Egress {
    rules: Arc<Rules>,
    timeout: Duration,
    places: Arc<Semaphore>,
    /// One client a port: a resolver is not told the port, and the operator opens addresses by port.
    clients: Mutex<HashMap<u16, reqwest::Client>>,
    app: AppName,
    metrics: Arc<Metrics>,
}

/// Stands in the metrics for every host that the bundle does not name: an app may ask for any number of them.
const UNLISTED_HOST: &str = "unlisted";

/// A piece of a call's body; `None` is its end. If its sender goes away before that, the body broke off.
type Piece = Option<Bytes>;

/// One call under way.
#[derive(Debug)]
pub struct Call {
    task: AbortHandle,
    body: Option<mpsc::Sender<Piece>>,
    /// Bytes of the body that came and were not taken yet; more than the window is a worker that breaks the protocol.
    buffered_bytes: Arc<AtomicU32>,
    window: Arc<Semaphore>,
}

/// The body of a call, as its worker sends it.
#[derive(Debug)]
struct CallBody {
    pieces: mpsc::Receiver<Piece>,
    buffered_bytes: Arc<AtomicU32>,
}

impl CallBody {
    /// The next piece, none after the last; fails where the body has broken off.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let piece = self.pieces.recv().await.ok_or(io::ErrorKind::UnexpectedEof)?;
        let bytes = piece.as_ref().map_or(0, Bytes::len);
        self.buffered_bytes.fetch_sub(bytes as u32, Ordering::Relaxed);
        Ok(piece)
    }
}

impl Call {
    /// `false` when the worker sent more than its window.
    pub fn on_body(&self, data: Bytes) -> bool {
        let Some(body) = self.body.as_ref().filter(|_| !data.is_empty()) else { return true };
        let bytes = data.len() as u32;
        let within = self.buffered_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes <= WINDOW_BYTES;
        within && !matches!(body.try_send(Some(data)), Err(mpsc::error::TrySendError::Full(_)))
    }

    /// The worker's body is complete.
    pub fn on_body_end(&mut self) {
        if let Some(body) = self.body.take() {
            // Without room for it, which only a worker full of empty pieces leaves, the body has broken off.
            let _ = body.try_send(None);
        }
    }

    /// The worker took this many bytes of the answer.
    pub fn on_credit(&self, bytes: u32) {
        let room = (WINDOW_BYTES as usize).saturating_sub(self.window.available_permits());
        self.window.add_permits((bytes as usize).min(room));
    }

    /// The worker gave the call up.
    pub fn abort(&self) {
        self.task.abort();
    }
}

/// Where the answer to one call goes.
#[derive(Debug)]
pub struct AnswerSink {
    stream: StreamId,
    frames: mpsc::Sender<Frame>,
    window: Arc<Semaphore>,
}

impl AnswerSink {
    /// Answers on this stream.
    #[must_use]
    pub fn new(stream: StreamId, frames: mpsc::Sender<Frame>) -> Self {
        Self { stream, frames, window: Arc::new(Semaphore::new(WINDOW_BYTES as usize)) }
    }

    // A send that fails means that the control socket is lost, and with it everybody who waits.
    async fn data(&self, mut data: Bytes) {
        while !data.is_empty() {
            let piece = data.split_to(data.len().min(BODY_FRAME_BYTES_MAX));
            if let Ok(permits) = self.window.acquire_many(piece.len() as u32).await {
                permits.forget();
            }
            let _ = self.frames.send(Frame::Body(self.stream, piece)).await;
        }
    }

    async fn done(&self, result: Result<(), EgressFailure>) {
        let done = match result {
            Ok(()) => Done::of(Outcome::Ok),
            Err(failure) => Done { egress: Some(failure), ..Done::of(Outcome::UpstreamGone) },
        };
        let _ = self.frames.send(Frame::Done(self.stream, done)).await;
    }
}

impl Egress {
    /// A broker for a release of this app whose bundle lists these origins.
    #[must_use]
    pub fn new(
        app: &AppName,
        bundle: &[OriginPattern],
        policy: &EgressPolicy,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        Arc::new(Self {
            rules: Arc::new(Rules::new(bundle, policy)),
            timeout: Duration::from_millis(policy.timeout_ms),
            places: Arc::new(Semaphore::new(EGRESS_CALLS_MAX)),
            clients: Mutex::default(),
            app: app.clone(),
            metrics,
        })
    }

    /// Begins a call; it goes on as a task of the connection that it came from and ends with it.
    pub fn call(
        self: &Arc<Self>,
        head: EgressHead,
        answer: AnswerSink,
        tasks: &mut JoinSet<StreamId>,
        stream: StreamId,
    ) -> Call {
        let window = Arc::clone(&answer.window);
        let buffered_bytes = Arc::new(AtomicU32::new(0));
        let (body, sent) = head
            .has_body
            .then(|| {
                let (body, pieces) = mpsc::channel(WINDOW_BYTES as usize + 1);
                (body, CallBody { pieces, buffered_bytes: Arc::clone(&buffered_bytes) })
            })
            .unzip();
        let broker = Arc::clone(self);
        // In a box: the client's future has kilobytes, and each layer around it would copy them.
        let task = tasks.spawn(Box::pin(async move {
            let host = broker.host(&head.url);
            let result = whole(broker.answer(head, sent, &answer)).await;
            broker.metrics.egress(&broker.app, &host, result.as_ref().copied());
            answer.done(result).await;
            stream
        }));
        Call { task, body, buffered_bytes, window }
    }

    /// A URL's host as the metrics name it.
    fn host(&self, url: &str) -> String {
        let listed = Url::parse(url).ok().filter(|url| self.rules.lists(url));
        listed.as_ref().and_then(Url::host_str).unwrap_or(UNLISTED_HOST).to_owned()
    }

    async fn answer(
        &self,
        head: EgressHead,
        body: Option<CallBody>,
        answer: &AnswerSink,
    ) -> Result<(), EgressFailure> {
        let _place = self
            .places
            .try_acquire()
            .map_err(|_| EgressFailure::Limit(format!("{EGRESS_CALLS_MAX} calls are under way already")))?;
        let url = head.url.clone();
        let fetched = tokio::time::timeout(self.timeout, Box::pin(self.fetch(head, body, answer))).await;
        let response = fetched.map_err(|_| {
            EgressFailure::TimedOut(format!("{url} gave no answer within {} ms", self.timeout.as_millis()))
        })??;
        let head =
            ResponseHead { status: response.status().as_u16(), headers: headers_in(response.headers()) };
        let _ = answer.frames.send(Frame::Response(answer.stream, head)).await;
        stream_body(response, &url, answer).await
    }

    /// Sends the call and follows redirects, checking each hop.
    async fn fetch(
        &self,
        head: EgressHead,
        body: Option<CallBody>,
        answer: &AnswerSink,
    ) -> Result<reqwest::Response, EgressFailure> {
        let denied = |what: &str| EgressFailure::Denied(format!("{what} in a call to {}", head.url));
        let mut method = Method::from_bytes(head.method.as_bytes()).map_err(|_| denied("bad method"))?;
        let mut url = Url::parse(&head.url).map_err(|_| denied("bad URL"))?;
        let mut headers = headers_out(&head.headers).ok_or_else(|| denied("bad header"))?;
        let mut body = body.map(|body| upload(body, answer));
        for _ in 0..=EGRESS_REDIRECTS_MAX {
            self.rules.check(&url)?;
            let port = url.port_or_known_default().unwrap_or(0);
            let mut call = self.client(port)?.request(method.clone(), url.clone()).headers(headers.clone());
            let had_body = body.is_some();
            if let Some(body) = body.take() {
                call = call.body(body);
            }
            let response = call.send().await.map_err(|error| failure(&url, &error))?;
            let Some(next) = redirect_of(&response, &url).filter(|_| head.follow_redirects) else {
                return Ok(response);
            };
            let next = next?;
            match response.status() {
                StatusCode::SEE_OTHER if method != Method::HEAD => method = Method::GET,
                StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND if method == Method::POST => {
                    method = Method::GET;
                }
                _ if had_body => return Err(denied("a redirect that asks for the body again")),
                _ => {}
            }
            if next.origin() != url.origin() {
                headers.remove(http::header::AUTHORIZATION);
                headers.remove(http::header::COOKIE);
            }
            url = next;
        }
        Err(EgressFailure::Limit(format!("{} redirects more than {EGRESS_REDIRECTS_MAX} times", head.url)))
    }

    fn client(&self, port: u16) -> Result<reqwest::Client, EgressFailure> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&port) {
            return Ok(client.clone());
        }
        let resolver = resolve::Checked::new(Arc::clone(&self.rules), port);
        // Fails only when a provider is there already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(EGRESS_IDLE_PER_HOST_MAX)
            .pool_idle_timeout(Duration::from_millis(EGRESS_IDLE_MS))
            .dns_resolver(resolver)
            .build()
            .map_err(|error| EgressFailure::Unreachable(format!("the broker has no TLS: {error}")))?;
        clients.insert(port, client.clone());
        Ok(client)
    }
}

/// An answer that has an end whatever happens: an app would wait for one that never comes until its own limits.
async fn whole(answer: impl Future<Output = Result<(), EgressFailure>>) -> Result<(), EgressFailure> {
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| {
        Err(EgressFailure::Unreachable("the broker itself failed, which is a defect of this build".into()))
    })
}

/// The next hop of a redirect, when the answer is one.
fn redirect_of(response: &reqwest::Response, url: &Url) -> Option<Result<Url, EgressFailure>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(http::header::LOCATION)?;
    let next = location.to_str().ok().and_then(|text| url.join(text).ok());
    Some(
        next.ok_or_else(|| {
            EgressFailure::Unreachable(format!("{url} redirects to something that is no URL"))
        }),
    )
}

/// The worker's body as the client's, with credit given as it is taken. One that breaks off breaks the call off, so that the
/// origin does not take it for whole.
fn upload(body: CallBody, answer: &AnswerSink) -> reqwest::Body {
    let (stream, frames) = (answer.stream, answer.frames.clone());
    let pieces = futures_util::stream::try_unfold((body, frames), move |(mut body, frames)| async move {
        let Some(piece) = body.next().await? else { return Ok(None) };
        let _ = frames.send(Frame::Credit(stream, piece.len() as u32)).await;
        Ok::<_, io::Error>(Some((piece, (body, frames))))
    });
    reqwest::Body::wrap_stream(pieces)
}

async fn stream_body(
    response: reqwest::Response,
    url: &str,
    answer: &AnswerSink,
) -> Result<(), EgressFailure> {
    let mut pieces = response.bytes_stream();
    let mut total = 0;
    loop {
        let stall = Duration::from_millis(EGRESS_STALL_MS);
        let piece = tokio::time::timeout(stall, pieces.next()).await.map_err(|_| {
            EgressFailure::TimedOut(format!("{url} stopped in its body for {EGRESS_STALL_MS} ms"))
        })?;
        let Some(piece) = piece else { return Ok(()) };
        let piece = piece.map_err(|_| {
            EgressFailure::Unreachable(format!("{url} broke its body off after {total} bytes"))
        })?;
        total += piece.len() as u64;
        if total > EGRESS_BYTES_MAX {
            return Err(EgressFailure::Limit(format!("the body of {url} is over {EGRESS_BYTES_MAX} bytes")));
        }
        answer.data(piece).await;
    }
}

fn failure(url: &Url, error: &reqwest::Error) -> EgressFailure {
    // The resolver's refusal arrives wrapped in the client's errors: the denial is what the app must see.
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    let mut last = error.to_string();
    while let Some(inner) = cause {
        if let Some(denied) = inner.downcast_ref::<EgressFailure>() {
            return denied.clone();
        }
        last = inner.to_string();
        cause = inner.source();
    }
    EgressFailure::Unreachable(format!("{url}: {last}"))
}

/// Headers that belong to one connection, or that the client sets by itself.
fn is_own(name: &HeaderName) -> bool {
    const OWN: [&str; 9] = [
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    OWN.contains(&name.as_str()) || name.as_str().starts_with("proxy-")
}

fn headers_out(headers: &Headers) -> Option<HeaderMap> {
    let mut out = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        if !is_own(&name) {
            out.append(name, HeaderValue::from_maybe_shared(value.clone()).ok()?);
        }
    }
    Some(out)
}

fn headers_in(headers: &HeaderMap) -> Headers {
    headers
        .iter()
        .filter(|(name, _)| !is_own(name) || **name == http::header::CONTENT_LENGTH)
        .take(HEADERS_MAX)
        .map(|(name, value)| (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes())))
        .collect()
}

#[cfg(test)]
mod tests;

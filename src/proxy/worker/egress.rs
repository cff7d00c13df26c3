//! The broker: what apps fetch, fetched by the host under its rules.
//!
//! A call is made only if the bundle's list and the operator's policy both name its origin, and only to addresses
//! that are public or opened by the operator, checked after name resolution. What an answer redirects to is another call.

mod answer;
mod cached;
mod call;
mod client;
mod denial;
mod failure;
mod headers;
mod own;
mod policy;
mod resolve;
mod sockets;
mod web_socket;

use super::inbox::{self, Inbox};
use super::memory::MemoryShare;
pub(super) use answer::AnswerSink;
pub(super) use call::Call;
use call::request_body;
use client::{EgressClient, RequestBody};
pub use denial::{Denials, DeniedCall, Setting};
use failure::{shown, shown_text, unreachable};
use futures_util::FutureExt as _;
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Either, Empty, Limited};
use hyper::body::Incoming;
pub use own::{OwnCall, OwnOrigin, OwnOrigins};
use policy::Rules;
use resolve::{NotPublic, OwnAddress};
pub use sockets::Sockets;
use sockets::{InUse, NoPlace};
use std::error::Error;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::Url;
use vitrine_cache::{Cache, Came};
use vitrine_core::config::{EgressPolicy, OriginPattern};
use vitrine_core::id::{AppName, ReleaseId};
use vitrine_core::limits::{
    CACHE_ENTRY_BYTES_MAX, EGRESS_CALLS_MAX, EGRESS_DENIALS_BURST_MAX, EGRESS_DENIALS_PER_S_MAX,
    EGRESS_FOLLOW_BODY_MS, EGRESS_WEB_SOCKETS_MAX, PURGES_OF_APP_BURST_MAX, PURGES_OF_APP_PER_S_MAX,
};
use vitrine_core::telemetry::{Bucket, Metrics};
use vitrine_wire::{EgressFailure, EgressHead, LogLevel, LogLine, Purge, StreamId};

/// What one release may call, and the connections it keeps.
#[derive(Debug)]
pub struct Egress {
    rules: Arc<Rules>,
    timeout: Duration,
    places: Semaphore,
    /// Places for WebSockets.
    web_sockets: Semaphore,
    client: EgressClient,
    app: AppName,
    metrics: Arc<Metrics>,
    /// Bounds what its denials put into the host's log.
    log_quota: Mutex<Bucket>,
    denials: Arc<Denials>,
    /// What answers the app's calls to itself.
    own: OnceLock<own::Caller>,
    /// Where its pages are kept, and what it fetches; nothing where the operator wants no cache.
    cache: OnceLock<Arc<Cache>>,
    /// Bounds its purges.
    purge_quota: Mutex<Bucket>,
}

/// What keeps a call's connection while its answer is read.
enum Held {
    Socket(#[expect(dead_code, reason = "held for its drop")] Option<InUse>),
    Own(#[expect(dead_code, reason = "held for its drop")] JoinSet<()>),
}

/// What was found out about a call before it had its answer.
struct Asked {
    /// The host that is called, if the bundle lists it.
    host: String,
    /// Why it was denied, where a setting would open it.
    denied: Option<DeniedCall>,
}

/// A call that has ended.
#[derive(Debug)]
pub struct EndedCall {
    /// Which.
    pub stream: StreamId,
    /// What the app's log is told about it.
    pub line: Option<LogLine>,
}

/// Stands in the metrics for every host that the bundle does not name: an app may ask for any number of them.
const UNLISTED_HOST: &str = "unlisted";

/// Stands there for the app's own origin.
const OWN_HOST: &str = "own";

impl Egress {
    /// A broker for a release of this app whose bundle lists these origins. Its connections are among `sockets`.
    #[must_use]
    pub fn new(
        app: &AppName,
        bundle: &[OriginPattern],
        policy: &EgressPolicy,
        metrics: Arc<Metrics>,
        sockets: Arc<Sockets>,
    ) -> Arc<Self> {
        let rules = Arc::new(Rules::new(bundle, policy));
        let hosts = bundle.iter().filter_map(OriginPattern::single_host);
        metrics.egress_hosts(app, [UNLISTED_HOST].into_iter().chain(hosts));
        Arc::new(Self {
            rules: Arc::clone(&rules),
            timeout: Duration::from_millis(policy.timeout_ms),
            places: Semaphore::new(EGRESS_CALLS_MAX),
            web_sockets: Semaphore::new(EGRESS_WEB_SOCKETS_MAX),
            client: EgressClient::new(rules, app, sockets, resolve::system),
            app: app.clone(),
            metrics,
            denials: Arc::default(),
            own: OnceLock::new(),
            cache: OnceLock::new(),
            purge_quota: Mutex::new(Bucket::full(
                PURGES_OF_APP_PER_S_MAX,
                PURGES_OF_APP_BURST_MAX,
                Instant::now(),
            )),
            log_quota: Mutex::new(Bucket::full(
                EGRESS_DENIALS_PER_S_MAX,
                EGRESS_DENIALS_BURST_MAX,
                Instant::now(),
            )),
        })
    }

    /// Lets calls of this release to its own origin be answered.
    pub fn answer_own(&self, release: ReleaseId, origins: OwnOrigins) {
        // Said once, before its worker is connected.
        let _ = self.own.set(own::Caller { release, origins });
    }

    /// Keeps what it fetches, and lets it purge what is kept of its app.
    pub fn keep_in(&self, cache: Arc<Cache>) {
        // Said once, before its worker is connected.
        let _ = self.cache.set(cache);
    }

    /// Purges what the cache holds of the app.
    ///
    /// # Errors
    /// It purges too often.
    pub(super) fn purge(&self, purge: &Purge) -> Result<(), EgressFailure> {
        if !self.purge_quota.lock().unwrap_or_else(PoisonError::into_inner).take(1.0, Instant::now()) {
            return Err(EgressFailure::Limit(format!("{PURGES_OF_APP_PER_S_MAX} purges a second")));
        }
        if let Some(cache) = self.cache.get() {
            cache.purge(&self.app, purge);
        }
        Ok(())
    }

    /// Its calls that were denied.
    #[must_use]
    pub fn denials(&self) -> Arc<Denials> {
        Arc::clone(&self.denials)
    }

    /// Begins a call; it goes on as a task of the connection that it came from and ends with it.
    pub fn call(
        self: &Arc<Self>,
        head: EgressHead,
        answer: AnswerSink,
        tasks: &mut JoinSet<EndedCall>,
        stream: StreamId,
        memory: &Arc<MemoryShare>,
    ) -> Call {
        let window = answer.window();
        let (body, upload) = head.has_body.then(|| inbox::body(memory)).unzip();
        let broker = Arc::clone(self);
        // In a box: the client's future has kilobytes, and each layer around it would copy them.
        let task = tasks.spawn(Box::pin(async move {
            let request_id = head.request_id.clone();
            let mut asked = Asked { host: UNLISTED_HOST.to_owned(), denied: None };
            let result = whole(broker.answer(head, upload, &answer, &mut asked)).await;
            broker.metrics.egress(&broker.app, &asked.host, result.as_ref().copied());
            let line = asked.denied.and_then(|denied| broker.note(&denied, request_id));
            answer.done(result).await;
            EndedCall { stream, line }
        }));
        Call { task, body, window }
    }

    /// Remembers a denied call; gives the line that tells it, if that is due.
    fn note(&self, denied: &DeniedCall, request_id: Option<String>) -> Option<LogLine> {
        if !self.denials.note(denied, Instant::now()) {
            return None;
        }
        let message = denied.without_address().to_string();
        let time_ms = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default();
        Some(LogLine { time_ms, level: LogLevel::Warn, request_id, message, stack: None })
    }

    /// Makes a call and passes its answer on. `asked` becomes what is found out on the way.
    async fn answer(
        self: &Arc<Self>,
        mut head: EgressHead,
        upload: Option<Inbox<()>>,
        answer: &AnswerSink,
        asked: &mut Asked,
    ) -> Result<(), EgressFailure> {
        let url = Url::parse(&head.url).map_err(|_| denied("bad URL", &head))?;
        let mark = own::Mark::take(&mut head.headers, &url);
        if let Some(listed) = url.host_str().filter(|_| self.rules.lists(&url)) {
            listed.clone_into(&mut asked.host);
        }
        let place = self
            .places
            .try_acquire()
            .map_err(|_| EgressFailure::Limit(format!("{EGRESS_CALLS_MAX} calls are under way already")))?;
        if head.upgrade {
            drop(place);
            return self.open(&head, url, upload, answer, mark.as_ref(), asked).await;
        }
        let cache = self.cache.get().filter(|_| mark.is_none());
        let question = cache.and_then(|cache| Some((cache, cached::Question::of(self, &head, &url)?)));
        if let Some((cache, question)) = question {
            // What the rules forbid is not given, whoever fetched it.
            self.rules.check(&url).inspect_err(|_| asked.denied = self.denied(&url, None))?;
            match question.ask(cache).await {
                cached::Found::Entry(entry) => {
                    cache.fetched(&self.app, Came::Hit);
                    cached::answer(cache, head.request_id.as_deref(), &entry, answer).await;
                    return Ok(());
                }
                cached::Found::Stale(entry, keep) => {
                    cache.fetched(&self.app, Came::Stale);
                    cached::answer(cache, head.request_id.as_deref(), &entry, answer).await;
                    if let Some(keep) = keep {
                        tokio::spawn(Arc::clone(self).renew(head, url, *keep));
                    }
                    return Ok(());
                }
                cached::Found::Fetch(keep) => {
                    return self.keep(&head, url, answer, asked, cache, *keep).await;
                }
            }
        }
        let body = upload.map(|upload| request_body(upload, answer.clone()));
        let fetching = Box::pin(self.fetch(&head, url.clone(), body, mark.as_ref(), asked));
        let (response, _held) = self.in_time(&head, fetching).await?;
        let (parts, body) = response.into_parts();
        if let Some(cache) = cache {
            cache.fetched(&self.app, Came::Bypass);
            cached::depends(cache, &head, &url, &parts.headers);
            if let Some(method) = method(&head.method).filter(|_| !parts.status.is_server_error()) {
                cached::invalidate(cache, self, &method, &url);
            }
        }
        answer.head(&parts).await;
        answer.body(body, &head.url, |_| ()).await
    }

    /// Makes a call for those who come later.
    async fn renew(self: Arc<Self>, head: EgressHead, url: Url, keep: cached::Keep) {
        let mut asked = Asked { host: UNLISTED_HOST.to_owned(), denied: None };
        let fetching = Box::pin(self.fetch(&head, url, None, None, &mut asked));
        // What is kept is used on, as long as it may be.
        let Ok((response, _held)) = self.in_time(&head, fetching).await else { return };
        let (parts, body) = response.into_parts();
        let Some(freshness) = keep.head(&parts) else { return };
        let body = Limited::new(body, CACHE_ENTRY_BYTES_MAX).collect();
        if let Ok(Ok(body)) = tokio::time::timeout(self.timeout, body).await {
            keep.keep(&parts, body.to_bytes(), freshness);
        }
    }

    /// Makes a call whose answer may be kept, and passes that on.
    async fn keep(
        &self,
        head: &EgressHead,
        url: Url,
        answer: &AnswerSink,
        asked: &mut Asked,
        cache: &Cache,
        mut keep: cached::Keep,
    ) -> Result<(), EgressFailure> {
        if let Some(failure) = cached::only_if_cached(head) {
            return Err(failure);
        }
        let stand_in = keep.stand_in.clone();
        let fetching = Box::pin(self.fetch(head, url, None, None, asked));
        let fetched = self.in_time(head, fetching).await;
        let has_failed = fetched.as_ref().map_or(true, |(response, _)| response.status().is_server_error());
        if let Some(entry) = stand_in.filter(|_| has_failed) {
            cache.fetched(&self.app, Came::Stale);
            cached::answer(cache, head.request_id.as_deref(), &entry, answer).await;
            return Ok(());
        }
        cache.fetched(&self.app, Came::Miss);
        let (response, _held) = fetched?;
        let (parts, body) = response.into_parts();
        keep.note(&parts.headers);
        answer.head(&parts).await;
        let Some(freshness) = keep.head(&parts) else {
            keep.note_unshared();
            return answer.body(body, &head.url, |_| ()).await;
        };
        let mut collected = cached::Collected::begin();
        let patience = Duration::from_millis(EGRESS_FOLLOW_BODY_MS);
        {
            let mut passing = pin!(answer.body(body, &head.url, |data| collected.add(data)));
            match tokio::time::timeout(patience, &mut passing).await {
                Ok(passed) => passed?,
                Err(_) => {
                    keep.let_go();
                    passing.await?;
                }
            }
        }
        if let Some(body) = collected.whole() {
            keep.keep(&parts, body, freshness);
        }
        Ok(())
    }

    /// Waits for the head of an answer.
    async fn in_time<T>(
        &self,
        head: &EgressHead,
        fetching: impl Future<Output = Result<T, EgressFailure>>,
    ) -> Result<T, EgressFailure> {
        let fetched = tokio::time::timeout(self.timeout, fetching).await;
        fetched.map_err(|_| {
            let timeout_ms = self.timeout.as_millis();
            let url = shown_text(&head.url);
            EgressFailure::TimedOut(format!("{url} gave no answer within {timeout_ms} ms"))
        })?
    }

    /// Sends the call, if the rules let it. A redirect is an answer: the app's next call follows it, and is checked as any other.
    async fn fetch(
        &self,
        head: &EgressHead,
        url: Url,
        body: Option<RequestBody>,
        mark: Option<&own::Mark>,
        asked: &mut Asked,
    ) -> Result<(Response<Incoming>, Held), EgressFailure> {
        let method = method(&head.method).ok_or_else(|| denied("bad method", head))?;
        let headers =
            headers::sent(&head.headers, body.is_some()).ok_or_else(|| denied("bad header", head))?;
        let mut request = Request::new(body.unwrap_or(Either::Left(Empty::new())));
        *request.method_mut() = method;
        *request.headers_mut() = headers;
        self.ask(&url, request, mark, asked).await
    }

    /// Asks one origin: the app's own, or one that the rules allow.
    async fn ask(
        &self,
        url: &Url,
        mut request: Request<RequestBody>,
        mark: Option<&own::Mark>,
        asked: &mut Asked,
    ) -> Result<(Response<Incoming>, Held), EgressFailure> {
        if let Some(caller) = self.own.get()
            && let Some(call) = caller.own(mark, url)?
        {
            OWN_HOST.clone_into(&mut asked.host);
            let (response, held) = caller.ask(call, url, request).await?;
            return Ok((response, Held::Own(held)));
        }
        if let Err(failure) = self.rules.check(url) {
            asked.denied = self.denied(url, None);
            return Err(failure);
        }
        *request.uri_mut() = Uri::try_from(url.as_str())
            .map_err(|error| EgressFailure::Unreachable(format!("{}: {error}", shown(url))))?;
        let (response, in_use) =
            self.client.call(request).await.map_err(|error| self.failure(url, &error, asked))?;
        Ok((response, Held::Socket(in_use)))
    }

    /// Why a call has no answer, as its app is told.
    fn failure(&self, url: &Url, error: &(dyn Error + 'static), asked: &mut Asked) -> EgressFailure {
        // The resolver's refusal arrives wrapped in the client's errors.
        let mut last = error;
        loop {
            if let Some(NotPublic(address)) = last.downcast_ref() {
                asked.denied = self.denied(url, Some(*address));
                return self.not_public(url, *address);
            }
            if let Some(OwnAddress(address)) = last.downcast_ref() {
                asked.denied = self.denied(url, Some(*address));
                return self.not_public(url, *address);
            }
            if let Some(no_place) = last.downcast_ref::<NoPlace>() {
                return EgressFailure::Limit(no_place.to_string());
            }
            let Some(cause) = last.source() else { break };
            last = cause;
        }
        unreachable(url, error)
    }

    /// What would open a denied call; nothing if no setting does.
    fn denied(&self, url: &Url, resolved: Option<SocketAddr>) -> Option<DeniedCall> {
        let needs = self.rules.missing(url, resolved);
        let origin = url.origin().ascii_serialization();
        let address = resolved.map(|address| address.to_string());
        let is_web = matches!(url.scheme(), "http" | "https");
        (is_web && !needs.is_empty()).then_some(DeniedCall { origin, address, needs })
    }

    /// Tells the operator what a name resolves to, and the app only that it is denied.
    fn not_public(&self, url: &Url, address: SocketAddr) -> EgressFailure {
        let host = url.host_str().unwrap_or_default();
        let may_say = self.log_quota.lock().unwrap_or_else(PoisonError::into_inner).take(1.0, Instant::now());
        if may_say {
            tracing::warn!(app = %self.app, host, %address,
                "a call was denied: it leads to no public address or to this machine, and `egress.allow_private` does not open it");
        }
        EgressFailure::Denied(format!(
            "{host} has no address that may be called; only the operator can open one (egress.allow_private)"
        ))
    }
}

fn denied(what: &str, head: &EgressHead) -> EgressFailure {
    EgressFailure::Denied(format!("{what} in a call to {}", shown_text(&head.url)))
}

/// An answer that has an end whatever happens: an app would wait for one that never comes until its own limits.
async fn whole(answer: impl Future<Output = Result<(), EgressFailure>>) -> Result<(), EgressFailure> {
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| {
        Err(EgressFailure::Unreachable("the broker itself failed, which is a defect of this build".into()))
    })
}

/// The method of a call. Those that the Fetch standard forbids are forbidden to native code, too: they make a tunnel of a proxy, or
/// have a server tell what it was sent.
fn method(name: &str) -> Option<Method> {
    const FORBIDDEN: [&str; 3] = ["CONNECT", "TRACE", "TRACK"];
    let forbidden = FORBIDDEN.iter().any(|known| known.eq_ignore_ascii_case(name));
    Method::from_bytes(name.as_bytes()).ok().filter(|_| !forbidden)
}

#[cfg(test)]
mod tests;

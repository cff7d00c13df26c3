//! Turns replies and failures into responses. Every error page is made here.

use super::address::Refusal;
use super::body::{EdgeBody, Source};
use super::context::RequestContext;
use super::own_cookie::PASS;
use super::select::Pin;
use super::shared_caches::{TO_THIS_HOST, keep_private};
use super::version_pin::{X_VITRINE_PIN, X_VITRINE_RELEASE};
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER,
    SEC_WEBSOCKET_VERSION, SET_COOKIE, STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE,
};
use http::{HeaderValue, Method, Response, StatusCode};
use std::time::Duration;
use vitrine_core::limits::RETRY_AFTER_S;
use vitrine_proxy::web_sockets::handshake::VERSION;
use vitrine_wire::{Done, Outcome};

/// Names the outcome on answers that the app did not give.
pub(crate) const X_VITRINE_OUTCOME: HeaderName = HeaderName::from_static("x-vitrine-outcome");
const X_VITRINE_EPOCH: HeaderName = HeaderName::from_static("x-vitrine-epoch");
const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Times that are known when the head is sent.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Timing {
    /// Waiting for a worker or in its queue.
    pub queue: Duration,
    /// Rendering, so far or in all.
    pub render: Duration,
    /// What the cache did.
    pub cache: &'static str,
}

impl Timing {
    /// Of what came from no cache: the worker's own figures, when it gave any.
    #[must_use]
    pub(crate) fn uncached(done: Option<&Done>) -> Self {
        let of = |us: fn(&Done) -> u64| Duration::from_micros(done.map_or(0, us));
        Self { queue: of(|done| done.queue_us), render: of(|done| done.render_us), cache: "bypass" }
    }
}

/// What a step answers with: an answer without the host's own headers.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub source: Source,
    /// Times that are known.
    pub timing: Timing,
}

/// Status of an outcome. The caller may know a better one: a client's error has many.
#[must_use]
pub(crate) const fn status_of(outcome: Outcome) -> StatusCode {
    match outcome {
        Outcome::Ok => StatusCode::OK,
        Outcome::ClientError | Outcome::BadRequest => StatusCode::BAD_REQUEST,
        Outcome::AppError => StatusCode::INTERNAL_SERVER_ERROR,
        Outcome::CpuLimit | Outcome::HeapLimit | Outcome::Overloaded | Outcome::Draining => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Outcome::WallLimit | Outcome::StreamIdle => StatusCode::GATEWAY_TIMEOUT,
        // A client that went away reads no status; the log has its own.
        Outcome::Crashed | Outcome::UpstreamGone | Outcome::Cancelled => StatusCode::BAD_GATEWAY,
        Outcome::NoRoute | Outcome::NoRelease => StatusCode::NOT_FOUND,
    }
}

/// What a person is told: what went wrong as they see it, and what they can do.
const fn explain(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok | Outcome::Cancelled => "",
        Outcome::ClientError | Outcome::BadRequest => "The request could not be understood.",
        Outcome::AppError | Outcome::Crashed | Outcome::HeapLimit | Outcome::UpstreamGone => {
            "This page could not be loaded. Please try again."
        }
        Outcome::CpuLimit | Outcome::WallLimit | Outcome::StreamIdle => {
            "This page took too long to load. Please try again."
        }
        Outcome::Overloaded | Outcome::Draining => "The service is busy. Please try again in a moment.",
        Outcome::NoRoute => "There is no site at this address.",
        Outcome::NoRelease => "There is nothing to show at this address.",
    }
}

/// An error that the host answers by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failure {
    /// How it counts.
    pub outcome: Outcome,
    /// Status.
    pub status: StatusCode,
    /// What the client is told.
    pub reason: &'static str,
    /// When trying again is worth it, if the status is 503, in seconds.
    pub retry_after_s: u64,
}

impl Failure {
    /// The usual answer to an outcome.
    #[must_use]
    pub(crate) const fn of(outcome: Outcome) -> Self {
        Self { outcome, status: status_of(outcome), reason: explain(outcome), retry_after_s: RETRY_AFTER_S }
    }

    /// To a client that has more at once than one may have.
    #[must_use]
    pub(crate) const fn too_many() -> Self {
        let reason = "There are too many requests from your address. Try again in a moment.";
        Self { reason, ..Self::of(Outcome::Overloaded).with(StatusCode::TOO_MANY_REQUESTS) }
    }

    /// With another status.
    #[must_use]
    pub(crate) const fn with(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let Refusal { outcome, status, reason } = refusal;
        Self { status, reason, ..Self::of(outcome) }
    }
}

/// Answers with an error: a page for people, problem+json for programs. Nothing of the inside is in it.
#[must_use]
pub(crate) fn failed(context: &mut RequestContext, failure: Failure) -> Reply {
    let reads = context.info.reads;
    context.outcome = failure.outcome;
    let (media, text) = if reads.problem_json {
        ("application/problem+json", problem(context, failure))
    } else {
        ("text/html; charset=utf-8", page(context, failure))
    };
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    tell_failure(&mut headers, failure);
    if failure.status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(
            http::header::ALLOW,
            HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        );
    }
    if failure.status == StatusCode::NOT_IMPLEMENTED {
        // Where the body ends is what client and host may see differently.
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if failure.status == StatusCode::UPGRADE_REQUIRED {
        headers.insert(SEC_WEBSOCKET_VERSION, VERSION);
    }
    if failure.status == StatusCode::UNAUTHORIZED {
        headers
            .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"preview\", charset=\"UTF-8\""));
    }
    let timing = Timing::uncached(context.done.as_ref());
    whole(context, failure.status, headers, text.into(), timing)
}

/// What the headers of an answer in the app's place say about what went wrong.
pub(crate) fn tell_failure(headers: &mut HeaderMap, failure: Failure) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_VITRINE_OUTCOME, HeaderValue::from_static(failure.outcome.as_str()));
    if matches!(failure.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        headers.insert(RETRY_AFTER, HeaderValue::from(failure.retry_after_s));
    }
}

/// Answers with bytes that are all at hand.
#[must_use]
pub(crate) fn whole(
    context: &RequestContext,
    status: StatusCode,
    mut headers: HeaderMap,
    data: Bytes,
    timing: Timing,
) -> Reply {
    let empty = data.is_empty() || context.info.method == Method::HEAD;
    if status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED {
        headers.entry(CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(data.len()));
    }
    let source = if empty { Source::Empty } else { Source::Memory(data) };
    Reply { status, headers, source, timing }
}

/// Puts the host's own headers on an answer and ties the request's context to its body.
#[must_use]
pub(crate) fn send(mut context: Box<RequestContext>, mut reply: Reply) -> Response<EdgeBody> {
    put_own(&mut context, &mut reply);
    respond(reply.status, reply.headers, EdgeBody::new(reply.source, context))
}

/// An answer of these parts.
pub(crate) fn respond(status: StatusCode, headers: HeaderMap, body: EdgeBody) -> Response<EdgeBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Puts the host's own headers on an answer. The request's own ones are not needed from here on.
pub(crate) fn put_own(context: &mut RequestContext, reply: &mut Reply) {
    let Reply { status, headers, timing, .. } = reply;
    context.headers = HeaderMap::new();
    context.status = status.as_u16();
    headers.remove(TO_THIS_HOST);
    headers.insert(super::request_info::X_REQUEST_ID, context.info.request_id.clone());
    if context.diagnostic {
        tell_origin(headers, context, *timing);
    } else {
        headers.remove(X_VITRINE_OUTCOME);
    }
    if let Some(hsts) = context.hsts.take() {
        headers.entry(STRICT_TRANSPORT_SECURITY).or_insert(hsts);
    }
    if let Some(routed) = context.routed.as_deref() {
        if !context.edited_by_rule {
            routed.edit_headers(headers, &context.address.host, context.info.uri.path());
        }
        routed.tell_caches(headers);
    }
    if context.by_own_name {
        headers.insert(X_ROBOTS_TAG, HeaderValue::from_static("noindex"));
    }
    if context.guarded {
        keep_private(headers);
    }
    if let Some(pass) = context.new_pass.take() {
        headers.append(SET_COOKIE, PASS.set(&pass, context.info.https, None));
    }
    let routed = context.routed.as_deref();
    if context.by_bucket || routed.is_some_and(|routed| routed.is_on_visitor()) {
        context.visitor.mark(headers, context.info.https);
    } else if context.by_pin || routed.is_some_and(|routed| routed.is_private()) {
        keep_private(headers);
    }
    if context.pin == Pin::Missed {
        headers.insert(X_VITRINE_PIN, HeaderValue::from_static("missed"));
    }
}

/// Which release and epoch an answer is of, and how long it took: what an operator can turn off.
fn tell_origin(headers: &mut HeaderMap, context: &RequestContext, timing: Timing) {
    headers.insert(X_VITRINE_EPOCH, HeaderValue::from(context.epoch));
    if let Some(target) = &context.target
        && let Ok(release) = HeaderValue::try_from(target.release.to_string())
    {
        headers.insert(X_VITRINE_RELEASE, release);
    }
    if let Some(status) = context.cached.status() {
        headers.append(CACHE_STATUS, status);
    }
    let edge = if context.edge.is_zero() { context.elapsed() } else { context.edge };
    if let Ok(timing) = HeaderValue::try_from(server_timing(edge, timing)) {
        headers.append(SERVER_TIMING, timing);
    }
}

fn server_timing(edge: Duration, timing: Timing) -> String {
    let ms = |duration: Duration| duration.as_micros() as f64 / 1000.0;
    let Timing { queue, render, cache } = timing;
    format!("edge;dur={}, queue;dur={}, render;dur={}, cache;desc={cache}", ms(edge), ms(queue), ms(render))
}

fn problem(context: &RequestContext, failure: Failure) -> String {
    serde_json::json!({
        "type": "about:blank",
        "title": failure.status.canonical_reason().unwrap_or_default(),
        "status": failure.status.as_u16(),
        "detail": failure.reason,
        "outcome": failure.outcome.as_str(),
        "request_id": context.info.request_id(),
    })
    .to_string()
}

/// Request ids and reasons hold no character that HTML gives a meaning, so nothing needs an escape.
fn page(context: &RequestContext, failure: Failure) -> String {
    let title = failure.status.canonical_reason().unwrap_or("Error");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:20vh auto;padding:0 1rem}}\
         small{{color:#666}}</style>\n<h1>{title}</h1>\n<p>{}</p>\n<p><small>Request {}</small></p>\n</html>\n",
        failure.reason,
        context.info.request_id(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitrine_core::telemetry::series::COUNTED_FROM_START;

    #[test]
    fn counts_that_are_exported_from_the_start_have_the_statuses_of_answers() {
        // The app chose the status of the first two; a release that can't be started is 503 instead of 404.
        let others = [Outcome::Ok, Outcome::StreamIdle, Outcome::NoRelease];
        for (outcome, code) in COUNTED_FROM_START.into_iter().filter(|(outcome, _)| !others.contains(outcome))
        {
            assert_eq!(status_of(outcome).as_u16(), code, "{outcome}");
        }
    }
}

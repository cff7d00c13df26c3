//! Forwards a request to the server that a routing rule names, and streams its answer back.

use super::body::Source;
use super::clients::Counted;
use super::context::RequestContext;
use super::forward::{is_named_by_connection, passes};
use super::forwarded::{X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO};
use super::own_cookie::PASS;
use super::preview_door;
use super::request_body::{BodyProgress, BodyTimeouts, bound};
use super::request_info::{TRACEPARENT, X_REQUEST_ID};
use super::response::{Failure, Reply, Timing};
use super::routed::Routed;
use super::state::EdgeState;
use super::web_socket::is_from_elsewhere;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, COOKIE, HOST, HeaderMap, HeaderName, UPGRADE};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::Empty;
use hyper::body::{Body as _, Incoming};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio_util::io::InspectReader;
use tokio_util::sync::CancellationToken;
use vitrine_core::hop_by_hop::is_hop_by_hop;
use vitrine_core::limits::{UPSTREAM_HEAD_MS, UPSTREAM_SOCKET_IDLE_MS};
use vitrine_core::telemetry::error_chain;
use vitrine_proxy::connections::activity::Activity;
use vitrine_proxy::rules::{Action, UpstreamOrigin};
use vitrine_proxy::upstreams::UpstreamError;
use vitrine_proxy::web_sockets::handshake::{UPGRADES, WEBSOCKET};
use vitrine_wire::{Headers, Outcome};

/// Headers by which hosts and frameworks talk to themselves that an upstream may be meant by: another host's pin, and Next.js' data.
const MEANT: [&str; 2] = ["x-vitrine-release", "x-nextjs-data"];

/// Whether the rule that holds leads to an upstream.
pub(crate) fn is_meant(context: &RequestContext) -> bool {
    let rule = context.routed.as_deref().and_then(Routed::rule);
    rule.is_some_and(|rule| matches!(rule.action, Action::Upstream { .. }))
}

/// What of a request goes to an upstream besides its head.
pub(crate) struct Outgoing<'a> {
    /// Its body.
    pub body: Option<Incoming>,
    /// Its connection, of one that asks for a WebSocket.
    pub connection: Option<OnUpgrade>,
    /// What its connection is told of it.
    pub activity: &'a Activity,
}

/// Forwards. A request for a WebSocket goes on as one.
///
/// # Errors
/// What to answer instead: the upstream can't be reached, breaks off or takes too long.
pub(crate) async fn forward<W>(
    edge: &EdgeState<W>,
    context: &mut RequestContext,
    outgoing: Outgoing<'_>,
) -> Result<Reply, Failure> {
    let Some(routed) = context.routed.take() else { return Err(Failure::of(Outcome::NoRoute)) };
    let answered = match routed.rule().map(|rule| &rule.action) {
        Some(Action::Upstream { origin, host, .. }) => {
            let host =
                host.as_ref().map(|host| routed.fill(host, &context.address.host, context.info.uri.path()));
            exchange(edge, context, (&routed, origin, host), outgoing).await
        }
        _ => Err(Failure::of(Outcome::NoRoute)),
    };
    context.routed = Some(routed);
    answered
}

async fn exchange<W>(
    edge: &EdgeState<W>,
    context: &mut RequestContext,
    (routed, origin, host): (&Routed, &UpstreamOrigin, Option<String>),
    Outgoing { body, connection, activity }: Outgoing<'_>,
) -> Result<Reply, Failure> {
    let connection = connection.filter(|_| context.info.handshake.is_asked());
    if connection.is_some() && context.guarded && is_from_elsewhere(&context.address.host, &context.headers) {
        return Err(Failure::of(Outcome::BadRequest).with(StatusCode::FORBIDDEN));
    }
    preview_door::forget(edge.guard.as_deref(), context);
    let counted = connection.is_some().then(|| edge.socket_clients.enter(context.info.client));
    let counted = counted.map(|counted| counted.ok_or(Failure::too_many())).transpose()?;
    let body = body.filter(|body| !body.is_end_stream());
    let declared = body.as_ref().and_then(|body| body.size_hint().exact());
    let has_body = body.is_some();
    let (body, progress) = match body {
        Some(body) => bound(body, u64::MAX, BodyTimeouts::default()),
        None => bound(Empty::new(), 0, BodyTimeouts::default()),
    };
    let mut request = Request::new(body);
    request.method_mut().clone_from(&context.info.method);
    *request.uri_mut() = target(routed, &context.info.uri);
    *request.headers_mut() = headers(context, &edge.trusted_headers, routed, host, connection.is_some());
    if let Some(bytes) = declared.filter(|_| has_body) {
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    }
    context.edge = context.elapsed();
    let answered = in_time(edge.upstreams.send(origin, request, has_body), &progress).await;
    let mut answer = answered.map_err(|error| failed(context, origin, &error))?;
    context.begun = Some(context.elapsed());
    activity.on_rendered();
    let render = context.elapsed().saturating_sub(context.edge);
    let timing = Timing { render, ..Timing::uncached(None) };
    let status = answer.status();
    if status == StatusCode::SWITCHING_PROTOCOLS {
        let Some(connection) = connection else { return Err(Failure::of(Outcome::UpstreamGone)) };
        let upstream = hyper::upgrade::on(&mut answer);
        let end = TunnelEnd { shutdown: edge.shutdown.clone(), handed_over: edge.handed_over.clone() };
        activity.after_http.set(tunnel(connection, upstream, counted, end));
        let mut headers = passed_on(answer.headers());
        headers.insert(CONNECTION, UPGRADES);
        headers.insert(UPGRADE, WEBSOCKET);
        context.outcome = Outcome::Ok;
        return Ok(Reply { status, headers, source: Source::Empty, timing });
    }
    let (head, body) = answer.into_parts();
    let mut headers = passed_on(&head.headers);
    if let Some(length) =
        head.headers.get(CONTENT_LENGTH).filter(|_| is_framed(&context.info.method, status, &body))
    {
        headers.insert(CONTENT_LENGTH, length.clone());
    }
    context.outcome = Outcome::Ok;
    let source = if body.is_end_stream() { Source::Empty } else { Source::upstream(body) };
    Ok(Reply { status, headers, source, timing })
}

/// Waits for an answer, and on while the client's body makes progress or is waited for.
async fn in_time<T>(
    answering: impl Future<Output = Result<T, UpstreamError>>,
    progress: &BodyProgress,
) -> Result<T, UpstreamError> {
    let mut answering = std::pin::pin!(answering);
    let mut received = progress.received();
    loop {
        let timeout = Duration::from_millis(UPSTREAM_HEAD_MS);
        if let Ok(answered) = tokio::time::timeout(timeout, &mut answering).await {
            return answered;
        }
        let now = progress.received();
        if now == received && !progress.waits() {
            return Err(UpstreamError::Slow);
        }
        received = now;
    }
}

/// Whether `content-length` says how long the body is, or, of an answer without one, would be.
fn is_framed(method: &Method, status: StatusCode, body: &Incoming) -> bool {
    method == Method::HEAD || status == StatusCode::NOT_MODIFIED || body.size_hint().exact().is_some()
}

/// Path and query as the upstream gets them.
fn target(routed: &Routed, sent: &Uri) -> Uri {
    let path = routed.path().unwrap_or(sent.path());
    let target = sent.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    // What was a target stays one without its beginning.
    target.parse().unwrap_or_else(|_| sent.clone())
}

/// Headers as the upstream gets them: the client's, without those about its connection, and what the edge says of it.
fn headers(
    context: &RequestContext,
    trusted_headers: &[HeaderName],
    routed: &Routed,
    host: Option<String>,
    upgrades: bool,
) -> HeaderMap {
    let info = &context.info;
    let mut kept: Headers = Vec::with_capacity(context.headers.len() + 8);
    for (name, value) in &context.headers {
        let is_meant = MEANT.contains(&name.as_str()) && !is_named_by_connection(name, &context.headers);
        if is_meant || passes(name, info, &context.headers, trusted_headers) {
            kept.push((name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes())));
        }
    }
    // The upstream may be another host, whose pin and visitors these are. A pass is this one's.
    if let Some(cookies) = context.cookies().without(PASS, &context.headers) {
        kept.push((COOKIE.as_str().to_owned(), cookies));
    }
    let authority = &context.address.authority;
    let scheme = if info.https { "https" } else { "http" };
    let mut put = |name: &HeaderName, value: &[u8]| {
        kept.push((name.as_str().to_owned(), Bytes::copy_from_slice(value)))
    };
    put(&HOST, host.as_ref().unwrap_or(authority).as_bytes());
    put(&X_FORWARDED_FOR, info.client.to_string().as_bytes());
    put(&X_FORWARDED_HOST, authority.as_bytes());
    put(&X_FORWARDED_PROTO, scheme.as_bytes());
    put(&X_REQUEST_ID, info.request_id.as_bytes());
    put(&TRACEPARENT, info.traceparent.as_bytes());
    if upgrades {
        put(&UPGRADE, WEBSOCKET.as_bytes());
        put(&CONNECTION, UPGRADES.as_bytes());
    }
    routed.edit_request(&mut kept, &context.address.host, info.uri.path());
    let legal = kept.into_iter().filter_map(|(name, value)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_maybe_shared(value).ok()?))
    });
    legal.fold(HeaderMap::new(), |mut map, (name, value)| {
        map.append(name, value);
        map
    })
}

/// Headers of an answer that go on to the client.
fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(headers.len() + 4);
    for (name, value) in headers {
        if !is_hop_by_hop(name.as_str()) && !is_named_by_connection(name, headers) {
            kept.append(name.clone(), value.clone());
        }
    }
    kept
}

fn failed(context: &RequestContext, origin: &UpstreamOrigin, error: &UpstreamError) -> Failure {
    tracing::warn!(
        request_id = context.info.request_id(),
        upstream = %format!("{}://{}", origin.scheme, origin.authority),
        error = %error_chain(error),
        "an upstream failed a request"
    );
    match error {
        UpstreamError::Slow => Failure::of(Outcome::WallLimit),
        UpstreamError::Gone(_) | UpstreamError::Tls(_) => Failure::of(Outcome::UpstreamGone),
    }
}

/// Carries bytes both ways until either side closes, says nothing for too long, or the host leaves.
async fn tunnel(client: OnUpgrade, upstream: OnUpgrade, counted: Option<Counted>, end: TunnelEnd) {
    let (Ok(client), Ok(upstream)) = tokio::join!(client, upstream) else { return };
    let carried = AtomicU64::new(0);
    let count = |bytes: &[u8]| {
        carried.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    };
    let mut client = InspectReader::new(TokioIo::new(client), count);
    let mut upstream = InspectReader::new(TokioIo::new(upstream), count);
    let idle = async {
        let mut before = u64::MAX;
        while before != carried.load(Ordering::Relaxed) {
            before = carried.load(Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(UPSTREAM_SOCKET_IDLE_MS)).await;
        }
    };
    tokio::select! {
        // A side that breaks off ends the other one, too.
        _ = tokio::io::copy_bidirectional(&mut client, &mut upstream) => {}
        () = idle => {}
        () = end.shutdown.cancelled() => {}
        () = end.handed_over.cancelled() => {}
    }
    drop(counted);
}

/// What ends a tunnel from this side.
struct TunnelEnd {
    shutdown: CancellationToken,
    handed_over: CancellationToken,
}

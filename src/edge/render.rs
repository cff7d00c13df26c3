//! Asks the app: claims a worker of the selected release, wakes it if it sleeps, sends the request and waits for the head.

use super::address::Refusal;
use super::context::RequestContext;
use super::forward::{BodyAhead, request_head};
use super::preview_door::{self, Stop};
use super::release_tag::ReleaseTag;
use super::request_body::{BodyProgress, BodyTimeouts, Fault, bound};
use super::response::Failure;
use super::select::Selection;
use super::state::{EdgeState, Wake};
use super::uplink::{Uplink, uplink};
use http::header::{CONTENT_LENGTH, HeaderMap};
use http::{Method, StatusCode};
use hyper::body::{Body as _, Incoming};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use vitrine_control::release::WakeError;
use vitrine_core::failpoint;
use vitrine_core::limits::{
    CLAIM_ATTEMPTS_MAX, RECONNECT_PAUSE_MS, UPSTREAM_RETRIES_MAX, WAKES_BY_CLIENT_EVERY_MS,
};
use vitrine_proxy::pool::{Claim, ClaimError, Pool};
use vitrine_proxy::route::speaks::{Reach, Voice};
use vitrine_proxy::worker::{Answer, Connection, RequestBody, WorkerState};
use vitrine_wire::{Done, Outcome};

/// A head, and the worker that gives the rest.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// Head and body.
    pub answer: Answer,
    /// Keeps the worker.
    pub claim: Claim,
    /// Waiting for a worker.
    pub waited: Duration,
    /// From the worker's turn to its head.
    pub head_after: Duration,
    /// How long the worker may say nothing.
    pub silence_timeout: Duration,
    /// The way to the worker, of a request that asks for a WebSocket.
    pub uplink: Option<Uplink>,
}

/// Renders. `selection` is the one in force at the end: it moves when the release leaves while it is being claimed.
///
/// # Errors
/// What to answer instead; the worker's end of the request, if it has one, is in the context.
pub(crate) async fn render<W: Wake>(
    edge: &EdgeState<W>,
    context: &mut RequestContext,
    selection: &mut Selection,
    unread: &mut Option<Incoming>,
) -> Result<Rendered, Failure> {
    if selection.voice != Voice::Everything {
        return Err(marked_as_bad());
    }
    if declared(&context.headers).is_some_and(|bytes| bytes > selection.target.request_bytes_max) {
        return Err(too_large());
    }
    // A request without a body may be rendered again.
    let body = unread.take().filter(|body| !body.is_end_stream());
    let bytes = body.as_ref().map_or(Some(0), |body| body.size_hint().exact());
    let ahead = BodyAhead {
        is_there: body.is_some(),
        // What the body is framed by, never the header's text.
        declared: bytes.filter(|_| context.headers.contains_key(CONTENT_LENGTH)),
        upgrade: context.info.handshake.is_asked() && body.is_none(),
    };
    let bytes_max = selection.target.request_bytes_max;
    let (mut body, progress) = body.map(|body| bound(body, bytes_max, BodyTimeouts::default())).unzip();
    let progress = progress.unwrap_or_default();
    let repeatable = !ahead.is_there && context.info.method.is_idempotent();
    let mut again = Again::default();
    loop {
        let before = context.elapsed();
        let claim = claim(edge, context, selection).await?;
        failpoint::at("edge.claimed");
        let waited = context.elapsed() - before;
        let head_timeout = Duration::from_millis(selection.target.head_timeout_ms);
        let release = ReleaseTag::of(selection.target.bundle.digest);
        let head = request_head(context, &edge.trusted_headers, release, ahead);
        context.edge = context.elapsed() - waited;
        let asked = context.elapsed();
        let mut uplink = None;
        let (sent, answered) = match claim.worker().connected().await {
            Ok(connection) => {
                let (way, sent) = to_send(ahead, &mut body);
                uplink = way;
                (true, ask(&connection, head, sent, &progress, head_timeout).await)
            }
            Err(done) => (false, Err(done)),
        };
        if let Err(Done { outcome: Outcome::UpstreamGone | Outcome::Crashed | Outcome::WallLimit, .. }) =
            &answered
        {
            claim.worker().suspect();
        }
        match answered {
            Ok(answer) => {
                claim.worker().answered(answer.head.status);
                let head_after = context.elapsed() - asked;
                let silence_timeout = Duration::from_millis(selection.target.stream_timeout_ms);
                return Ok(Rendered { answer, claim, waited, head_after, silence_timeout, uplink });
            }
            // What was not sent can't happen twice.
            Err(done) if (repeatable || !sent) && again.may_be_asked(done.outcome, sent) => {
                noticed(&claim).await;
            }
            Err(done) => {
                let failure = failure(done.outcome, &progress);
                context.done = Some(done);
                return Err(failure);
            }
        }
    }
}

/// What goes to the worker behind the head: the client's body, or the messages of a WebSocket and the way that they come by.
fn to_send(ahead: BodyAhead, body: &mut Option<RequestBody>) -> (Option<Uplink>, Option<RequestBody>) {
    if !ahead.upgrade {
        return (None, body.take());
    }
    let (uplink, messages) = uplink();
    (Some(uplink), Some(messages))
}

/// How often a request may still be asked again, by what became of it.
struct Again {
    /// Its worker was lost or leaves.
    lost: usize,
    /// Its worker was lost before, and is replaced.
    discarded: usize,
    /// Its worker did not come back in time and is replaced, or its isolate fell with another request.
    crashed: usize,
}

impl Default for Again {
    fn default() -> Self {
        let max = UPSTREAM_RETRIES_MAX;
        Self { lost: max, discarded: max, crashed: max }
    }
}

impl Again {
    fn may_be_asked(&mut self, outcome: Outcome, sent: bool) -> bool {
        let left = match outcome {
            Outcome::UpstreamGone if !sent => &mut self.discarded,
            Outcome::UpstreamGone | Outcome::Draining => &mut self.lost,
            Outcome::Crashed => &mut self.crashed,
            _ => return false,
        };
        let may = *left > 0;
        *left = left.saturating_sub(1);
        may
    }
}

/// Waits a moment until the host has noticed that a worker is lost: until then it would be asked in vain again.
async fn noticed(claim: &Claim) {
    let mut state = claim.worker().state();
    let still_ready = matches!(*state.borrow_and_update(), WorkerState::Ready(_));
    if still_ready {
        // Nothing to notice in time is a worker that was back at once.
        let _ = tokio::time::timeout(Duration::from_millis(RECONNECT_PAUSE_MS), state.changed()).await;
    }
}

fn failure(outcome: Outcome, progress: &BodyProgress) -> Failure {
    match progress.fault() {
        Some(Fault::TooLarge) => too_large(),
        Some(Fault::TooSlow) => {
            Refusal::client(StatusCode::REQUEST_TIMEOUT, "the request's body came too slowly").into()
        }
        Some(Fault::Broken) => Failure::of(Outcome::ClientError),
        None => Failure::of(outcome),
    }
}

fn too_large() -> Failure {
    Refusal::client(StatusCode::PAYLOAD_TOO_LARGE, "the request's body is too large").into()
}

fn declared(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Waits for a head as long as the worker's own limits allow, and on while a client's body makes progress or is waited for.
async fn ask(
    connection: &Arc<Connection>,
    head: vitrine_wire::RequestHead,
    body: Option<RequestBody>,
    progress: &BodyProgress,
    head_timeout: Duration,
) -> Result<Answer, Done> {
    let mut asked = std::pin::pin!(connection.request(head, body));
    let mut received = progress.received();
    loop {
        if let Ok(answered) = tokio::time::timeout(head_timeout, &mut asked).await {
            return answered;
        }
        let now = progress.received();
        if now == received && !progress.waits() {
            return Err(Done::of(Outcome::WallLimit));
        }
        received = now;
    }
}

/// Takes a worker. A release that leaves meanwhile is looked for again in the newest table; one that sleeps is woken.
async fn claim<W: Wake>(
    edge: &EdgeState<W>,
    context: &mut RequestContext,
    selection: &mut Selection,
) -> Result<Claim, Failure> {
    for _ in 0..CLAIM_ATTEMPTS_MAX {
        match selection.target.pool.claim() {
            Ok(claim) => return Ok(claim),
            Err(ClaimError::Draining) => {
                let table = edge.routes.snapshot();
                if table.epoch != context.epoch {
                    *selection = edge.select(&table, context).map_err(Failure::of)?;
                    context.select(selection, table.epoch);
                    let stop = preview_door::stop(edge.guard.as_deref(), context, selection);
                    if stop == Some(Stop::Refuse) {
                        return Err(preview_door::refusal());
                    }
                    if selection.voice != Voice::Everything {
                        return Err(marked_as_bad());
                    }
                    continue;
                }
                // It leaves, nothing takes its place, and still it is asked for: by its own host name or a pin.
            }
            Err(ClaimError::NoWorker) => {}
        }
        if let Ok(claim) = woken(edge, selection, context.info.client).await?.claim() {
            return Ok(claim);
        }
    }
    Err(Failure::of(Outcome::Draining))
}

/// What a release answers whose code must not run.
fn marked_as_bad() -> Failure {
    let reason = "This release is marked as bad. It answers again once it is promoted.";
    Failure { reason, ..Failure::of(Outcome::NoRelease) }
}

/// What a release answers whose worker can't be started.
fn does_not_start() -> Failure {
    let reason = "This site can't be started at the moment. Please try again in a minute.";
    Failure { reason, ..Failure::of(Outcome::NoRelease).with(StatusCode::SERVICE_UNAVAILABLE) }
}

async fn woken<W: Wake>(
    edge: &EdgeState<W>,
    selection: &Selection,
    client: IpAddr,
) -> Result<Arc<Pool>, Failure> {
    let Selection { app, target, .. } = selection;
    let users_have_it = app.voice(target, Reach::App) == Voice::Everything;
    if !users_have_it && !edge.wake_quota.admits(&target.release, client) {
        edge.telemetry.metrics.wake_refused();
        let retry_after_s = WAKES_BY_CLIENT_EVERY_MS / 1000;
        return Err(Failure { retry_after_s, ..Failure::of(Outcome::Overloaded) });
    }
    failpoint::at("edge.wake");
    edge.wake.wake(&target.release).await.map_err(|error| match error {
        WakeError::Busy { retry_after_s } => Failure { retry_after_s, ..Failure::of(Outcome::Overloaded) },
        WakeError::Failed(_) => {
            tracing::warn!(
                release = %target.release,
                error = &error as &dyn std::error::Error,
                "a sleeping release did not wake"
            );
            does_not_start()
        }
    })
}

/// Whether the app's shell may stand in: a browser goes to a page, and it is the host's fault or the app's that there is none.
#[must_use]
pub(crate) fn may_get_shell(context: &RequestContext, failure: Failure) -> bool {
    let reads = context.info.reads;
    failure.status.is_server_error() && context.info.method == Method::GET && reads.navigation && reads.html
}

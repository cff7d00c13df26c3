//! Upgrades a request to a WebSocket, and runs the connection from then on.

use super::app_head::re_encode;
use super::body::{EdgeBody, Source};
use super::clients::Counted;
use super::context::RequestContext;
use super::render::Rendered;
use super::response::{Reply, Timing, put_own, respond};
use super::select::Selection;
use super::state::EdgeState;
use super::uplink::Uplink;
use bytes::Bytes;
use http::header::{CONNECTION, HeaderMap, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, UPGRADE};
use http::{Response, StatusCode};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_util::sync::CancellationToken;
use url::Url;
use vitrine_core::limits::SOCKET_SPREAD_MS;
use vitrine_proxy::app_places::AppPlace;
use vitrine_proxy::connections::activity::Activity;
use vitrine_proxy::pool::Claim;
use vitrine_proxy::web_sockets::handshake::{Handshake, UPGRADES, WEBSOCKET};
use vitrine_proxy::web_sockets::pump::{self, CloseReason, Inbound};
use vitrine_proxy::worker::{AnswerBody, Piece};
use vitrine_wire::{Done, Outcome};

/// Messages from the worker.
#[derive(Debug)]
struct Downlink {
    body: AnswerBody,
    done: Option<Done>,
    /// Whether the release had left by its end.
    leaving: watch::Receiver<u64>,
}

impl Inbound for Downlink {
    async fn next(&mut self) -> Option<Bytes> {
        match self.body.next().await? {
            Piece::Data(data) => Some(data),
            Piece::End(done) => {
                self.done = Some(*done);
                None
            }
        }
    }

    fn end_reason(&self) -> CloseReason {
        let drained = self.done.as_ref().is_some_and(|done| done.outcome == Outcome::Draining);
        let left = self.leaving.has_changed().unwrap_or(true);
        if drained || left { CloseReason::Restart } else { CloseReason::Failed }
    }
}

/// What a request needs to become a socket.
#[derive(Debug)]
pub(crate) struct Upgrading {
    /// The connection, once the answer is sent.
    pub connection: OnUpgrade,
    /// Its place.
    pub place: AppPlace,
    /// That of its client; an app's own call has none.
    pub counted: Option<Counted>,
}

/// Whether a page of another host asks.
pub(crate) fn is_from_elsewhere(host: &str, headers: &HeaderMap) -> bool {
    headers.get(ORIGIN).is_some_and(|origin| {
        let url = origin.to_str().ok().and_then(|origin| Url::parse(origin).ok());
        url.as_ref().and_then(Url::host_str).is_none_or(|from| !from.eq_ignore_ascii_case(host))
    })
}

/// Accepts a handshake that the app has accepted. The connection goes on with the socket.
pub(crate) fn accept<W>(
    edge: &EdgeState<W>,
    context: &mut RequestContext,
    selection: &Selection,
    rendered: Rendered,
    (upgrading, uplink): (Upgrading, Uplink),
    stall: Duration,
) -> (Reply, Socket) {
    let Rendered { answer, mut claim, waited, head_after, .. } = rendered;
    let shared_domain = edge.shared_domain.as_deref();
    let mut headers = re_encode(answer.head.headers, &context.address.host, shared_domain);
    // What is not negotiated here can't be spoken.
    headers.remove(SEC_WEBSOCKET_EXTENSIONS);
    headers.insert(CONNECTION, UPGRADES);
    headers.insert(UPGRADE, WEBSOCKET);
    if let Handshake::Asked(proof) = &context.info.handshake {
        headers.insert(SEC_WEBSOCKET_ACCEPT, proof.clone());
    }
    let timing = Timing { queue: waited, render: head_after, ..Timing::uncached(None) };
    let reply = Reply { status: StatusCode::SWITCHING_PROTOCOLS, headers, source: Source::Empty, timing };
    context.begun = Some(context.elapsed());
    // It is a connection from now on, and those have bounds of their own.
    context.counted = None;
    let leaving = claim.leaving();
    claim.becomes_socket();
    let end = SocketEnd {
        leaving: leaving.clone(),
        has_left: has_left(edge, context, selection),
        handed_over: edge.handed_over.clone(),
        stop: edge.shutdown.clone(),
    };
    let downlink = Downlink { body: answer.body, done: None, leaving };
    (reply, Socket { upgrading, uplink, downlink, claim, stall, end })
}

/// Whether the release has left while the app was asked: nobody tells the socket a second time.
fn has_left<W>(edge: &EdgeState<W>, context: &RequestContext, selection: &Selection) -> bool {
    let table = edge.routes.snapshot();
    let now = || edge.select(&table, context);
    table.epoch != context.epoch && !now().is_ok_and(|now| now.target.release == selection.target.release)
}

/// What ends a socket from this side.
#[derive(Debug)]
struct SocketEnd {
    leaving: watch::Receiver<u64>,
    has_left: bool,
    handed_over: CancellationToken,
    stop: CancellationToken,
}

impl SocketEnd {
    /// Resolves when the socket is to be closed: at once when the host stops, and a little later than that, each socket at another time,
    /// when there is already something else to connect to.
    async fn reached(mut self) {
        if !self.has_left {
            tokio::select! {
                // Its sender is gone with the release.
                _ = self.leaving.changed() => {}
                () = self.handed_over.cancelled() => {}
                () = self.stop.cancelled() => return,
            }
        }
        let pause = Duration::from_millis(rand::random_range(0..SOCKET_SPREAD_MS));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.stop.cancelled() => {}
        }
    }
}

/// A socket from its handshake to its end.
#[derive(Debug)]
pub(crate) struct Socket {
    upgrading: Upgrading,
    uplink: Uplink,
    downlink: Downlink,
    claim: Claim,
    stall: Duration,
    end: SocketEnd,
}

impl Socket {
    /// Gives the answer to the handshake; the connection goes on with the socket once it is sent.
    pub(crate) fn open(
        self,
        mut context: Box<RequestContext>,
        mut reply: Reply,
        activity: &Activity,
    ) -> Response<EdgeBody> {
        put_own(&mut context, &mut reply);
        activity.after_http.set(self.serve(context));
        respond(reply.status, reply.headers, EdgeBody::none())
    }

    async fn serve(self, mut context: Box<RequestContext>) {
        let Self { upgrading, uplink, mut downlink, claim, stall, end } = self;
        let Upgrading { connection, place, counted } = upgrading;
        // The client left before it had the answer.
        let Ok(connection) = connection.await else { return };
        context.open_socket();
        let (io, app) = (TokioIo::new(connection), claim.release().app.clone());
        let summary = pump::run(io, Role::Server, stall, &mut downlink, uplink, end.reached(), app).await;
        context.bytes = summary.sent_bytes;
        context.done = downlink.done.take();
        context.end_socket(summary);
        drop((downlink, claim, place, counted));
    }
}

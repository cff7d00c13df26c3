//! A request that becomes a WebSocket: the app's answer to the handshake, and the connection from then on.

use super::access_log::Record;
use super::app_head::re_encode;
use super::body::EdgeBody;
use super::clients::Counted;
use super::handler::EdgeHandler;
use super::render::Rendered;
use super::response::{Timing, put_own, respond};
use super::select::Selection;
use bytes::Bytes;
use futures_util::stream::unfold;
use http::header::{CONNECTION, HeaderMap, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, UPGRADE};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_util::sync::CancellationToken;
use vitrine_core::limits::{SOCKET_PIECES, SOCKET_SPREAD_MS};
use vitrine_proxy::connections::activity::Activity;
use vitrine_proxy::pool::Claim;
use vitrine_proxy::web_sockets::handshake::{Handshake, UPGRADES, WEBSOCKET};
use vitrine_proxy::web_sockets::places::SocketPlace;
use vitrine_proxy::web_sockets::pump::{self, CloseReason, Inbound, Outbound};
use vitrine_proxy::worker::{AnswerBody, Piece, RequestBody};
use vitrine_wire::{Done, Outcome};

/// The way of a socket's messages to its worker.
#[derive(Debug)]
pub(crate) struct Uplink(mpsc::Sender<Bytes>);

/// A way to a worker, and the body that it ends in.
pub(crate) fn uplink() -> (Uplink, RequestBody) {
    let (sender, receiver) = mpsc::channel::<Bytes>(SOCKET_PIECES);
    let pieces = unfold(receiver, async |mut receiver| {
        let piece = receiver.recv().await?;
        Some((Ok(Frame::data(piece)), receiver))
    });
    (Uplink(sender), StreamBody::new(pieces).boxed_unsync())
}

impl Outbound for Uplink {
    async fn send(&mut self, data: Bytes) -> bool {
        self.0.send(data).await.is_ok()
    }
}

/// What the worker says.
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

/// What makes a socket of a request.
pub(crate) struct Upgrading {
    /// The connection, once the answer is sent.
    pub connection: OnUpgrade,
    /// Its place.
    pub place: SocketPlace,
    /// That of its client; an app's own call has none.
    pub counted: Option<Counted>,
}

impl<W> EdgeHandler<W> {
    /// Accepts a handshake that the app has accepted. The connection goes on with the socket.
    pub(crate) fn accept(
        &self,
        mut record: Box<Record>,
        selection: &Selection,
        request_headers: &HeaderMap,
        rendered: Rendered,
        (upgrading, uplink): (Upgrading, Uplink),
        activity: &Activity,
    ) -> Response<EdgeBody> {
        let Rendered { answer, mut claim, waited, head_after, .. } = rendered;
        let mut headers = re_encode(answer.head.headers, &record.host, self.shared_domain.as_deref());
        // What is not negotiated here can't be spoken.
        headers.remove(SEC_WEBSOCKET_EXTENSIONS);
        headers.insert(CONNECTION, UPGRADES);
        headers.insert(UPGRADE, WEBSOCKET);
        if let Handshake::Asked(proof) = &record.info.handshake {
            headers.insert(SEC_WEBSOCKET_ACCEPT, proof.clone());
        }
        let timing = Timing { queue: waited, render: head_after, ..Timing::uncached(None) };
        put_own(&mut record, StatusCode::SWITCHING_PROTOCOLS, &mut headers, timing);
        record.begun = Some(record.elapsed());
        // It is a connection from now on, and those have bounds of their own.
        record.counted = None;
        let leaving = claim.leaving();
        claim.becomes_socket();
        let has_left = self.has_left(&record, selection, request_headers);
        let leave = leave(leaving.clone(), has_left, self.handed_over.clone(), self.shutdown.clone());
        let downlink = Downlink { body: answer.body, done: None, leaving };
        let stall = activity.stall();
        let socket = Socket { upgrading, uplink, downlink, claim, stall, record };
        activity.after_http.set(socket.serve(leave));
        respond(StatusCode::SWITCHING_PROTOCOLS, headers, EdgeBody::none())
    }

    /// Whether the release has left while the app was asked: nobody tells it a second time.
    fn has_left(&self, record: &Record, selection: &Selection, headers: &HeaderMap) -> bool {
        let table = self.routes.snapshot();
        let now = || self.select(&table, &record.host, record, headers);
        table.epoch != record.epoch && !now().is_ok_and(|now| now.target.release == selection.target.release)
    }
}

/// Ends when the socket is to be closed: at once when the host stops, and a little later than that, each socket at another time, when there is
/// already something else to connect to.
async fn leave(
    mut leaving: watch::Receiver<u64>,
    has_left: bool,
    handed_over: CancellationToken,
    stop: CancellationToken,
) {
    if !has_left {
        tokio::select! {
            // Its sender is gone with the release.
            _ = leaving.changed() => {}
            () = handed_over.cancelled() => {}
            () = stop.cancelled() => return,
        }
    }
    let pause = Duration::from_millis(rand::random_range(0..SOCKET_SPREAD_MS));
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = stop.cancelled() => {}
    }
}

/// A socket from its handshake to its end.
struct Socket {
    upgrading: Upgrading,
    uplink: Uplink,
    downlink: Downlink,
    claim: Claim,
    stall: Duration,
    record: Box<Record>,
}

impl Socket {
    async fn serve(self, leave: impl Future<Output = ()> + Send) {
        let Self { upgrading, uplink, mut downlink, claim, stall, mut record } = self;
        let Upgrading { connection, place, counted } = upgrading;
        // The client left before it had the answer.
        let Ok(connection) = connection.await else { return };
        record.open_socket();
        let (io, app) = (TokioIo::new(connection), claim.release().app.clone());
        let summary = pump::run(io, Role::Server, stall, &mut downlink, uplink, leave, app).await;
        record.bytes = summary.sent_bytes;
        record.done = downlink.done.take();
        record.end_socket(summary);
        drop((downlink, claim, place, counted));
    }
}

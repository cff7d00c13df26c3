//! Sends a WebSocket's messages to its worker, as the body of the request that asked for it.

use bytes::Bytes;
use futures_util::stream::unfold;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use tokio::sync::mpsc;
use vitrine_core::limits::SOCKET_PIECES;
use vitrine_proxy::web_sockets::pump::Outbound;
use vitrine_proxy::worker::RequestBody;

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

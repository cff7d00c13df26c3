//! Reads a requests connection.

use super::ConnectionError;
use super::instance::Instance;
use crate::request::RequestStreams;
use futures_util::StreamExt;
use std::sync::Arc;
use tokio::net::unix::OwnedReadHalf;
use tokio_util::codec::FramedRead;
use vitrine_wire::{Channel, Codec, Frame};

/// Reads until the host closes the connection.
///
/// # Errors
/// What the host said that the protocol does not allow, or the failure of the socket.
pub async fn read(
    frames: &mut FramedRead<OwnedReadHalf, Codec>,
    instance: &Instance,
    streams: &Arc<RequestStreams>,
) -> Result<(), ConnectionError> {
    while let Some(frame) = frames.next().await {
        match frame? {
            Frame::Request(stream, head) => {
                if let Some(request) = streams.request(stream, head).await? {
                    instance.submit(request);
                }
            }
            Frame::Body(stream, data) => streams.body(stream, data).await?,
            Frame::BodyEnd(stream) => streams.body_end(stream)?,
            Frame::Credit(stream, bytes) => streams.credit(stream, bytes)?,
            Frame::Cancel(stream, _) => streams.cancel(stream),
            frame => return Err(ConnectionError::unexpected(Channel::Requests, &frame)),
        }
    }
    Ok(())
}

//! One socket of a worker: connect, hello, frames.

use super::{Identity, WorkerError};
use crate::limits::CONNECT_TIMEOUT_MS;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_util::codec::Framed;
use vitrine_wire::limits::HELLO_TIMEOUT_MS;
use vitrine_wire::{CONTROL_SOCKET, Channel, Codec, Frame, Hello, Peer, REQUESTS_SOCKET};

/// A socket past its hello.
pub type Link = Framed<UnixStream, Codec>;

/// Connects one of the sockets and exchanges hellos.
///
/// # Errors
/// [`WorkerError::Unreachable`], [`WorkerError::Mismatch`].
pub async fn connect(identity: &Identity, channel: Channel) -> Result<Link, WorkerError> {
    let file = match channel {
        Channel::Requests => REQUESTS_SOCKET,
        Channel::Control => CONTROL_SOCKET,
    };
    let path = identity.socket_dir.join(file);
    let unreachable = |source: io::Error| WorkerError::Unreachable {
        instance: identity.instance.clone(),
        path: path.display().to_string(),
        source: Arc::new(source),
    };
    let timed_out = |_| unreachable(io::Error::from(io::ErrorKind::TimedOut));
    let socket = tokio::time::timeout(Duration::from_millis(CONNECT_TIMEOUT_MS), UnixStream::connect(&path))
        .await
        .map_err(timed_out)?
        .map_err(unreachable)?;
    let mut link = Framed::new(socket, Codec);
    let hello = Hello::new(Peer::Host, channel, &identity.release.to_string(), identity.spec_hash.0);
    let exchange = async {
        link.send(Frame::Hello(hello.clone())).await.map_err(io::Error::other)?;
        link.next().await.ok_or(io::ErrorKind::UnexpectedEof)?.map_err(io::Error::other)
    };
    let answer = tokio::time::timeout(Duration::from_millis(HELLO_TIMEOUT_MS), exchange)
        .await
        .map_err(timed_out)?
        .map_err(unreachable)?;
    let Frame::Hello(theirs) = answer else {
        return Err(unreachable(io::Error::other("its first frame is not a hello")));
    };
    hello
        .accept(&theirs)
        .map_err(|source| WorkerError::Mismatch { instance: identity.instance.clone(), source })?;
    Ok(link)
}

/// Writes queued frames until the queue or the socket ends; those that wait together leave in one write.
pub async fn write(mut queue: mpsc::Receiver<Frame>, mut sink: SplitSink<Link, Frame>) {
    while let Some(frame) = queue.recv().await {
        if sink.feed(frame).await.is_err() {
            return;
        }
        while let Ok(frame) = queue.try_recv() {
            if sink.feed(frame).await.is_err() {
                return;
            }
        }
        if sink.flush().await.is_err() {
            return;
        }
    }
}

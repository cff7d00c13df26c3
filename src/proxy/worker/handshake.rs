//! Connects one socket of a worker and exchanges hellos.

use super::transport::Stream;
use super::{Identity, WorkerError};
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::codec::Framed;
use vitrine_core::limits::{CONNECT_TIMEOUT_MS, FRAMES_QUEUED_MAX, LINK_BODIES_BYTES_MAX};
use vitrine_wire::limits::HELLO_TIMEOUT_MS;
use vitrine_wire::{Channel, Codec, Frame, Hello, Peer};

/// A socket past its hello.
pub(super) type Link = Framed<Stream, Codec>;

/// Connects one of the sockets and exchanges hellos.
///
/// # Errors
/// [`WorkerError::Unreachable`], [`WorkerError::Mismatch`].
pub(super) async fn connect(identity: &Identity, channel: Channel) -> Result<Link, WorkerError> {
    let unreachable = |source: io::Error| WorkerError::Unreachable {
        instance: identity.instance.clone(),
        path: identity.endpoint.address(channel),
        source: Arc::new(source),
    };
    let timed_out = |_| unreachable(io::Error::from(io::ErrorKind::TimedOut));
    let connecting = identity.endpoint.connect(channel);
    let stream = tokio::time::timeout(Duration::from_millis(CONNECT_TIMEOUT_MS), connecting)
        .await
        .map_err(timed_out)?
        .map_err(unreachable)?;
    let mut link = Framed::new(stream, Codec);
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

/// The way into a socket's write queue: so many frames, and so many bytes of bodies among them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FrameSender {
    frames: mpsc::Sender<Frame>,
    /// Bytes of bodies that may be queued.
    room: Arc<Semaphore>,
}

/// What a socket's writer takes its frames from.
#[derive(Debug)]
pub(super) struct FrameQueue {
    frames: mpsc::Receiver<Frame>,
    room: Arc<Semaphore>,
}

/// The socket is lost.
#[derive(Debug)]
pub struct LinkLost;

/// A socket's write queue.
pub(super) fn queue() -> (FrameSender, FrameQueue) {
    let (sender, frames) = mpsc::channel(FRAMES_QUEUED_MAX);
    let room = Arc::new(Semaphore::new(LINK_BODIES_BYTES_MAX));
    (FrameSender { frames: sender, room: Arc::clone(&room) }, FrameQueue { frames, room })
}

impl FrameSender {
    /// Queues a frame, waiting for room: a worker that does not read must not make the host keep what it is sent.
    pub async fn send(&self, frame: Frame) -> Result<(), LinkLost> {
        let bytes = body_bytes(&frame);
        if bytes > 0 {
            self.room.acquire_many(bytes).await.map_err(|_| LinkLost)?.forget();
        }
        self.frames.send(frame).await.map_err(|_| LinkLost)
    }

    /// Queues a frame without a body if there is room now.
    pub fn try_send(&self, frame: Frame) -> bool {
        self.frames.try_send(frame).is_ok()
    }

    /// For frames without a body that a destructor sends: at once, or from a task when the queue is full.
    pub fn send_soon(&self, frame: Frame) {
        if let Err(mpsc::error::TrySendError::Full(frame)) = self.frames.try_send(frame) {
            let frames = self.clone();
            tokio::spawn(async move {
                // A closed queue is a lost connection, which has told every stream.
                let _ = frames.send(frame).await;
            });
        }
    }
}

impl FrameQueue {
    /// The next frame.
    pub(super) async fn recv(&mut self) -> Option<Frame> {
        self.frames.recv().await
    }
}

/// Wakes those that wait for room: the queue is closed.
impl Drop for FrameQueue {
    fn drop(&mut self) {
        self.room.close();
    }
}

fn body_bytes(frame: &Frame) -> u32 {
    match frame {
        // A piece is at most BODY_FRAME_BYTES_MAX long.
        Frame::Body(_, data) => data.len() as u32,
        _ => 0,
    }
}

/// Writes queued frames until the queue or the socket ends; those that wait together leave in one write.
pub(super) async fn write(mut queue: FrameQueue, mut sink: SplitSink<Link, Frame>) {
    while let Some(frame) = queue.recv().await {
        let mut next = Some(frame);
        while let Some(frame) = next {
            let bytes = body_bytes(&frame);
            if sink.feed(frame).await.is_err() {
                return;
            }
            queue.room.add_permits(bytes as usize);
            next = queue.frames.try_recv().ok();
        }
        if sink.flush().await.is_err() {
            return;
        }
    }
}

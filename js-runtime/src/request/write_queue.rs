//! A connection's write queue, usable from every thread.

use crate::limits::WRITE_QUEUE_CAPACITY;
use bytes::Bytes;
use tokio::sync::mpsc;
use vitrine_wire::limits::BODY_FRAME_BYTES_MAX;
use vitrine_wire::{Done, Frame, ResponseHead, StreamId};

/// One entry of the write queue: what one side has to say at once, so that the common case is one queue operation.
#[derive(Debug)]
pub enum WriteEntry {
    /// One frame.
    Frame(Frame),
    /// Body bytes of any length up to a window; they leave as several frames.
    Body(StreamId, Bytes),
    /// A complete answer.
    Answer(StreamId, Box<(ResponseHead, Bytes, Done)>),
}

impl WriteEntry {
    /// The frames of this entry, in order.
    pub fn frames(self) -> impl Iterator<Item = Frame> {
        let (first, stream, data, last) = match self {
            Self::Frame(frame) => (Some(frame), 0, Bytes::new(), None),
            Self::Body(stream, data) => (None, stream, data, None),
            Self::Answer(stream, answer) => {
                let (head, data, done) = *answer;
                (Some(Frame::Response(stream, head)), stream, data, Some(Frame::Done(stream, done)))
            }
        };
        first.into_iter().chain(split(data).map(move |piece| Frame::Body(stream, piece))).chain(last)
    }
}

/// Pieces as long as one frame allows.
pub(super) fn split(mut data: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || {
        let length = data.len().min(BODY_FRAME_BYTES_MAX);
        (length > 0).then(|| data.split_to(length))
    })
}

/// The sending end of a write queue.
#[derive(Debug, Clone)]
pub struct WriteQueue {
    queue: mpsc::Sender<WriteEntry>,
}

/// The receiving end of a write queue: a connection's writer has it.
pub type WriteQueueReader = mpsc::Receiver<WriteEntry>;

/// A place in the write queue that is held from the start of a stream, so that its end can always be said without waiting.
#[derive(Debug)]
pub struct Slot(mpsc::OwnedPermit<WriteEntry>);

impl Slot {
    /// Uses the place.
    pub fn send(self, outgoing: WriteEntry) {
        self.0.send(outgoing);
    }
}

impl WriteQueue {
    /// A write queue.
    #[must_use]
    pub fn new() -> (Self, WriteQueueReader) {
        let (queue, reader) = mpsc::channel(WRITE_QUEUE_CAPACITY);
        (Self { queue }, reader)
    }

    /// Holds a place for later; `None` when the queue is full or closed.
    #[must_use]
    pub fn slot(&self) -> Option<Slot> {
        self.queue.clone().try_reserve_owned().ok().map(Slot)
    }

    /// Waits for a place; `None` when the connection is gone.
    pub async fn place(&self) -> Option<mpsc::Permit<'_, WriteEntry>> {
        self.queue.reserve().await.ok()
    }

    /// Queues, waiting for a place. `false` when the connection is gone.
    pub async fn send(&self, outgoing: WriteEntry) -> bool {
        self.queue.send(outgoing).await.is_ok()
    }

    /// A place if there is one now.
    #[must_use]
    pub fn try_place(&self) -> Option<mpsc::Permit<'_, WriteEntry>> {
        self.queue.try_reserve().ok()
    }
}

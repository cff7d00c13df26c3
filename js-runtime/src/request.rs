//! One request and its answer inside the worker: what passes between the socket's thread and an isolate's.

mod answer;
mod body;
mod egress;
mod host_client;
mod local;
mod log_queue;
mod streams;
mod upload;
mod write_queue;

#[cfg(test)]
mod tests;

pub use answer::{AnswerEnd, AnswerWriter, Rest, StallClock};
pub use body::{BodyBroken, BodyFeed, BodyReader};
pub use egress::{EgressAnswer, EgressStreams};
pub use host_client::HostClient;
pub use local::LocalAnswer;
pub use log_queue::LogReader;
pub use streams::RequestStreams;
pub use upload::{UploadReader, UploadSender, upload};
pub use write_queue::{Slot, WriteEntry, WriteQueue, WriteQueueReader};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use vitrine_wire::{RequestHead, StreamId};

/// One request on its way to an isolate.
#[derive(Debug)]
pub struct Request {
    /// Head.
    pub head: RequestHead,
    /// Body, if it has one.
    pub body: Option<BodyReader>,
    /// Where the answer goes.
    pub answer: AnswerWriter,
    /// Cancelled when the client went away or the connection was lost: the app's `AbortSignal`.
    pub cancelled: CancellationToken,
    /// When it came off the socket.
    pub received: std::time::Instant,
}

/// What the control socket asks of the pool.
#[derive(Debug)]
pub enum PoolRequest {
    /// Each isolate runs a no-op and answers with its figures.
    Status(oneshot::Sender<(u32, Vec<vitrine_wire::IsolateStatus>)>),
    /// Give memory back, stop polling; answered when done.
    Freeze(oneshot::Sender<()>),
    /// Serve again; answered when done.
    Thaw(oneshot::Sender<()>),
    /// Take nothing new; answered when nothing is queued or in flight.
    Drain(oneshot::Sender<()>),
}

/// What the peer did that the protocol does not allow. The connection ends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// A stream number that is still open was used again.
    #[error("stream {0} is already open")]
    Reused(StreamId),
    /// More streams at once than both sides agreed on.
    #[error("the peer opened more than {} streams at once", vitrine_wire::limits::STREAMS_MAX)]
    TooMany,
    /// More body bytes than were credited.
    #[error("stream {0} sent more body bytes than it was given credit for")]
    WindowExceeded(StreamId),
    /// Body bytes after the end of the body, or for a stream that has none.
    #[error("stream {0} sent body bytes after the end of its body")]
    AfterEnd(StreamId),
    /// More credit than bytes were sent.
    #[error("stream {0} was credited more body bytes than were sent")]
    CreditExceeded(StreamId),
    /// A second head on one stream.
    #[error("stream {0} sent a second head")]
    SecondHead(StreamId),
}

/// Whether the lock's holder panicked does not matter to the tables behind it: each change to them is one step.
pub(crate) fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

//! One request and its answer inside the worker: what passes between the socket's thread and an isolate's.

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use vitrine_wire::{Done, EgressFailure, EgressHead, LogLine, RequestHead, ResponseHead};

/// One request on its way to an isolate.
#[derive(Debug)]
pub struct Exchange {
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

/// The receiving end of a body. Each piece taken is credited to the sender.
#[derive(Debug)]
pub struct BodyReader {
    _pieces: mpsc::Receiver<Result<Bytes, BodyBroken>>,
}

/// The sender of a body went away before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body ended early")]
pub struct BodyBroken;

impl BodyReader {
    /// The next piece; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes, BodyBroken>> {
        todo!()
    }
}

/// The sending end of an answer. Dropping it without [`AnswerWriter::done`] ends the answer as `crashed`.
#[derive(Debug)]
pub struct AnswerWriter {}

impl AnswerWriter {
    /// Sends the head; once.
    pub async fn head(&mut self, _head: ResponseHead) {
        todo!()
    }

    /// Sends body bytes, split as the wire asks, waiting for the receiver's window. `false` when nobody reads any more.
    pub async fn data(&mut self, _data: Bytes) -> bool {
        todo!()
    }

    /// Sends body bytes only if the window takes all of them at once; gives them back otherwise.
    ///
    /// # Errors
    /// The bytes, unsent.
    pub fn try_data(&mut self, _data: Bytes) -> Result<(), Bytes> {
        todo!()
    }

    /// Time spent waiting for the receiver so far: `wall_ms` does not count it.
    #[must_use]
    pub fn blocked(&self) -> std::time::Duration {
        todo!()
    }

    /// Ends the answer.
    pub fn done(self, _done: Done) {
        todo!()
    }
}

/// The isolates' way to the host beyond answers. Cheap to clone; a handle of a lost connection fails each call at once
/// and works again when the host is back.
#[derive(Debug, Clone)]
pub struct HostLink {}

/// Answer to an egress call.
#[derive(Debug)]
pub struct EgressAnswer {
    /// Head.
    pub head: ResponseHead,
    /// Body.
    pub body: BodyReader,
}

impl HostLink {
    /// Makes a call through the host's broker. Dropping the future, or the answer's body, cancels it.
    ///
    /// # Errors
    /// Why the broker did not make it.
    pub async fn egress(
        &self,
        _head: EgressHead,
        _body: Option<mpsc::Receiver<Bytes>>,
    ) -> Result<EgressAnswer, EgressFailure> {
        todo!()
    }

    /// Queues a log line; dropped and counted when the queue is full (the app logs faster than the host reads).
    pub fn log(&self, _line: LogLine) {
        todo!()
    }
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

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
    pieces: mpsc::Receiver<Result<Bytes, BodyBroken>>,
}

/// The sender of a body went away before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body ended early")]
pub struct BodyBroken;

impl BodyReader {
    /// A reader of what is sent to `pieces`.
    #[must_use]
    pub fn new(pieces: mpsc::Receiver<Result<Bytes, BodyBroken>>) -> Self {
        Self { pieces }
    }

    /// The next piece; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes, BodyBroken>> {
        self.pieces.recv().await
    }
}

/// A piece of an answer.
#[derive(Debug)]
pub enum AnswerPart {
    /// Head.
    Head(ResponseHead),
    /// Body bytes.
    Data(Bytes),
    /// End.
    Done(Done),
}

/// The sending end of an answer. Dropping it without [`AnswerWriter::done`] ends the answer as `crashed`.
#[derive(Debug)]
pub struct AnswerWriter {
    parts: mpsc::Sender<AnswerPart>,
    blocked: std::time::Duration,
}

impl AnswerWriter {
    /// A writer and what it writes.
    #[must_use]
    pub fn channel(parts: usize) -> (Self, mpsc::Receiver<AnswerPart>) {
        let (sender, receiver) = mpsc::channel(parts);
        (Self { parts: sender, blocked: std::time::Duration::ZERO }, receiver)
    }

    /// Sends the head; once.
    pub async fn head(&mut self, head: ResponseHead) {
        let _ = self.parts.send(AnswerPart::Head(head)).await;
    }

    /// Sends body bytes, split as the wire asks, waiting for the receiver's window. `false` when nobody reads any more.
    pub async fn data(&mut self, data: Bytes) -> bool {
        let start = std::time::Instant::now();
        let sent = self.parts.send(AnswerPart::Data(data)).await.is_ok();
        self.blocked += start.elapsed();
        sent
    }

    /// Time spent waiting for the receiver so far: `wall_ms` does not count it.
    #[must_use]
    pub fn blocked(&self) -> std::time::Duration {
        self.blocked
    }

    /// Ends the answer.
    pub fn done(self, done: Done) {
        let _ = self.parts.try_send(AnswerPart::Done(done));
    }
}

/// The isolates' way to the host beyond answers. Cheap to clone; a handle of a lost connection fails each call at once
/// and works again when the host is back.
#[derive(Debug, Clone)]
pub struct HostLink {
    logs: mpsc::Sender<LogLine>,
    egress: mpsc::Sender<EgressCall>,
}

/// An egress call on its way to the host.
#[derive(Debug)]
pub struct EgressCall {
    /// Head.
    pub head: EgressHead,
    /// Body.
    pub body: Option<mpsc::Receiver<Bytes>>,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Result<EgressAnswer, EgressFailure>>,
}

/// Answer to an egress call.
#[derive(Debug)]
pub struct EgressAnswer {
    /// Head.
    pub head: ResponseHead,
    /// Body.
    pub body: BodyReader,
}

impl HostLink {
    /// A link and its far end.
    #[must_use]
    pub fn channel() -> (Self, mpsc::Receiver<LogLine>, mpsc::Receiver<EgressCall>) {
        let (logs, log_lines) = mpsc::channel(1024);
        let (egress, calls) = mpsc::channel(64);
        (Self { logs, egress }, log_lines, calls)
    }

    /// Makes a call through the host's broker. Dropping the future, or the answer's body, cancels it.
    ///
    /// # Errors
    /// Why the broker did not make it.
    pub async fn egress(
        &self,
        head: EgressHead,
        body: Option<mpsc::Receiver<Bytes>>,
    ) -> Result<EgressAnswer, EgressFailure> {
        let gone = || EgressFailure::Unreachable("the host is not connected".to_owned());
        let (answer, answered) = oneshot::channel();
        self.egress.send(EgressCall { head, body, answer }).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Queues a log line; dropped and counted when the queue is full (the app logs faster than the host reads).
    pub fn log(&self, line: LogLine) {
        let _ = self.logs.try_send(line);
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

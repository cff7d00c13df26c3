//! One worker as the host sees it: its two sockets, its state, its requests.

use crate::id::{Digest, InstanceId, ReleaseId};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use vitrine_wire::{BootFailure, Done, LogLine, Pong, Ready, RequestHead, ResponseHead, Start};

/// What a worker must turn out to be.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Which worker.
    pub instance: InstanceId,
    /// What it serves.
    pub release: ReleaseId,
    /// What it was started with.
    pub spec_hash: Digest,
    /// Folder that holds its sockets.
    pub socket_dir: std::path::PathBuf,
}

/// Why a worker can't be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WorkerError {
    /// Its sockets can't be reached within the time given.
    #[error("worker {instance} can't be reached at {path}")]
    Unreachable {
        /// Which.
        instance: InstanceId,
        /// Socket.
        path: String,
        /// Cause.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// Its hello does not fit: another release, another specification, another protocol. The instance is dead.
    #[error("worker {instance} is not what was started")]
    Mismatch {
        /// Which.
        instance: InstanceId,
        /// Field that differs.
        #[source]
        source: vitrine_wire::HelloError,
    },
    /// The bundle can't be served.
    #[error("{}", .0.message)]
    Boot(BootFailure),
    /// Not ready in time.
    #[error("worker {instance} was not ready within {timeout_ms} ms")]
    BootTimeout {
        /// Which.
        instance: InstanceId,
        /// Bound that passed.
        timeout_ms: u64,
    },
    /// The connection was lost.
    #[error("the connection to worker {instance} was lost")]
    Lost {
        /// Which.
        instance: InstanceId,
    },
}

/// Where a worker stands. `Lost` is passed on the way back to `Booting` when its render process died and the
/// supervisor starts another; a worker whose container is gone stays `Lost`.
#[derive(Debug, Clone)]
pub enum WorkerState {
    /// `Start` was sent.
    Booting,
    /// It serves.
    Ready(Ready),
    /// It can't serve.
    Failed(BootFailure),
    /// Its connection is lost; being reconnected.
    Lost,
}

/// A line for the log of its release.
#[derive(Debug, Clone)]
pub struct WorkerLog {
    /// Which worker.
    pub instance: InstanceId,
    /// What it serves.
    pub release: ReleaseId,
    /// The line.
    pub line: LogLine,
}

/// A connected worker. Dropping the last handle closes its sockets; a process worker ends then.
#[derive(Debug)]
pub struct Worker {
    identity: Identity,
    state: watch::Receiver<WorkerState>,
}

/// A request body on its way to a worker: pieces, or the error of the client that sends it.
pub type RequestBody = http_body_util::combinators::BoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// An answer: its head, then its body. Dropping it cancels the render.
#[derive(Debug)]
pub struct Answer {
    /// Head.
    pub head: ResponseHead,
    /// Body pieces, in order, then exactly one end.
    pub body: AnswerBody,
}

/// The body of an answer: [`AnswerBody::next`] until it gives the end.
#[derive(Debug)]
pub struct AnswerBody {
    pieces: mpsc::Receiver<Piece>,
}

/// One step of an answer's body.
#[derive(Debug)]
pub enum Piece {
    /// Bytes.
    Data(Bytes),
    /// The end. Anything but `Outcome::Ok` means that the body is not complete.
    End(Done),
}

impl AnswerBody {
    /// The next piece. After the end it gives `None`; a connection that is lost gives an end with `UpstreamGone`.
    pub async fn next(&mut self) -> Option<Piece> {
        self.pieces.recv().await
    }
}

impl Worker {
    /// Connects, says hello, sends `start`, and keeps both sockets connected from then on.
    ///
    /// # Errors
    /// [`WorkerError::Unreachable`] and [`WorkerError::Mismatch`].
    pub async fn connect(
        _identity: Identity,
        _start: Start,
        _egress: Arc<crate::worker::Egress>,
        _logs: mpsc::Sender<WorkerLog>,
    ) -> Result<Arc<Self>, WorkerError> {
        todo!()
    }

    /// Who it is.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Where it stands, and every change.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<WorkerState> {
        self.state.clone()
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// [`WorkerError::Boot`], [`WorkerError::BootTimeout`], [`WorkerError::Lost`].
    pub async fn ready(&self, _timeout: Duration) -> Result<Ready, WorkerError> {
        todo!()
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// The worker's end of the request when it came without a head: outcome, figures, what the app threw.
    pub async fn request(&self, _head: RequestHead, _body: Option<RequestBody>) -> Result<Answer, Done> {
        todo!()
    }

    /// Asks whether it lives.
    ///
    /// # Errors
    /// [`WorkerError::Lost`] when no answer comes in time.
    pub async fn ping(&self, _timeout: Duration) -> Result<Pong, WorkerError> {
        todo!()
    }

    /// Asks it to give memory back and stop polling, or to serve again.
    ///
    /// # Errors
    /// [`WorkerError::Lost`] when no answer comes in time.
    pub async fn freeze(&self, _frozen: bool, _timeout: Duration) -> Result<(), WorkerError> {
        todo!()
    }
}

/// What one release may call: the bundle's list and the operator's policy.
#[derive(Debug)]
pub struct Egress;

//! One worker as the host sees it: its two sockets, its state, its requests.
//!
//! A [`Worker`] keeps both sockets connected for as long as somebody holds it. When its render process dies, the
//! supervisor beside it starts another behind the same sockets: the state goes to `Lost`, the sockets are connected
//! again, `Start` is sent again, and requests that wait in [`Worker::request`] go to the new process.

mod control;
mod egress;
#[cfg(any(test, feature = "fixture"))]
pub mod fixture;
mod handshake;
mod inbox;
mod liveness;
mod memory;
mod requests;
mod snapshot;
mod transport;
mod turn;
mod untaken;

pub use egress::{Denials, DeniedCall, Egress, OwnCall, OwnOrigin, OwnOrigins, Setting, Sockets};
pub use memory::{BodyMemory, MemoryShare};
use requests::Slot;
pub use requests::{Answer, AnswerBody, Connection, Piece, RequestBody};
pub use snapshot::{SnapshotError, take_snapshot};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
pub use transport::Endpoint;
use vitrine_core::id::{Digest, InstanceId, ReleaseId};
use vitrine_core::limits::{FAILURES_SUSPECT, RECONNECT_WAIT_MS, WORKER_COMMANDS_MAX};
use vitrine_wire::{BootFailure, Done, LogLine, Outcome, Pong, Ready, RequestHead, Start};

/// What a worker must turn out to be.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Which worker.
    pub instance: InstanceId,
    /// What it serves.
    pub release: ReleaseId,
    /// What it was started with.
    pub spec_hash: Digest,
    /// Where it is reached.
    pub endpoint: Endpoint,
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

/// Where a worker stands.
#[derive(Debug, Clone)]
pub enum WorkerState {
    /// `Start` was sent.
    Booting,
    /// It serves.
    Ready(Ready),
    /// It did serve, its connection stands, and it answers no ping.
    Hung,
    /// It can't serve.
    Failed(BootFailure),
    /// Its connection is lost and is being made again.
    Lost,
    /// It is to be stopped, and is no worker of its release any more. Nothing comes after this.
    Discarded,
}

/// Where a worker stands, for the code that changes it.
#[derive(Debug, Clone)]
struct Standing(watch::Sender<WorkerState>);

impl Standing {
    fn set(&self, state: WorkerState) {
        self.0.send_if_modified(|now| {
            let may = !matches!(now, WorkerState::Discarded);
            if may {
                *now = state;
            }
            may
        });
    }

    fn has_served(&self) -> bool {
        matches!(*self.0.borrow(), WorkerState::Ready(_) | WorkerState::Hung)
    }

    fn is_discarded(&self) -> bool {
        matches!(*self.0.borrow(), WorkerState::Discarded)
    }
}

/// Takes what workers write for the logs of their releases. It never waits, and bounds what it keeps.
pub trait LogSink: std::fmt::Debug + Send + Sync {
    /// Takes lines of this worker.
    fn take(&self, worker: &Identity, lines: Vec<LogLine>);
}

/// What may be asked over the control socket.
#[derive(Debug)]
enum Command {
    Ping(oneshot::Sender<Pong>),
    Freeze(bool, oneshot::Sender<()>),
}

/// A connected worker. Dropping the last handle closes its sockets; a process worker ends then.
#[derive(Debug)]
pub struct Worker {
    identity: Identity,
    standing: Standing,
    state: watch::Receiver<WorkerState>,
    connection: Arc<Slot>,
    commands: mpsc::Sender<Command>,
    suspicions: watch::Sender<u64>,
    failures: AtomicU32,
    _tasks: DropGuard,
}

impl Worker {
    /// Connects, says hello, sends `start`, and keeps both sockets connected from then on.
    ///
    /// # Errors
    /// [`WorkerError::Unreachable`] and [`WorkerError::Mismatch`].
    pub async fn connect(
        identity: Identity,
        start: Start,
        egress: Arc<Egress>,
        logs: Arc<dyn LogSink>,
        memory: Arc<MemoryShare>,
    ) -> Result<Arc<Self>, WorkerError> {
        let first = handshake::connect(&identity, vitrine_wire::Channel::Control).await?;
        let (tell, state) = watch::channel(WorkerState::Booting);
        let standing = Standing(tell);
        let (commands, commands_rx) = mpsc::channel(WORKER_COMMANDS_MAX);
        let connection = Arc::new(Slot::default());
        let stop = CancellationToken::new();
        let (suspicions, suspected) = watch::channel(0);
        let keeper = control::ControlTask {
            identity: identity.clone(),
            start,
            egress,
            logs,
            memory,
            standing: standing.clone(),
            connection: Arc::clone(&connection),
            commands: commands_rx,
            suspected,
        };
        let stopped = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                () = keeper.run(first) => {}
            }
        });
        let _tasks = stop.drop_guard();
        let failures = AtomicU32::new(0);
        Ok(Arc::new(Self { identity, standing, state, connection, commands, suspicions, failures, _tasks }))
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

    /// It is about to be stopped: callers that wait for it get an error at once. Requests in flight may finish.
    pub fn discard(&self) {
        self.standing.set(WorkerState::Discarded);
    }

    /// Whether it serves now.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(*self.state.borrow(), WorkerState::Ready(_))
    }

    /// Whether it hangs: its connection stands, and it answers no ping.
    #[must_use]
    pub fn is_hung(&self) -> bool {
        matches!(*self.state.borrow(), WorkerState::Hung)
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// [`WorkerError::Boot`], [`WorkerError::BootTimeout`], [`WorkerError::Lost`].
    pub async fn ready(&self, timeout: Duration) -> Result<Ready, WorkerError> {
        let mut state = self.state.clone();
        let instance = || self.identity.instance.clone();
        let wait = async {
            loop {
                match &*state.borrow_and_update() {
                    WorkerState::Ready(ready) => return Ok(ready.clone()),
                    WorkerState::Failed(failure) => return Err(WorkerError::Boot(failure.clone())),
                    WorkerState::Discarded => return Err(WorkerError::Lost { instance: instance() }),
                    WorkerState::Booting | WorkerState::Hung | WorkerState::Lost => {}
                }
                if state.changed().await.is_err() {
                    return Err(WorkerError::Lost { instance: instance() });
                }
            }
        };
        tokio::time::timeout(timeout, wait).await.unwrap_or_else(|_| {
            Err(WorkerError::BootTimeout { instance: instance(), timeout_ms: timeout.as_millis() as u64 })
        })
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// The worker's end of the request when it came without a head: outcome, figures, what the app threw.
    pub async fn request(&self, head: RequestHead, body: Option<RequestBody>) -> Result<Answer, Done> {
        self.connected().await?.request(head, body).await
    }

    /// Its connection for requests; waits a moment for a worker whose render process was just lost, or that hangs. On an error
    /// nothing has been sent.
    ///
    /// # Errors
    /// [`Outcome::UpstreamGone`] when it is no worker of its release any more, [`Outcome::Crashed`] when it is not back in time.
    pub async fn connected(&self) -> Result<Arc<Connection>, Done> {
        if let Some(connection) = self.connection.load() {
            return Ok(connection);
        }
        let timeout = Duration::from_millis(RECONNECT_WAIT_MS);
        if self.ready(timeout).await.is_ok()
            && let Some(connection) = self.connection.load()
        {
            return Ok(connection);
        }
        let outcome = if self.standing.is_discarded() { Outcome::UpstreamGone } else { Outcome::Crashed };
        Err(Done::of(outcome))
    }

    /// A request that this worker had was lost, or not answered in time: its checks are due now. Decides nothing by itself.
    pub fn suspect(&self) {
        self.suspicions.send_modify(|count| *count += 1);
    }

    /// Takes note of an answer's status: several server errors in a row are a reason to look, and no more.
    pub fn answered(&self, status: u16) {
        if status < 500 {
            // The hot path only reads as long as all is well.
            if self.failures.load(Ordering::Relaxed) > 0 {
                self.failures.store(0, Ordering::Relaxed);
            }
        } else if self.failures.fetch_add(1, Ordering::Relaxed) + 1 == FAILURES_SUSPECT {
            self.failures.store(0, Ordering::Relaxed);
            self.suspect();
        }
    }

    /// Every suspicion from now on.
    #[must_use]
    pub fn suspicions(&self) -> watch::Receiver<u64> {
        self.suspicions.subscribe()
    }

    /// Asks whether it lives.
    ///
    /// # Errors
    /// [`WorkerError::Lost`] when no answer comes in time.
    pub async fn ping(&self, timeout: Duration) -> Result<Pong, WorkerError> {
        let (answer, answered) = oneshot::channel();
        self.command(Command::Ping(answer), answered, timeout).await
    }

    /// Asks it to give memory back and stop polling, or to serve again.
    ///
    /// # Errors
    /// [`WorkerError::Lost`] when no answer comes in time.
    pub async fn freeze(&self, frozen: bool, timeout: Duration) -> Result<(), WorkerError> {
        let (answer, answered) = oneshot::channel();
        self.command(Command::Freeze(frozen, answer), answered, timeout).await
    }

    async fn command<T>(
        &self,
        command: Command,
        answered: oneshot::Receiver<T>,
        timeout: Duration,
    ) -> Result<T, WorkerError> {
        let lost = || WorkerError::Lost { instance: self.identity.instance.clone() };
        self.commands.try_send(command).map_err(|_| lost())?;
        match tokio::time::timeout(timeout, answered).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) | Err(_) => Err(lost()),
        }
    }
}

//! The engine seam: the one closed list of what may be asked of whatever runs workers.
//!
//! The host asks through [`Engine`]; a process of its own ([`engine`]) does it, and alone talks to Docker.

#![warn(unreachable_pub)]

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, WeakShared};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use vitrine_core::config::{Isolation, WorkerResources};
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::id::{Digest, InstanceId, ReleaseId};
use vitrine_core::limits::{
    ENGINE_CHECK_ALONE_TIMEOUT_MS, ENGINE_CHECK_TIMEOUT_MS, ENGINE_PROBE_TIMEOUT_MS, ENGINE_PRUNE_TIMEOUT_MS,
    ENGINE_READ_TIMEOUT_MS, ENGINE_START_TIMEOUT_MS, ENGINE_STOP_MARGIN_MS,
};

mod client;
mod docker;
mod doctor;
pub mod engine;
mod failure;
mod image;
mod isolation;
mod layout;
mod options;
mod output;
mod policy;
mod process;
mod standalone_image;

pub use doctor::{Check, Grade, doctor};
pub use isolation::{Decision, choose};
pub use layout::worker_uid;
pub use options::{EngineOptions, OptionsError, docker_socket, worker_binary};
pub use standalone_image::{ImageUnavailable, worker_image};

/// What a worker is started from. The engine derives the whole container from this and nothing else; paths come from
/// its own data folder: `DIR/run/INSTANCE/` for the sockets, `DIR/bundles/DIGEST/files/` for the bundle,
/// `DIR/bundles/DIGEST/snapshots/SHA256` for its snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartSpec {
    /// Which worker.
    pub instance: InstanceId,
    /// What it serves.
    pub release: ReleaseId,
    /// Its bundle.
    pub bundle: Digest,
    /// SHA-256 of the snapshot that its isolates start from.
    #[serde(default)]
    pub snapshot: Option<Digest>,
    /// See [`vitrine_wire::SpecHash`].
    pub spec_hash: Digest,
    /// See [`Resources`].
    pub resources: Resources,
}

/// What a worker may use of the machine, and what it is sure to have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// Memory, in MiB.
    pub memory_mb: u64,
    /// Memory that it is sure to have, in MiB.
    pub memory_reservation_mb: u64,
    /// Cores; 0 is all.
    pub cpus: f64,
    /// Cores that it is sure to have.
    pub cpu_reservation: f64,
    /// Processes and threads.
    pub pids: i64,
}

impl From<&WorkerResources> for Resources {
    fn from(resources: &WorkerResources) -> Self {
        Self {
            memory_mb: resources.memory_mb,
            memory_reservation_mb: resources.memory_reservation_mb,
            cpus: resources.cpus,
            cpu_reservation: resources.cpu_reservation,
            pids: resources.pids,
        }
    }
}

/// Everything that may be asked of an engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Does whatever runs workers answer?
    Check,
    /// Can a worker be run here? Builds the image if it is missing and runs one worker for a moment.
    Probe,
    /// Start a worker. Its sockets exist when this is answered.
    Start(StartSpec),
    /// SIGTERM, then SIGKILL after the grace; remove what is left. An unknown instance is no error.
    Stop {
        /// Which.
        instance: InstanceId,
        /// Time between the two signals, in milliseconds.
        grace_ms: u64,
    },
    /// Our workers, running or ended.
    List,
    /// Remove worker images of earlier builds that no container uses, whichever host made them.
    Prune,
    /// Memory and CPU of one worker.
    Stats {
        /// Which.
        instance: InstanceId,
    },
    /// The last lines that a worker's processes wrote to stdout and stderr.
    Logs {
        /// Which.
        instance: InstanceId,
        /// How many lines at most.
        lines: u32,
    },
}

/// One of our workers as the engine sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceInfo {
    /// Which.
    pub instance: InstanceId,
    /// What it was started for.
    pub release: ReleaseId,
    /// What it was started with.
    pub spec_hash: Digest,
    /// Whether it runs.
    pub running: bool,
    /// Exit code, when it ended and the engine knows it.
    pub exit_code: Option<i64>,
}

/// Figures of one worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct InstanceStats {
    /// Memory in use, in bytes.
    pub memory_bytes: u64,
    /// CPU time since the start, in microseconds.
    pub cpu_us: u64,
}

impl Action {
    /// Its name, for messages.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Probe => "probe",
            Self::Start(_) => "start",
            Self::Stop { .. } => "stop",
            Self::List => "list",
            Self::Prune => "prune",
            Self::Stats { .. } => "stats",
            Self::Logs { .. } => "logs",
        }
    }

    /// How long its answer may take, in milliseconds.
    const fn timeout_ms(&self, isolation: Isolation) -> u64 {
        match self {
            Self::Check => match isolation {
                Isolation::Container => ENGINE_CHECK_TIMEOUT_MS,
                Isolation::Process => ENGINE_CHECK_ALONE_TIMEOUT_MS,
            },
            Self::Probe => ENGINE_PROBE_TIMEOUT_MS,
            Self::Start(_) => ENGINE_START_TIMEOUT_MS,
            Self::Stop { grace_ms, .. } => grace_ms.saturating_add(ENGINE_STOP_MARGIN_MS),
            Self::Prune => ENGINE_PRUNE_TIMEOUT_MS,
            Self::List | Self::Stats { .. } | Self::Logs { .. } => ENGINE_READ_TIMEOUT_MS,
        }
    }
}

/// Answer to an [`Action`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", content = "value", rename_all = "snake_case")]
pub enum Reply {
    /// Done, nothing to tell.
    Done,
    /// Answer to `List`.
    Instances(Vec<InstanceInfo>),
    /// Answer to `Stats`.
    Stats(InstanceStats),
    /// Answer to `Logs`.
    Logs(Vec<String>),
    /// It did not work; the text is for an operator.
    Failed(String),
}

/// Why an action did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// The engine says why.
    #[error("{action} failed: {reason}")]
    Failed {
        /// Name of the action.
        action: &'static str,
        /// For an operator.
        reason: String,
    },
    /// No answer in time (Docker hangs); the action may still happen.
    #[error("the engine did not answer {action} within {timeout_ms} ms")]
    TimedOut {
        /// Name of the action.
        action: &'static str,
        /// Bound that passed.
        timeout_ms: u64,
    },
    /// The engine process is gone and could not be started again.
    #[error("the engine process is not running")]
    Gone(#[source] Arc<std::io::Error>),
}

/// Handle to the engine process. Cheap to clone; calls may run beside each other. The process ends with the last handle.
#[derive(Debug, Clone)]
pub struct Engine {
    isolation: Isolation,
    calls: mpsc::Sender<client::Call>,
    /// The check that is under way: concurrent callers wait for its result.
    checking: Arc<Mutex<Option<WeakShared<Checking>>>>,
}

type Checking = BoxFuture<'static, Result<(), EngineError>>;

impl Engine {
    /// Starts the engine process; starts it again whenever it ends. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when the data folder can't be used, [`EngineError::Gone`] when the process can't be started.
    pub fn spawn(options: EngineOptions) -> Result<Self, EngineError> {
        layout::Layout::new(&options.data).map_err(|err| EngineError::Failed {
            action: "spawn",
            reason: failure::Failure::from(err).chain(),
        })?;
        let isolation = options.isolation;
        let calls = client::open(options).map_err(|error| EngineError::Gone(Arc::new(error)))?;
        Ok(Self { isolation, calls, checking: Arc::default() })
    }

    /// Which kind of workers it runs.
    #[must_use]
    pub const fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// Whether whatever runs workers answers, and soon: what would wait for it for long asks this first. Many who ask at once are
    /// one call.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn check(&self) -> Result<(), EngineError> {
        if failpoint::at("engine.check") == Some(Fault::Skip) {
            return Ok(());
        }
        let check = {
            let mut checking = self.checking.lock().unwrap_or_else(PoisonError::into_inner);
            let under_way = checking.as_ref().and_then(WeakShared::upgrade);
            under_way.filter(|check| check.peek().is_none()).unwrap_or_else(|| {
                let (calls, isolation) = (self.calls.clone(), self.isolation);
                let check = async move { done(&calls, isolation, Action::Check).await }.boxed().shared();
                *checking = check.downgrade();
                check
            })
        };
        check.await
    }

    /// Runs one worker for a moment, under the same policy as every other; assembles its image first if that is missing.
    ///
    /// # Errors
    /// See [`EngineError`]; [`EngineError::Failed`] says why workers can't run here.
    pub async fn probe(&self) -> Result<(), EngineError> {
        self.done(Action::Probe).await
    }

    /// Starts a worker; its sockets exist on return.
    ///
    /// # Errors
    /// See [`EngineError`]. Nothing is left of the worker after `Failed`; after the others it may be there: stop it.
    pub async fn start(&self, spec: StartSpec) -> Result<(), EngineError> {
        self.done(Action::Start(spec)).await
    }

    /// Stops and removes a worker.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn stop(&self, instance: &InstanceId, grace_ms: u64) -> Result<(), EngineError> {
        self.done(Action::Stop { instance: instance.clone(), grace_ms }).await
    }

    /// Our workers.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn list(&self) -> Result<Vec<InstanceInfo>, EngineError> {
        match self.call(Action::List).await? {
            Reply::Instances(instances) => Ok(instances),
            other => Err(unfit(&Action::List, &other)),
        }
    }

    /// Removes worker images that are no longer used.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn prune(&self) -> Result<(), EngineError> {
        self.done(Action::Prune).await
    }

    /// Figures of a worker.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn stats(&self, instance: &InstanceId) -> Result<InstanceStats, EngineError> {
        let action = Action::Stats { instance: instance.clone() };
        match self.call(action.clone()).await? {
            Reply::Stats(stats) => Ok(stats),
            other => Err(unfit(&action, &other)),
        }
    }

    /// Last output lines of a worker's processes.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn logs(&self, instance: &InstanceId, lines: u32) -> Result<Vec<String>, EngineError> {
        let action = Action::Logs { instance: instance.clone(), lines };
        match self.call(action.clone()).await? {
            Reply::Logs(lines) => Ok(lines),
            other => Err(unfit(&action, &other)),
        }
    }

    async fn done(&self, action: Action) -> Result<(), EngineError> {
        done(&self.calls, self.isolation, action).await
    }

    async fn call(&self, action: Action) -> Result<Reply, EngineError> {
        call(&self.calls, self.isolation, action).await
    }
}

async fn done(
    calls: &mpsc::Sender<client::Call>,
    isolation: Isolation,
    action: Action,
) -> Result<(), EngineError> {
    match call(calls, isolation, action.clone()).await? {
        Reply::Done => Ok(()),
        other => Err(unfit(&action, &other)),
    }
}

async fn call(
    calls: &mpsc::Sender<client::Call>,
    isolation: Isolation,
    action: Action,
) -> Result<Reply, EngineError> {
    failpoint::of(action.name(), "asked");
    let reply = client::call(calls, action.clone(), action.timeout_ms(isolation)).await;
    failpoint::of(action.name(), "answered");
    match reply? {
        Reply::Failed(reason) => Err(EngineError::Failed { action: action.name(), reason }),
        reply => Ok(reply),
    }
}

/// The engine is the same program, so this is a fault in it.
fn unfit(action: &Action, reply: &Reply) -> EngineError {
    EngineError::Failed {
        action: action.name(),
        reason: format!("the engine answered something else: {reply:?}"),
    }
}

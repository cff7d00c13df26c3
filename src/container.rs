//! The engine seam: the one closed list of what may be asked of whatever runs workers.

use crate::config::Isolation;
use crate::id::{Digest, InstanceId, ReleaseId};
use serde::{Deserialize, Serialize};

/// What a worker is started from. The engine derives the whole container from this and nothing else; paths come from
/// its own data folder: `DIR/run/INSTANCE/` for the sockets, `DIR/bundles/DIGEST/files/` for the bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartSpec {
    /// Which worker.
    pub instance: InstanceId,
    /// What it serves.
    pub release: ReleaseId,
    /// Its bundle.
    pub bundle: Digest,
    /// See [`vitrine_wire::SpecHash`].
    pub spec_hash: Digest,
    /// Memory, in MiB.
    pub memory_mb: u64,
    /// Cores; 0 is all.
    pub cpus: f64,
    /// Processes and threads.
    pub pids: i64,
}

/// Everything that may be asked of an engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceStats {
    /// Memory in use, in bytes.
    pub memory_bytes: u64,
    /// CPU time since the start, in microseconds.
    pub cpu_us: u64,
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
#[derive(Debug, thiserror::Error)]
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
    Gone(#[source] std::io::Error),
}

/// Handle to the engine process. Cheap to clone; calls may run beside each other.
#[derive(Debug, Clone)]
pub struct Engine {
    isolation: Isolation,
}

impl Engine {
    /// Which kind of workers it runs.
    #[must_use]
    pub const fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// Starts a worker; its sockets exist on return.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn start(&self, _spec: StartSpec) -> Result<(), EngineError> {
        todo!()
    }

    /// Stops and removes a worker.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn stop(&self, _instance: &InstanceId, _grace_ms: u64) -> Result<(), EngineError> {
        todo!()
    }

    /// Our workers.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn list(&self) -> Result<Vec<InstanceInfo>, EngineError> {
        todo!()
    }

    /// Figures of a worker.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn stats(&self, _instance: &InstanceId) -> Result<InstanceStats, EngineError> {
        todo!()
    }

    /// Last output lines of a worker's processes.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn logs(&self, _instance: &InstanceId, _lines: u32) -> Result<Vec<String>, EngineError> {
        todo!()
    }
}

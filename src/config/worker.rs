//! What a worker may use of the machine, what it is sure to have, and what the machine has.

use super::Config;
use crate::id::AppName;
use serde::{Deserialize, Serialize};

/// What one worker may use, and what it is sure to have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerResources {
    /// Memory of one worker, in MiB; no swap beside it.
    pub memory_mb: u64,
    /// Memory that each worker is sure to have, in MiB. All of them together are no more than the host's.
    pub memory_reservation_mb: u64,
    /// Cores of one worker; 0 is all.
    pub cpus: f64,
    /// Cores that each worker is sure to have. All of them together are no more than the host's.
    pub cpu_reservation: f64,
    /// Processes and threads of one worker.
    pub pids: i64,
    /// Instances of one app that users get at most, whatever its bundle asks for.
    pub instances_max: u32,
    /// Docker's runtime for its container, such as `runsc`; Docker's own default, if absent.
    pub runtime: Option<String>,
}

impl Default for WorkerResources {
    fn default() -> Self {
        Self {
            memory_mb: 512,
            memory_reservation_mb: 32,
            cpus: 0.0,
            cpu_reservation: 0.0,
            pids: 64,
            instances_max: 4,
            runtime: None,
        }
    }
}

/// The same for the workers of one app: what is not named is as in `[worker]`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppResources {
    /// See [`WorkerResources::memory_mb`].
    pub memory_mb: Option<u64>,
    /// See [`WorkerResources::memory_reservation_mb`].
    pub memory_reservation_mb: Option<u64>,
    /// See [`WorkerResources::cpus`].
    pub cpus: Option<f64>,
    /// See [`WorkerResources::cpu_reservation`].
    pub cpu_reservation: Option<f64>,
}

impl AppResources {
    /// These over the host's own.
    #[must_use]
    pub fn over(&self, of_host: &WorkerResources) -> WorkerResources {
        let memory_mb = self.memory_mb.unwrap_or(of_host.memory_mb);
        WorkerResources {
            memory_mb,
            // A worker is sure of no more than it may use.
            memory_reservation_mb: self
                .memory_reservation_mb
                .unwrap_or(of_host.memory_reservation_mb)
                .min(memory_mb),
            cpus: self.cpus.unwrap_or(of_host.cpus),
            cpu_reservation: self.cpu_reservation.unwrap_or(of_host.cpu_reservation),
            ..of_host.clone()
        }
    }
}

/// What the host may give to workers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Capacity {
    /// Memory, in MiB; 0 is all that the machine has.
    pub memory_mb: u64,
    /// Cores; 0 is all that the machine has.
    pub cpus: f64,
}

impl Config {
    /// What a worker of this app may use, and is sure to have.
    #[must_use]
    pub fn worker_of(&self, app: &AppName) -> WorkerResources {
        let of_app = self.apps.get(app).map(|rules| rules.worker).unwrap_or_default();
        of_app.over(&self.worker)
    }

    /// That of every app that has its own, and of all others.
    pub fn all_workers(&self) -> impl Iterator<Item = WorkerResources> {
        std::iter::once(self.worker.clone())
            .chain(self.apps.values().map(|rules| rules.worker.over(&self.worker)))
    }
}

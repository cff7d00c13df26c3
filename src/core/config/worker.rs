//! What a worker may use of the machine, what it is sure to have, and what the machine has.

use super::Config;
use super::check::{Problem, problem};
use crate::id::AppName;
use serde::{Deserialize, Serialize};

/// Below this a worker can't start: V8 and its threads take that much.
const WORKER_MB_MIN: u64 = 64;
/// The least that Docker takes.
const RESERVATION_MB_MIN: u64 = 6;

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

    /// The first of these figures that can't be used.
    pub(super) fn resources_problem(&self) -> Option<Problem> {
        let apps = self
            .apps
            .iter()
            .map(|(app, rules)| (format!("apps.{app}.worker"), rules.worker.over(&self.worker)));
        let all = std::iter::once(("worker".to_owned(), self.worker.clone())).chain(apps);
        let in_table = |(table, worker): (String, WorkerResources)| {
            let reserved_mb = worker.memory_reservation_mb;
            let message = |field: &str, message: String| problem(format!("{table}.{field}"), message);
            if worker.memory_mb < WORKER_MB_MIN {
                return message(
                    "memory_mb",
                    format!("is {}; {WORKER_MB_MIN} is the least", worker.memory_mb),
                );
            }
            if reserved_mb > 0 && reserved_mb < RESERVATION_MB_MIN {
                let text = format!("is {reserved_mb}; write 0 for none, or {RESERVATION_MB_MIN} at least");
                return message("memory_reservation_mb", text);
            }
            let bad = |cores: f64| !cores.is_finite() || cores < 0.0;
            if bad(worker.cpu_reservation) {
                return message(
                    "cpu_reservation",
                    format!("is {}; write 0 for none, or how many", worker.cpu_reservation),
                );
            }
            bad(worker.cpus)
                .then(|| message("cpus", format!("is {}; write 0 for all cores, or how many", worker.cpus)))?
        };
        all.into_iter().find_map(in_table).or_else(|| {
            let cpus = self.capacity.cpus;
            (!cpus.is_finite() || cpus < 0.0)
                .then(|| problem("capacity.cpus", format!("is {cpus}; write 0 for all cores, or how many")))?
        })
    }

    /// That of every app that has its own, and of all others.
    pub fn all_workers(&self) -> impl Iterator<Item = WorkerResources> {
        std::iter::once(self.worker.clone())
            .chain(self.apps.values().map(|rules| rules.worker.over(&self.worker)))
    }
}

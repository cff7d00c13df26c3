//! Workers as child processes of the engine process. The worker locks itself down; here it gets its own process group,
//! bounds, an empty environment, and the promise that it ends with the engine.

use super::failure::Failure;
use super::layout::{Layout, has_sockets};
use super::output::Output;
use super::policy::supervise_arguments;
use super::{InstanceInfo, InstanceStats, StartSpec};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, getuid};
use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use vitrine_core::id::InstanceId;
use vitrine_core::limits::{
    ENDED_WORKERS_MAX, ENGINE_END_GRACE_MS, ENGINE_INSTANCES_MAX, OUTPUT_FAILURE_LINES, PROBE_RUN_TIMEOUT_MS,
    SOCKET_POLL_MS, SOCKETS_TIMEOUT_MS, WORKER_FILES_MAX,
};

mod stats;

/// One worker, running or ended.
#[derive(Debug, Clone)]
struct Process {
    spec: StartSpec,
    group: Pid,
    output: Arc<Mutex<Output>>,
    /// Exit code, once there is one.
    ended: watch::Receiver<Option<i64>>,
    /// Position in the order of starts.
    number: u64,
}

impl Process {
    fn running(&self) -> bool {
        self.ended.borrow().is_none()
    }

    async fn end(&self) -> i64 {
        match self.ended.clone().wait_for(Option::is_some).await {
            Ok(code) => code.unwrap_or_default(),
            Err(_) => i64::from(i32::MAX),
        }
    }

    async fn end_within(&self, bound_ms: u64) -> bool {
        tokio::time::timeout(Duration::from_millis(bound_ms), self.end()).await.is_ok()
    }

    fn last(&self, lines: u32) -> Vec<String> {
        lock(&self.output).last(lines as usize)
    }
}

/// All process workers of this engine.
#[derive(Debug)]
pub(crate) struct Processes {
    layout: Layout,
    worker: PathBuf,
    processes: Mutex<BTreeMap<InstanceId, Process>>,
}

impl Processes {
    /// No workers yet.
    #[must_use]
    pub(crate) const fn new(layout: Layout, worker: PathBuf) -> Self {
        Self { layout, worker, processes: Mutex::new(BTreeMap::new()) }
    }

    fn get(&self, instance: &InstanceId) -> Result<Process, Failure> {
        lock(&self.processes).get(instance).cloned().ok_or_else(|| Failure::Unknown(instance.clone()))
    }

    /// Runs `vitrine-worker --version`.
    ///
    /// # Errors
    /// [`Failure::Spawn`], [`Failure::Ended`] and [`Failure::NoSockets`].
    pub(crate) async fn probe(&self) -> Result<(), Failure> {
        let run = self.command(["--version"]).kill_on_drop(true).output();
        let spawned = |source| Failure::Spawn { program: self.worker.clone(), source };
        let bound = Duration::from_millis(PROBE_RUN_TIMEOUT_MS);
        let output = tokio::time::timeout(bound, run)
            .await
            .map_err(|_| spawned(io::ErrorKind::TimedOut.into()))?
            .map_err(spawned)?;
        if output.status.success() {
            return Ok(());
        }
        let mut said = Output::default();
        said.push(&output.stdout);
        said.push(&output.stderr);
        Err(Failure::Ended {
            code: exit_code(output.status),
            output: said.last(OUTPUT_FAILURE_LINES as usize),
        })
    }

    /// Starts a worker and waits for its sockets.
    ///
    /// # Errors
    /// See [`Failure`]; nothing is left of the worker then.
    pub(crate) async fn start(&self, spec: StartSpec) -> Result<(), Failure> {
        let bundle = self.layout.bundle(&spec.bundle)?;
        let snapshot = spec.snapshot.map(|sha256| self.layout.snapshot(&spec.bundle, &sha256)).transpose()?;
        self.make_room()?;
        let instance = spec.instance.clone();
        self.stop(&instance, 0).await?;
        let sockets = self.layout.make_sockets(&instance, getuid().as_raw())?;
        let process = self.spawn(spec, &sockets, &bundle, snapshot.as_deref())?;
        lock(&self.processes).insert(instance.clone(), process.clone());
        let bound = Duration::from_millis(SOCKETS_TIMEOUT_MS);
        let waited = tokio::select! {
            code = process.end() => Err(Failure::Ended { code, output: process.last(OUTPUT_FAILURE_LINES) }),
            found = tokio::time::timeout(bound, until_sockets(&sockets)) => found.map_err(|_| Failure::NoSockets {
                timeout_ms: SOCKETS_TIMEOUT_MS,
                output: process.last(OUTPUT_FAILURE_LINES),
            }),
        };
        if waited.is_err()
            && let Err(left) = self.stop(&instance, 0).await
        {
            tracing::warn!(%instance, reason = left.chain(), "a failed start could not be cleaned up");
        }
        waited
    }

    /// Gives up what ended longest ago when too much is remembered.
    fn make_room(&self) -> Result<(), Failure> {
        let mut processes = lock(&self.processes);
        let mut ended: Vec<(u64, InstanceId)> = processes
            .values()
            .filter(|process| !process.running())
            .map(|process| (process.number, process.spec.instance.clone()))
            .collect();
        ended.sort_unstable();
        for (_, instance) in ended.iter().rev().skip(ENDED_WORKERS_MAX) {
            processes.remove(instance);
        }
        if processes.len() < ENGINE_INSTANCES_MAX {
            Ok(())
        } else {
            Err(Failure::Full { running: processes.len() })
        }
    }

    fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(&self.worker);
        command.args(arguments).env_clear().current_dir("/").process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // SAFETY: between fork and exec only system calls are made: no allocation, no lock.
        unsafe { command.pre_exec(bound_child) };
        command
    }

    fn spawn(
        &self,
        spec: StartSpec,
        sockets: &Path,
        bundle: &Path,
        snapshot: Option<&Path>,
    ) -> Result<Process, Failure> {
        let arguments = supervise_arguments(&spec, sockets, bundle, snapshot);
        let mut child = self
            .command(arguments.iter().map(String::as_str).chain(["--end-with-control"]))
            .spawn()
            .map_err(|source| Failure::Spawn { program: self.worker.clone(), source })?;
        let group = Pid::from_raw(child.id().and_then(|id| i32::try_from(id).ok()).unwrap_or_default());
        let output = Arc::new(Mutex::new(Output::default()));
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(keep(stdout, output.clone()));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(keep(stderr, output.clone()));
        }
        let (end, ended) = watch::channel(None);
        tokio::spawn(reap(child, group, end));
        let number = lock(&self.processes).values().map(|process| process.number + 1).max().unwrap_or(0);
        Ok(Process { spec, group, output, ended, number })
    }

    /// Ends a worker and forgets it.
    ///
    /// # Errors
    /// [`Failure::Layout`] when its folder can't be removed.
    pub(crate) async fn stop(&self, instance: &InstanceId, grace_ms: u64) -> Result<(), Failure> {
        if let Ok(process) = self.get(instance) {
            if process.running() && grace_ms > 0 {
                // It may have ended since: then there is nothing to signal.
                let _ = kill(process.group, Signal::SIGTERM);
                process.end_within(grace_ms).await;
            }
            if process.running() {
                let _ = killpg(process.group, Signal::SIGKILL);
                process.end().await;
            }
            lock(&self.processes).remove(instance);
        }
        Ok(self.layout.remove_sockets(instance)?)
    }

    /// All that run or ended and were not stopped.
    #[must_use]
    pub(crate) fn list(&self) -> Vec<InstanceInfo> {
        let info = |process: &Process| InstanceInfo {
            instance: process.spec.instance.clone(),
            release: process.spec.release.clone(),
            spec_hash: process.spec.spec_hash,
            running: process.running(),
            exit_code: *process.ended.borrow(),
        };
        lock(&self.processes).values().map(info).collect()
    }

    /// Figures of a worker and what it started.
    ///
    /// # Errors
    /// [`Failure::Unknown`], [`Failure::Figures`].
    pub(crate) fn stats(&self, instance: &InstanceId) -> Result<InstanceStats, Failure> {
        let group = self.get(instance)?.group;
        stats::of_tree(group).map_err(|source| Failure::Figures { instance: instance.clone(), source })
    }

    /// Last lines of a worker.
    ///
    /// # Errors
    /// [`Failure::Unknown`].
    pub(crate) fn logs(&self, instance: &InstanceId, lines: u32) -> Result<Vec<String>, Failure> {
        Ok(self.get(instance)?.last(lines))
    }

    /// Ends every worker: the host is gone.
    pub(crate) async fn end(&self) {
        let running: Vec<Process> =
            lock(&self.processes).values().filter(|process| process.running()).cloned().collect();
        for process in &running {
            let _ = kill(process.group, Signal::SIGTERM);
        }
        let deadline = tokio::time::Instant::now() + Duration::from_millis(ENGINE_END_GRACE_MS);
        for process in &running {
            if tokio::time::timeout_at(deadline, process.end()).await.is_err() {
                let _ = killpg(process.group, Signal::SIGKILL);
                process.end().await;
            }
            // A folder that stays is removed when its worker is next asked for; the host is gone, so the error can't be reported.
            let _ = self.layout.remove_sockets(&process.spec.instance);
        }
    }
}

/// Runs in the child before it becomes the worker.
fn bound_child() -> io::Result<()> {
    let files = WORKER_FILES_MAX.unsigned_abs();
    setrlimit(Resource::RLIMIT_NOFILE, files, files)?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    // The engine spawns on its only thread, which lives as long as the engine does.
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    Ok(())
}

async fn keep(mut from: impl AsyncRead + Unpin, output: Arc<Mutex<Output>>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        lock(&output).push(&buffer[..count]);
    }
}

async fn reap(mut child: Child, group: Pid, end: watch::Sender<Option<i64>>) {
    let code = child.wait().await.map_or(i64::from(i32::MAX), exit_code);
    // Whatever it started and did not take along.
    let _ = killpg(group, Signal::SIGKILL);
    end.send_replace(Some(code));
}

fn exit_code(status: ExitStatus) -> i64 {
    let signalled = || 128 + status.signal().unwrap_or_default();
    i64::from(status.code().unwrap_or_else(signalled))
}

/// Waits until both sockets are there.
pub(super) async fn until_sockets(sockets: &Path) {
    while !has_sockets(sockets) {
        tokio::time::sleep(Duration::from_millis(SOCKET_POLL_MS)).await;
    }
}

/// What these locks hold is whole after every step, so a panic of another holder does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

//! PID 1 of a worker: holds the sockets, runs the render process, starts it again when it dies.
//!
//! It is one thread that parses nothing, so that it outlives whatever an app does to the render process. The sockets
//! belong to it: while no render process runs, the host's connections wait in their backlog.

mod backoff;
mod signals;
mod sockets;

use crate::exit;
use crate::limits::{RESTART_PAUSE_MS, SHUTDOWN_DRAIN_MS, SHUTDOWN_FLUSH_MS, SHUTDOWN_KILL_MS};
use crate::log::{Severity, causes, note};
use crate::render::SnapshotFile;
use backoff::Backoff;
use serde_json::{Value, json};
use signals::{Ended, Event, Signals};
use sockets::Sockets;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use vitrine_wire::SpecHash;

pub use signals::SignalError;
pub use sockets::SocketError;

/// What a worker is started with.
#[derive(Debug)]
pub struct SupervisorOptions {
    /// Folder in which the sockets are made.
    pub sockets: PathBuf,
    /// Folder of the bundle.
    pub bundle: PathBuf,
    /// `APP@VERSION`.
    pub release: String,
    /// What the host must name in its hello.
    pub spec_hash: SpecHash,
    /// Whether to end when the host is gone.
    pub end_with_control: bool,
    /// The app's snapshot, if the host has one.
    pub snapshot: Option<SnapshotFile>,
}

/// Why a worker can't start.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// The sockets can't be made.
    #[error("can't make the sockets of this instance")]
    Sockets(#[from] SocketError),
    /// Signals can't be waited for, or children not be reaped.
    #[error("can't watch over the render process")]
    Signals(#[from] SignalError),
    /// The render process can't be started.
    #[error("can't start the render process")]
    Spawn(#[source] std::io::Error),
}

/// A render process that runs.
struct Running {
    pid: i32,
    since: Instant,
}

/// Runs a worker until SIGTERM, or until the host is gone where that is asked for. Gives the exit code.
///
/// # Errors
/// What keeps the worker from starting.
pub fn run(options: &SupervisorOptions) -> Result<u8, SupervisorError> {
    let signals = Signals::block()?;
    let sockets = Sockets::bind(&options.sockets)?;
    let mut supervisor = Supervisor {
        options,
        sockets,
        backoff: Backoff::default(),
        render: None,
        started: false,
        start_at: Some(Instant::now()),
        kill_at: None,
    };
    loop {
        if let Some(code) = supervisor.step(&signals)? {
            return Ok(code);
        }
    }
}

struct Supervisor<'a> {
    options: &'a SupervisorOptions,
    sockets: Sockets,
    backoff: Backoff,
    render: Option<Running>,
    /// Whether a render process was started before.
    started: bool,
    /// When to start a render process; `None` while one runs.
    start_at: Option<Instant>,
    /// When to kill it; set once SIGTERM came.
    kill_at: Option<Instant>,
}

impl Supervisor<'_> {
    /// Waits for one thing to happen and acts on it. Gives the exit code when that was the last.
    fn step(&mut self, signals: &Signals) -> Result<Option<u8>, SupervisorError> {
        let now = Instant::now();
        if self.start_at.is_some_and(|at| at <= now) {
            self.start_render(now)?;
        }
        if self.kill_at.is_some_and(|at| at <= now) {
            self.signal(libc::SIGKILL);
            return Ok(Some(exit::KILLED));
        }
        match signals.wait(self.start_at.or(self.kill_at).map(|at| at.saturating_duration_since(now)))? {
            None => {}
            Some(Event::Terminate) => {
                if self.render.is_none() {
                    return Ok(Some(exit::DONE));
                }
                self.signal(libc::SIGTERM);
                let grace_ms = SHUTDOWN_DRAIN_MS + SHUTDOWN_FLUSH_MS + SHUTDOWN_KILL_MS;
                self.kill_at.get_or_insert(now + Duration::from_millis(grace_ms));
            }
            Some(Event::Child) => {
                // As PID 1 this process also inherits, and has to reap, what others leave behind.
                while let Some((pid, ended)) = signals::reap()? {
                    let dead = self.render.take_if(|render| render.pid == pid);
                    if let Some(code) = dead.and_then(|render| self.died(&render, ended)) {
                        return Ok(Some(code));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Decides what follows from the end of the render process: an exit code, or another one.
    fn died(&mut self, render: &Running, ended: Ended) -> Option<u8> {
        let terminating = self.kill_at.is_some();
        match ended {
            Ended::Code(code) if code == i32::from(exit::HOST_GONE) => {
                note(Severity::Info, "host_gone", json!({"release": self.options.release}));
                return Some(exit::DONE);
            }
            // It said why by itself, and would say the same again.
            Ended::Code(code) if code == i32::from(exit::FAILED) || code == i32::from(exit::USAGE) => {
                return Some(exit::FAILED);
            }
            Ended::Code(code) if terminating && code == i32::from(exit::DONE) => return Some(exit::DONE),
            // It had not begun to serve yet.
            Ended::Signal(libc::SIGTERM) if terminating => return Some(exit::DONE),
            Ended::Code(_) | Ended::Signal(_) => {}
        }
        let lived = render.since.elapsed();
        let pause = self.backoff.after(lived);
        let mut fields = json!({
            "release": self.options.release,
            "render_pid": render.pid,
            "lived_ms": u64::try_from(lived.as_millis()).unwrap_or(u64::MAX),
        });
        match ended {
            Ended::Code(code) => fields["exit_code"] = code.into(),
            Ended::Signal(signal) => {
                fields["signal"] = signal.into();
                fields["signal_name"] = signals::name(signal).into();
            }
        }
        if terminating {
            note(Severity::Error, "render_died", fields);
            return Some(exit::KILLED);
        }
        fields["restart_in_ms"] = Value::from(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
        note(Severity::Error, "render_died", fields);
        self.start_at = Some(Instant::now() + pause);
        None
    }

    /// Starts a render process. Where that worked before, a refusal (the machine is out of processes or memory for a moment)
    /// is like an early death.
    fn start_render(&mut self, now: Instant) -> Result<(), SupervisorError> {
        match self.spawn() {
            Ok(pid) => {
                self.render = Some(Running { pid, since: now });
                self.started = true;
                self.start_at = None;
            }
            Err(source) if self.started => {
                let pause = self.backoff.after(Duration::ZERO).max(Duration::from_millis(RESTART_PAUSE_MS));
                note(Severity::Error, "render_not_started", json!({"error": causes(&source)}));
                self.start_at = Some(now + pause);
            }
            Err(source) => return Err(SupervisorError::Spawn(source)),
        }
        Ok(())
    }

    fn spawn(&self) -> std::io::Result<i32> {
        let mut arguments: Vec<OsString> = vec!["render".into()];
        let mut option = |name: &str, value: &OsStr| {
            arguments.push(name.into());
            arguments.push(value.to_owned());
        };
        option("--requests-fd", self.sockets.requests_fd().to_string().as_ref());
        option("--control-fd", self.sockets.control_fd().to_string().as_ref());
        option("--bundle", self.options.bundle.as_os_str());
        option("--release", self.options.release.as_ref());
        option("--spec-hash", hex::encode(self.options.spec_hash).as_ref());
        if let Some(SnapshotFile { path, digest }) = &self.options.snapshot {
            option("--snapshot", path.as_os_str());
            option("--snapshot-sha256", hex::encode(digest).as_ref());
        }
        if self.options.end_with_control {
            arguments.push("--end-with-control".into());
        }
        // The same file, also when it was replaced on disk since. No variable of the environment is passed on; time is
        // UTC, since the locked process can't read the zones of its machine.
        let mut command = Command::new("/proc/self/exe");
        command.arg0("vitrine-worker").args(arguments).env_clear().env("TZ", "UTC").stdin(Stdio::null());
        let parent = std::process::id();
        // SAFETY: the closure runs between fork and exec and makes async-signal-safe calls only.
        unsafe {
            command.pre_exec(move || signals::prepare_child(parent));
        }
        // A process id fits in the type that the system uses for it.
        Ok(command.spawn()?.id() as i32)
    }

    fn signal(&self, signal: i32) {
        if let Some(render) = &self.render {
            // SAFETY: no memory is involved. The process was not reaped, so the number is still its own.
            unsafe { libc::kill(render.pid, signal) };
        }
    }
}

//! The `vitrine-worker` binary.

use clap::{Args, Parser, Subcommand};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use vitrine_wire::{Sha256Digest, SpecHash};
use vitrine_worker::log::{Severity, causes, note};
use vitrine_worker::render::{self, RenderEnd, RenderOptions, SnapshotFile};
use vitrine_worker::supervisor::{self, SupervisorOptions};
use vitrine_worker::{exit, lockdown};

/// Runs one release of one app inside the wall.
#[derive(Debug, Parser)]
#[command(name = "vitrine-worker", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Holds the sockets of an instance and runs its render process, again when it dies.
    #[command(after_help = exit::HELP)]
    Supervise(Supervise),
    /// What `supervise` starts.
    #[command(hide = true)]
    Render(Render),
    /// Locks this process down as a render process does, tries what must not work, and prints the result as JSON.
    ProbeLockdown,
}

#[derive(Debug, Args)]
struct Instance {
    /// Folder of the unpacked bundle.
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// Release that this instance serves.
    #[arg(long, value_name = "APP@VERSION")]
    release: String,
    /// SHA-256 of the specification that the host has of this instance.
    #[arg(long, value_name = "HEX", value_parser = sha256)]
    spec_hash: SpecHash,
    /// End when the host's control connection is lost and not made again.
    #[arg(long)]
    end_with_control: bool,
    /// File of the app's snapshot; without it the app is evaluated in each isolate.
    #[arg(long, value_name = "FILE", requires = "snapshot_sha256")]
    snapshot: Option<PathBuf>,
    /// SHA-256 of that file.
    #[arg(long, value_name = "HEX", value_parser = sha256, requires = "snapshot")]
    snapshot_sha256: Option<Sha256Digest>,
}

impl Instance {
    fn snapshot(&self) -> Option<SnapshotFile> {
        let path = self.snapshot.clone()?;
        self.snapshot_sha256.map(|digest| SnapshotFile { path, digest })
    }
}

#[derive(Debug, Args)]
struct Supervise {
    /// Folder in which the sockets are made.
    #[arg(long, value_name = "DIR")]
    sockets: PathBuf,
    #[command(flatten)]
    instance: Instance,
}

#[derive(Debug, Args)]
struct Render {
    /// Inherited descriptor of the requests socket.
    #[arg(long)]
    requests_fd: i32,
    /// Inherited descriptor of the control socket.
    #[arg(long)]
    control_fd: i32,
    #[command(flatten)]
    instance: Instance,
}

fn sha256(text: &str) -> Result<[u8; 32], String> {
    let mut hash = [0; 32];
    if text.len() != 2 * hash.len() || !text.is_ascii() {
        return Err(format!("a SHA-256 has {} hexadecimal digits", 2 * hash.len()));
    }
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).map_err(|error| error.to_string())?;
        *byte = u8::from_str_radix(digits, 16).map_err(|error| error.to_string())?;
    }
    Ok(hash)
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Supervise(Supervise { sockets, instance }) => {
            let snapshot = instance.snapshot();
            let Instance { bundle, release, spec_hash, end_with_control, .. } = instance;
            let options =
                SupervisorOptions { sockets, bundle, release, spec_hash, end_with_control, snapshot };
            match supervisor::run(&options) {
                Ok(code) => ExitCode::from(code),
                Err(error) => refused("supervisor_failed", &error),
            }
        }
        Command::Render(Render { requests_fd, control_fd, instance }) => {
            let snapshot = instance.snapshot();
            let Instance { bundle, release, spec_hash, end_with_control, .. } = instance;
            let options = RenderOptions {
                requests_fd,
                control_fd,
                bundle,
                release,
                spec_hash,
                end_with_control,
                snapshot,
            };
            match render::run(options) {
                Ok(RenderEnd::Drained) => end(exit::DONE),
                Ok(RenderEnd::HostGone) => end(exit::HOST_GONE),
                Err(error) => refused("render_failed", &error),
            }
        }
        Command::ProbeLockdown => match lockdown::probe::run() {
            Ok(report) => {
                println!("{}", report.to_json());
                ExitCode::from(if report.allowed.is_empty() { exit::DONE } else { exit::FAILED })
            }
            Err(error) => refused("probe_failed", &error),
        },
    }
}

/// What can't start will not start on the next try either: the exit code says so to the supervisor.
fn refused(event: &str, error: &dyn std::error::Error) -> ExitCode {
    note(Severity::Error, event, json!({"error": causes(error)}));
    ExitCode::from(exit::FAILED)
}

/// Ends the process without destructors: isolates may still run on their threads, under whose feet V8's would be.
fn end(code: u8) -> ! {
    // SAFETY: ends the process; everything that was to be written is written.
    unsafe { libc::_exit(code.into()) }
}

//! The render process: bundle into memory, lockdown, then threads, isolates and connections.

use crate::bundle::{Bundle, BundleError};
use crate::connection::Server;
use crate::connection::instance::Instance;
use crate::limits::{HOST_CONNECT_MS, HOST_RETURN_MS, SHUTDOWN_DRAIN_MS};
use crate::lockdown::{self, LockdownError};
use crate::log::{Severity, causes, note};
use crate::request::HostClient;
use crate::snapshot;
use crate::watchdog::resident;
use serde_json::json;
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use vitrine_wire::{Channel, Sha256Digest, SpecHash};

/// From -1000 (never ended for memory) to 1000 (the first to be ended).
const OOM_SCORE_ADJUSTMENT: &str = "500";

/// What a render process is started with.
#[derive(Debug)]
pub struct RenderOptions {
    /// Descriptor of the listening requests socket, inherited.
    pub requests_fd: RawFd,
    /// Descriptor of the listening control socket, inherited.
    pub control_fd: RawFd,
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

/// A snapshot as the host names it.
#[derive(Debug, Clone)]
pub struct SnapshotFile {
    /// File.
    pub path: PathBuf,
    /// What it must hold.
    pub digest: Sha256Digest,
}

/// Why a render process can't start. Trying again does not help.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The bundle can't be read.
    #[error("the bundle can't be served")]
    Bundle(#[from] BundleError),
    /// The process could not give up its rights.
    #[error("the render process can't lock itself down and therefore runs nothing")]
    Lockdown(#[from] LockdownError),
    /// The descriptors that were passed are not listening Unix sockets, or the runtime can't start.
    #[error("can't set up {what}")]
    Setup {
        /// What was set up.
        what: &'static str,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
}

/// Why a render process ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenderEnd {
    /// SIGTERM: what was in flight is finished.
    Drained,
    /// `--end-with-control`, and the host is gone.
    HostGone,
}

/// Serves until SIGTERM, or until the host is gone where that is asked for.
///
/// # Errors
/// What can't be set up.
pub fn run(options: RenderOptions) -> Result<RenderEnd, RenderError> {
    prefer_on_memory_shortage();
    let bundle = Bundle::read(&options.bundle)?;
    let snapshot = options.snapshot.as_ref().and_then(usable);
    let (files, release) = (bundle.files.len(), options.release.clone());
    let setup = |source| RenderError::Setup { what: resident::STATM, source };
    let statm = File::open(resident::STATM).map_err(setup)?;
    let enforced = lockdown::lock_down(&[options.requests_fd, options.control_fd, statm.as_raw_fd()])?;
    resident::watch(statm);
    note(
        Severity::Info,
        "locked_down",
        json!({"release": release, "files": files, "landlock": enforced.landlock}),
    );
    // V8 would read a device file, which is out of reach, and guess from the clock instead.
    deno_core::v8::V8::set_entropy_source(|bytes| getrandom::fill(bytes).is_ok());
    // Connections are cheap beside renders: one thread for them leaves the cores to the isolates.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| RenderError::Setup { what: "the runtime", source })?;
    let end = runtime.block_on(serve(options, bundle, snapshot));
    // Isolates are still there, and their threads are not waited for.
    runtime.shutdown_background();
    end
}

/// The snapshot, mapped. One that can't be used costs a slower boot and no more.
fn usable(file: &SnapshotFile) -> Option<&'static [u8]> {
    snapshot::map(&file.path, &file.digest)
        .inspect_err(|error| note(Severity::Warn, "snapshot_unusable", json!({"error": causes(error)})))
        .ok()
}

async fn serve(
    options: RenderOptions,
    bundle: Bundle,
    snapshot: Option<&'static [u8]>,
) -> Result<RenderEnd, RenderError> {
    let requests = listener(options.requests_fd)?;
    let control = listener(options.control_fd)?;
    let mut terminate = signal(SignalKind::terminate())
        .map_err(|source| RenderError::Setup { what: "the handler of SIGTERM", source })?;
    let (link, logs) = HostClient::new(tokio::runtime::Handle::current());
    let instance = Instance::new(bundle, snapshot, link);
    let server = Server::new(Arc::clone(&instance), options.release, options.spec_hash, logs);
    tokio::spawn(Arc::clone(&server).accept(Channel::Requests, requests));
    tokio::spawn(Arc::clone(&server).accept(Channel::Control, control));
    let end = tokio::select! {
        _ = terminate.recv() => RenderEnd::Drained,
        () = host_gone(server.controls()), if options.end_with_control => RenderEnd::HostGone,
    };
    if end == RenderEnd::Drained && !instance.drain(SHUTDOWN_DRAIN_MS).await {
        note(Severity::Warn, "drain_timed_out", json!({"timeout_ms": SHUTDOWN_DRAIN_MS}));
    }
    server.close().await;
    Ok(end)
}

/// Asks the kernel to end this process before its supervisor, and before the host, when memory runs out. Without it the
/// kernel goes by size, which usually comes to the same, so that a refusal is no reason to stop.
fn prefer_on_memory_shortage() {
    drop(std::fs::write("/proc/self/oom_score_adj", OOM_SCORE_ADJUSTMENT));
}

fn listener(fd: RawFd) -> Result<UnixListener, RenderError> {
    let setup = |source| RenderError::Setup { what: "an inherited socket", source };
    // SAFETY: the supervisor passed this descriptor to this process, and nothing else here owns it.
    let owned = unsafe { OwnedFd::from_raw_fd(fd) };
    let listener = std::os::unix::net::UnixListener::from(owned);
    listener.set_nonblocking(true).map_err(setup)?;
    UnixListener::from_std(listener).map_err(setup)
}

/// Waits until no host has a control connection: none came in time, or it was lost and not made again.
async fn host_gone(mut controls: watch::Receiver<Vec<u64>>) {
    let mut wait_ms = HOST_CONNECT_MS;
    loop {
        let came = controls.wait_for(|open| !open.is_empty());
        if !matches!(tokio::time::timeout(Duration::from_millis(wait_ms), came).await, Ok(Ok(_))) {
            return;
        }
        if controls.wait_for(Vec::is_empty).await.is_err() {
            return;
        }
        wait_ms = HOST_RETURN_MS;
    }
}

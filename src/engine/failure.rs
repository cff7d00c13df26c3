//! Errors of an engine.

use super::image::ImageError;
use super::layout::LayoutError;
use std::io;
use std::path::PathBuf;
use vitrine_core::id::InstanceId;

/// Cause of a `Reply::Failed`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Folders.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The worker image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// There is no Docker behind the socket, or it is closed to this user.
    #[error("Docker can't be reached at {socket}; {advice}")]
    Unreachable {
        /// Socket.
        socket: PathBuf,
        /// What to do.
        advice: &'static str,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// The operator names a runtime that this Docker does not have.
    #[error(
        "Docker has no runtime `{runtime}` (`worker.runtime`), it has {known}; add it to Docker's daemon.json, or name another"
    )]
    NoRuntime {
        /// Asked for.
        runtime: String,
        /// There.
        known: String,
    },
    /// Docker refused.
    #[error("Docker could not {operation}")]
    Docker {
        /// What was asked.
        operation: &'static str,
        /// Cause.
        #[source]
        source: bollard::errors::Error,
    },
    /// Docker hangs.
    #[error("Docker did not {operation} within {timeout_ms} ms")]
    Silent {
        /// What was asked.
        operation: &'static str,
        /// Bound that passed.
        timeout_ms: u64,
    },
    /// The worker's program could not be started.
    #[error("{program} could not be started")]
    Spawn {
        /// Worker binary.
        program: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// The worker ended before it had its sockets.
    #[error("the worker ended with exit code {code}{}", said(.output))]
    Ended {
        /// Exit code; 128 and the signal's number for a signal.
        code: i64,
        /// Its last lines.
        output: Vec<String>,
    },
    /// The worker runs and has no sockets.
    #[error("the worker had no sockets after {timeout_ms} ms{}", said(.output))]
    NoSockets {
        /// Bound that passed.
        timeout_ms: u64,
        /// Its last lines.
        output: Vec<String>,
    },
    /// The host is full.
    #[error("{running} workers run here, which is the most")]
    Full {
        /// How many.
        running: usize,
    },
    /// Not one of ours.
    #[error("there is no worker {0}")]
    Unknown(InstanceId),
    /// The kernel's figures can't be read.
    #[error("the figures of worker {instance} can't be read")]
    Figures {
        /// Which.
        instance: InstanceId,
        /// Cause.
        #[source]
        source: io::Error,
    },
}

fn said(output: &[String]) -> String {
    if output.is_empty() { String::new() } else { format!("; it wrote last:\n{}", output.join("\n")) }
}

impl Failure {
    /// The whole chain in one text: it crosses a pipe.
    #[must_use]
    pub(crate) fn chain(&self) -> String {
        vitrine_core::telemetry::error_chain(self)
    }
}

//! One call of Docker's API, with a timeout.

use crate::failure::Failure;
use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, Docker};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;
use vitrine_core::failpoint;
use vitrine_core::limits::{ENGINE_PROBE_TIMEOUT_MS, ENGINE_READ_TIMEOUT_MS};

/// Connects to Docker's socket and agrees on a version of its API.
///
/// # Errors
/// [`Failure::Unreachable`] with what to do, [`Failure::Docker`] and [`Failure::Silent`].
pub(crate) async fn connect(socket: &Path) -> Result<Docker, Failure> {
    if let Err(source) = std::os::unix::net::UnixStream::connect(socket) {
        let advice = match source.kind() {
            ErrorKind::NotFound => "install Docker, or start it (`systemctl start docker`)",
            ErrorKind::PermissionDenied => "add this user to the group `docker`, or run as root",
            _ => "start it (`systemctl start docker`)",
        };
        return Err(Failure::Unreachable { socket: socket.into(), advice, source });
    }
    let operation = "tell its version";
    let failed = |source| Failure::Docker { operation, source };
    let path = socket.display().to_string();
    let client = Docker::connect_with_unix(&path, ENGINE_PROBE_TIMEOUT_MS / 1000, API_DEFAULT_VERSION)
        .map_err(failed)?;
    within(operation, ENGINE_READ_TIMEOUT_MS, client.negotiate_version()).await
}

/// Runs one call of Docker's API with a bound of its own: the client's is as long as an image import.
pub(crate) async fn within<T>(
    operation: &'static str,
    timeout_ms: u64,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    failpoint::of(operation, "called");
    let answered = tokio::time::timeout(Duration::from_millis(timeout_ms), call).await;
    failpoint::of(operation, "answered");
    match answered {
        Ok(answer) => answer.map_err(|source| Failure::Docker { operation, source }),
        Err(_) => Err(Failure::Silent { operation, timeout_ms }),
    }
}

impl Failure {
    /// Docker's answer, if it refused.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Docker { source: Error::DockerResponseServerError { status_code, .. }, .. } => {
                Some(*status_code)
            }
            _ => None,
        }
    }
}

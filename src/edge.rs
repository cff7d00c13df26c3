//! The public side: accepts connections, picks a release, answers from its files or from a worker.

use crate::config::Config;
use crate::release::Releases;
use crate::route::Routes;
use crate::telemetry::Telemetry;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

/// Why the edge can't start.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// The address is taken, or not this machine's.
    #[error("the edge can't listen on {address}; pick another with --listen")]
    Bind {
        /// Address asked for.
        address: SocketAddr,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// A file of the TLS listener can't be read or is not what it should be.
    #[error("{path}: {problem}")]
    Tls {
        /// File.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
        /// Cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A bound edge that does not serve yet.
#[derive(Debug)]
pub struct Edge {}

impl Edge {
    /// Binds the plain listener and, if configured, the TLS one.
    ///
    /// # Errors
    /// See [`EdgeError`].
    pub async fn bind(
        _config: &Config,
        _routes: Routes,
        _releases: Releases,
        _telemetry: Telemetry,
    ) -> Result<Self, EdgeError> {
        todo!()
    }

    /// The edge of a host without an admin side (`solo`): it also answers `/metrics`, and it is not ready before it
    /// has a live release.
    #[must_use]
    pub fn alone(self) -> Self {
        todo!()
    }

    /// Address of the plain listener, with its real port.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        todo!()
    }

    /// Address of the TLS listener, with its real port.
    #[must_use]
    pub fn tls_addr(&self) -> Option<SocketAddr> {
        todo!()
    }

    /// Serves until `shutdown`, then stops accepting, lets requests finish (`switching.drain_timeout_ms`) and returns.
    pub async fn serve(self, _shutdown: CancellationToken) {
        todo!()
    }
}

//! The accept loop of the admin side.

use crate::admin::TokenError;
use crate::admin::router::{MetricsText, Readiness};
use crate::release::Releases;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

/// What an admin side is made of.
pub struct AdminOptions {
    /// Address to listen on; port 0 picks one.
    pub listen: SocketAddr,
    /// Data folder: `admin.token` and `staging/` lie in it.
    pub data: PathBuf,
    /// The control plane.
    pub releases: Releases,
    /// See [`MetricsText`].
    pub metrics: MetricsText,
    /// See [`Readiness`].
    pub ready: Readiness,
}

/// Why the admin side can't start.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// See [`TokenError`].
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The address can't be had.
    #[error("the admin side can't listen on {address}; choose another with --admin")]
    Listen {
        /// Address.
        address: SocketAddr,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
}

/// The admin side, bound and not yet serving.
pub struct Admin {
    address: SocketAddr,
}

impl Admin {
    /// Binds, and makes the token if there is none.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn bind(_options: AdminOptions) -> Result<Self, AdminError> {
        todo!()
    }

    /// Address in use, with its real port.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`, then lets running requests finish for a bounded time.
    pub async fn serve(self, _shutdown: CancellationToken) {
        todo!()
    }
}

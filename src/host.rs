//! Composition: configuration to a running host, and back down.

use crate::config::Config;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a host did not start or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum HostError {}

/// What `vitrine solo` runs.
#[derive(Debug, Clone)]
pub struct SoloOptions {
    /// Folder of the bundle.
    pub bundle: PathBuf,
    /// Address of the public side.
    pub listen: SocketAddr,
}

/// Runs a host until SIGTERM or SIGINT.
///
/// # Errors
/// See [`HostError`].
pub async fn run(_config: Config) -> Result<(), HostError> {
    todo!()
}

/// Runs one release without an admin side until SIGTERM or SIGINT.
///
/// # Errors
/// See [`HostError`].
pub async fn solo(_options: SoloOptions) -> Result<(), HostError> {
    todo!()
}

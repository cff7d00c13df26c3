//! What an engine process is started with.

use crate::config::Isolation;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// Where Docker listens unless `DOCKER_HOST` says otherwise.
const DOCKER_SOCKET: &str = "/var/run/docker.sock";

/// What an engine process is started with.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Which kind of workers it runs.
    pub isolation: Isolation,
    /// Folder of everything durable; has to exist.
    pub data: PathBuf,
    /// Docker's socket.
    pub docker: PathBuf,
    /// The `vitrine-worker` binary.
    pub worker: PathBuf,
    /// The `vitrine` binary: it runs as the engine process, and lies beside the worker in the image.
    pub program: PathBuf,
    /// Id of this host: containers of others are never touched. Recorded once in the data folder.
    pub host_id: String,
}

impl EngineOptions {
    /// Options with this program, the worker and the Docker socket where they are usually found.
    ///
    /// # Errors
    /// When this program's own path can't be found out.
    pub fn new(isolation: Isolation, data: PathBuf, host_id: String) -> io::Result<Self> {
        let program = std::env::current_exe()?;
        Ok(Self {
            isolation,
            data,
            docker: docker_socket(),
            worker: worker_binary(&program),
            program,
            host_id,
        })
    }

    /// Arguments of the engine process; [`super::engine::EngineArgs`] reads them.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        let isolation = self.isolation.to_string();
        vec![
            "engine".into(),
            "--isolation".into(),
            isolation.into(),
            "--data".into(),
            self.data.clone().into(),
            "--docker".into(),
            self.docker.clone().into(),
            "--worker".into(),
            self.worker.clone().into(),
            "--host-id".into(),
            self.host_id.clone().into(),
        ]
    }
}

/// Docker's socket: what `DOCKER_HOST` names, if it names one on this machine.
#[must_use]
pub fn docker_socket() -> PathBuf {
    let named = std::env::var("DOCKER_HOST").ok();
    named.as_deref().and_then(|host| host.strip_prefix("unix://")).unwrap_or(DOCKER_SOCKET).into()
}

/// The `vitrine-worker` binary: what `VITRINE_WORKER` names, or the one beside `program`.
#[must_use]
pub fn worker_binary(program: &Path) -> PathBuf {
    match std::env::var_os("VITRINE_WORKER") {
        Some(named) => named.into(),
        None => program.with_file_name("vitrine-worker"),
    }
}

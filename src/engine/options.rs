//! Options of an engine process.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use vitrine_core::config::Isolation;

/// Names another worker binary than the one beside this program.
const WORKER_VARIABLE: &str = "VITRINE_WORKER";
/// Where Docker listens unless `DOCKER_HOST` says otherwise.
const DOCKER_SOCKET: &str = "/var/run/docker.sock";

/// Why an engine can't be set up as the environment has it.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    /// This program's own path.
    #[error("the path of this program can't be found out")]
    Program(#[source] io::Error),
    /// Docker elsewhere: a worker is reached through Unix sockets in folders that it shares with this host.
    #[error(
        "DOCKER_HOST is `{0}`: only a socket of this machine can be used; unset it, or write unix:///var/run/docker.sock"
    )]
    DockerHost(String),
    /// The worker binary that the environment names.
    #[error("VITRINE_WORKER names {}, which is not a file; name the vitrine-worker binary, or unset it", .0.display())]
    Worker(PathBuf),
}

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
    /// Docker's runtime for workers; its default, if absent.
    pub runtime: Option<String>,
    /// Id of this host: containers of others are never touched. Recorded once in the data folder.
    pub host_id: String,
}

impl EngineOptions {
    /// Options with this program, the worker and the Docker socket where they are usually found.
    ///
    /// # Errors
    /// See [`OptionsError`].
    pub fn new(isolation: Isolation, data: PathBuf, host_id: String) -> Result<Self, OptionsError> {
        let program = std::env::current_exe().map_err(OptionsError::Program)?;
        let worker = worker_binary(&program);
        if std::env::var_os(WORKER_VARIABLE).is_some() && !worker.is_file() {
            return Err(OptionsError::Worker(worker));
        }
        Ok(Self { isolation, data, docker: docker_socket()?, worker, program, runtime: None, host_id })
    }

    /// Arguments of the engine process; [`super::engine::EngineArgs`] reads them.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        let isolation = self.isolation.to_string();
        let runtime = self.runtime.iter().flat_map(|runtime| ["--runtime".into(), runtime.into()]);
        let fixed: [OsString; 11] = [
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
        ];
        fixed.into_iter().chain(runtime).collect()
    }
}

/// Docker's socket: what `DOCKER_HOST` names, or the usual one.
///
/// # Errors
/// [`OptionsError::DockerHost`].
pub fn docker_socket() -> Result<PathBuf, OptionsError> {
    socket_of(&std::env::var("DOCKER_HOST").unwrap_or_default())
}

fn socket_of(docker_host: &str) -> Result<PathBuf, OptionsError> {
    match docker_host.strip_prefix("unix://") {
        _ if docker_host.is_empty() => Ok(DOCKER_SOCKET.into()),
        Some(path) if !path.is_empty() => Ok(path.into()),
        _ => Err(OptionsError::DockerHost(docker_host.into())),
    }
}

/// The `vitrine-worker` binary: what `VITRINE_WORKER` names, or the one beside `program`.
#[must_use]
pub fn worker_binary(program: &Path) -> PathBuf {
    match std::env::var_os(WORKER_VARIABLE) {
        Some(named) => named.into(),
        None => program.with_file_name("vitrine-worker"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_socket_of_this_machine_is_taken() {
        assert_eq!(socket_of("").unwrap(), Path::new(DOCKER_SOCKET));
        assert_eq!(socket_of("unix:///run/d.sock").unwrap(), Path::new("/run/d.sock"));
        for other in
            ["tcp://10.0.0.1:2375", "ssh://a", "npipe:////./pipe/d", "/var/run/docker.sock", "unix://"]
        {
            let text = socket_of(other).unwrap_err().to_string();
            assert!(text.contains(&format!("`{other}`")) && text.contains("unix:///"), "{text}");
        }
    }
}

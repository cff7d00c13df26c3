//! The worker image for running without a host: under ECS, Kubernetes or plain Docker.

use super::docker::connect;
use super::failure::Failure;
use super::image::Image;
use super::options::{docker_socket, worker_binary};
use super::{EngineError, OptionsError};
use std::io;

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum ImageUnavailable {
    /// What the environment says.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// Docker, or the files of the image.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Assembles the worker image from this program, its worker and what they link, hands it to Docker unless Docker has it, and
/// gives its tag.
///
/// # Errors
/// See [`ImageUnavailable`].
pub async fn worker_image() -> Result<String, ImageUnavailable> {
    let program = std::env::current_exe().map_err(OptionsError::Program)?;
    let worker = worker_binary(&program);
    let socket = docker_socket()?;
    let made = async {
        let docker = connect(&socket).await?;
        let collected = tokio::task::spawn_blocking({
            let (worker, program) = (worker.clone(), program.clone());
            move || Image::collect(&worker, &program)
        });
        let collected = collected
            .await
            .map_err(|panic| Failure::Spawn { program: worker.clone(), source: io::Error::other(panic) })??;
        let tag = collected.tag();
        collected.ensure(&docker).await?;
        Ok::<_, Failure>(tag)
    };
    let failed = |failure: Failure| EngineError::Failed { action: "image", reason: failure.chain() };
    Ok(made.await.map_err(failed)?)
}

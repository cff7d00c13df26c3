//! Workers as containers of the local Docker.

use super::failure::Failure;
use super::image::{Image, LABEL};
use super::layout::{Layout, worker_uid};
use super::output::Output;
use super::policy::{self, Place, Task};
use super::process::until_sockets;
use super::{InstanceInfo, InstanceStats, StartSpec};
use bollard::Docker;
use bollard::errors::Error;
use bollard::models::ContainerSummary;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, KillContainerOptionsBuilder,
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, LogsOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveImageOptions, StatsOptionsBuilder, WaitContainerOptionsBuilder,
};
use futures_util::{StreamExt, TryStreamExt};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::{Mutex, OnceCell};
use vitrine_core::clock::Clock;
use vitrine_core::config::WorkerResources;
use vitrine_core::id::{Digest, InstanceId, ReleaseId};
use vitrine_core::limits::{
    DOCKER_CALL_TIMEOUT_MS, ENGINE_CHECK_TIMEOUT_MS, ENGINE_INSTANCES_MAX, ENGINE_READ_TIMEOUT_MS,
    OUTPUT_FAILURE_LINES, OUTPUT_LINES_MAX, PROBE_RUN_TIMEOUT_MS, SOCKETS_TIMEOUT_MS,
};

mod call;
mod image_gc;
mod summary;

pub(super) use call::{connect, within};

/// Folder of a worker's sockets, folder of its bundle, and the snapshot of its app.
type Paths<'a> = (&'a Path, &'a Path, Option<&'a Path>);

/// The workers of one host in Docker.
#[derive(Debug)]
pub(crate) struct Containers {
    layout: Layout,
    socket: PathBuf,
    host: String,
    worker: PathBuf,
    program: PathBuf,
    runtime: Option<String>,
    client: OnceCell<Docker>,
    /// Id of the image, once Docker has it; held while it is made.
    image: Mutex<Option<String>>,
}

impl Containers {
    /// Does not connect yet. `worker` and `program` are the binaries that the image is made of.
    #[must_use]
    pub(crate) fn new(
        layout: Layout,
        socket: PathBuf,
        host: String,
        worker: PathBuf,
        program: PathBuf,
    ) -> Self {
        Self {
            layout,
            socket,
            host,
            worker,
            program,
            runtime: None,
            client: OnceCell::new(),
            image: Mutex::new(None),
        }
    }

    /// As these, in another runtime than Docker's default.
    #[must_use]
    pub(crate) fn with_runtime(self, runtime: Option<String>) -> Self {
        Self { runtime, ..self }
    }

    /// Whether Docker has the runtime.
    async fn check_runtime(&self) -> Result<(), Failure> {
        let Some(runtime) = &self.runtime else { return Ok(()) };
        let call = self.client().await?.info();
        let known =
            within("list its runtimes", ENGINE_READ_TIMEOUT_MS, call).await?.runtimes.unwrap_or_default();
        if known.contains_key(runtime) {
            return Ok(());
        }
        let mut known: Vec<String> = known.into_keys().collect();
        known.sort_unstable();
        Err(Failure::NoRuntime { runtime: runtime.clone(), known: known.join(", ") })
    }

    async fn client(&self) -> Result<&Docker, Failure> {
        self.client.get_or_try_init(|| connect(&self.socket)).await
    }

    /// Whether Docker answers.
    ///
    /// # Errors
    /// [`Failure::Unreachable`], [`Failure::Docker`], [`Failure::Silent`].
    pub(crate) async fn check(&self) -> Result<(), Failure> {
        let client = self.client().await?;
        within("answer a ping", ENGINE_CHECK_TIMEOUT_MS, client.ping()).await.map(drop)
    }

    /// Id of the worker image; makes it and hands it to Docker the first time.
    ///
    /// # Errors
    /// [`Failure::Image`] and what keeps Docker from being reached.
    pub(crate) async fn image(&self) -> Result<String, Failure> {
        let client = self.client().await?;
        let mut image = self.image.lock().await;
        if let Some(id) = &*image {
            return Ok(id.clone());
        }
        let (worker, program) = (self.worker.clone(), self.program.clone());
        let collected = tokio::task::spawn_blocking(move || Image::collect(&worker, &program));
        let collected = collected.await.map_err(|panic| Failure::Spawn {
            program: self.worker.clone(),
            source: io::Error::other(panic),
        })??;
        let (tag, bytes, begun) = (collected.tag(), collected.bytes(), std::time::Instant::now());
        let id = collected.ensure(client).await?;
        let took_ms = begun.elapsed().as_millis();
        tracing::info!(image = tag, bytes, took_ms, "worker image is in Docker");
        Ok(image.insert(id).clone())
    }

    /// Runs one worker for a moment, under the same policy as every other.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(crate) async fn probe(&self) -> Result<(), Failure> {
        self.check_runtime().await?;
        let spec = StartSpec {
            instance: InstanceId::random(),
            release: "probe@probe".parse::<ReleaseId>().expect("a name and a version"),
            bundle: Digest([0; 32]),
            snapshot: None,
            spec_hash: Digest([0; 32]),
            resources: (&WorkerResources::default()).into(),
        };
        let sockets = self.layout.make_sockets(&spec.instance, worker_uid(&spec.instance))?;
        let ran = self.run_probe(&spec, &sockets).await;
        let removed = self.stop(&spec.instance, 0).await;
        ran.and(removed)
    }

    async fn run_probe(&self, spec: &StartSpec, sockets: &Path) -> Result<(), Failure> {
        let name = self.create(spec, Task::Version, (sockets, sockets, None)).await?;
        let client = self.client().await?;
        within("start a container", DOCKER_CALL_TIMEOUT_MS, client.start_container(&name, None)).await?;
        match within("end a container", PROBE_RUN_TIMEOUT_MS, exit_code(client, &name)).await? {
            0 => Ok(()),
            code => Err(Failure::Ended { code, output: self.last(&name, OUTPUT_FAILURE_LINES).await }),
        }
    }

    /// Starts a worker and waits for its sockets.
    ///
    /// # Errors
    /// See [`Failure`]; nothing is left of the worker then.
    pub(crate) async fn start(&self, spec: StartSpec) -> Result<(), Failure> {
        let bundle = self.layout.bundle(&spec.bundle)?;
        let snapshot = spec.snapshot.map(|sha256| self.layout.snapshot(&spec.bundle, &sha256)).transpose()?;
        // One from an earlier start of the same instance that was given up: its sockets would be taken for new ones.
        self.stop(&spec.instance, 0).await?;
        let sockets = self.layout.make_sockets(&spec.instance, worker_uid(&spec.instance))?;
        let started = self.run_worker(&spec, (&sockets, &bundle, snapshot.as_deref())).await;
        if started.is_err()
            && let Err(left) = self.stop(&spec.instance, 0).await
        {
            tracing::warn!(instance = %spec.instance, reason = left.chain(), "a failed start could not be cleaned up");
        }
        started
    }

    async fn run_worker(&self, spec: &StartSpec, paths: Paths<'_>) -> Result<(), Failure> {
        let (sockets, ..) = paths;
        let name = self.create(spec, Task::Serve, paths).await?;
        let client = self.client().await?;
        within("start a container", DOCKER_CALL_TIMEOUT_MS, client.start_container(&name, None)).await?;
        let bound = Duration::from_millis(SOCKETS_TIMEOUT_MS);
        tokio::select! {
            ended = exit_code(client, &name) => {
                let code = ended.map_err(|source| Failure::Docker { operation: "watch a container", source })?;
                Err(Failure::Ended { code, output: self.last(&name, OUTPUT_FAILURE_LINES).await })
            }
            found = tokio::time::timeout(bound, until_sockets(sockets)) => match found {
                Ok(()) => Ok(self.layout.seal_sockets(&spec.instance)?),
                Err(_) => Err(Failure::NoSockets {
                    timeout_ms: SOCKETS_TIMEOUT_MS,
                    output: self.last(&name, OUTPUT_FAILURE_LINES).await,
                }),
            },
        }
    }

    /// Creates a container; makes the image again when somebody removed it since.
    async fn create(
        &self,
        spec: &StartSpec,
        task: Task,
        (sockets, bundle, snapshot): Paths<'_>,
    ) -> Result<String, Failure> {
        let name = policy::container_name(&self.host, &spec.instance);
        let mut again = true;
        loop {
            let image = self.image().await?;
            let runtime = self.runtime.as_deref();
            let place = Place { host: &self.host, image: &image, runtime, sockets, bundle, snapshot };
            let body = policy::container(spec, task, &place);
            let options = CreateContainerOptionsBuilder::default().name(&name).build();
            let call = self.client().await?.create_container(Some(options), body);
            match within("create a container", DOCKER_CALL_TIMEOUT_MS, call).await {
                Ok(_) => return Ok(name),
                Err(err) if again && err.status() == Some(404) => {
                    *self.image.lock().await = None;
                    again = false;
                }
                Err(err) => return Err(err),
            }
        }
    }

    /// Ends a worker's container, removes it and its sockets.
    ///
    /// # Errors
    /// [`Failure::Docker`], [`Failure::Silent`], [`Failure::Layout`].
    pub(crate) async fn stop(&self, instance: &InstanceId, grace_ms: u64) -> Result<(), Failure> {
        if let Some(id) = self.find(Some(instance)).await?.into_iter().find_map(|container| container.id) {
            let client = self.client().await?;
            if grace_ms > 0 {
                let options = KillContainerOptionsBuilder::default().signal("SIGTERM").build();
                let call = client.kill_container(&id, Some(options));
                // One that ended since can't be signalled; the removal below says whatever else is wrong.
                if within("signal a container", DOCKER_CALL_TIMEOUT_MS, call).await.is_ok() {
                    let _ = within("end a container", grace_ms, exit_code(client, &id)).await;
                }
            }
            let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
            let call = client.remove_container(&id, Some(options));
            match within("remove a container", DOCKER_CALL_TIMEOUT_MS, call).await {
                // Another call removes it, and is through when it is gone.
                Err(err) if err.status() == Some(409) => {
                    let gone = ended(client, &id, "removed");
                    let _ = within("remove a container", DOCKER_CALL_TIMEOUT_MS, gone).await;
                }
                Err(err) if err.status() != Some(404) => return Err(err),
                _ => {}
            }
        }
        Ok(self.layout.remove_sockets(instance)?)
    }

    /// Containers with this host's label; of one instance, if one is given.
    async fn find(&self, instance: Option<&InstanceId>) -> Result<Vec<ContainerSummary>, Failure> {
        let mut labels = vec![format!("{}={}", policy::LABEL_HOST, self.host)];
        labels.extend(instance.map(|instance| format!("{}={instance}", policy::LABEL_INSTANCE)));
        let filters = HashMap::from([("label", labels)]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let call = self.client().await?.list_containers(Some(options));
        within("list containers", ENGINE_READ_TIMEOUT_MS, call).await
    }

    async fn id(&self, instance: &InstanceId) -> Result<String, Failure> {
        let found = self.find(Some(instance)).await?.into_iter().find_map(|container| container.id);
        found.ok_or_else(|| Failure::Unknown(instance.clone()))
    }

    /// All of this host's containers.
    ///
    /// # Errors
    /// [`Failure::Docker`], [`Failure::Silent`].
    pub(crate) async fn list(&self) -> Result<Vec<InstanceInfo>, Failure> {
        let mut infos = Vec::new();
        for container in self.find(None).await?.into_iter().take(ENGINE_INSTANCES_MAX) {
            let Some(mut info) = summary::instance(&container) else {
                tracing::warn!(container = ?container.names, "a container of this host has labels of no worker");
                continue;
            };
            if !info.running {
                let id = container.id.unwrap_or_default();
                let call = self.client().await?.inspect_container(&id, None::<InspectContainerOptions>);
                // One that was removed since has no exit code.
                let details = within("inspect a container", ENGINE_READ_TIMEOUT_MS, call).await.ok();
                info.exit_code = details.and_then(|details| details.state?.exit_code);
            }
            infos.push(info);
        }
        Ok(infos)
    }

    /// Removes worker images of earlier builds that no container uses.
    ///
    /// # Errors
    /// [`Failure::Docker`], [`Failure::Silent`], and what keeps the present image from being known.
    pub(crate) async fn prune(&self) -> Result<(), Failure> {
        let current = self.image().await?;
        let client = self.client().await?;
        let filters = HashMap::from([("label", vec![LABEL])]);
        let options = ListImagesOptionsBuilder::default().filters(&filters).build();
        let images = within("list images", ENGINE_READ_TIMEOUT_MS, client.list_images(Some(options))).await?;
        // Containers of every host, and those that only keep an image from being removed.
        let options = ListContainersOptionsBuilder::default().all(true).build();
        let call = client.list_containers(Some(options));
        let containers = within("list containers", ENGINE_READ_TIMEOUT_MS, call).await?;
        for image in image_gc::surplus(&images, &containers, &current, Clock::system().now_ms()) {
            // Without force Docker refuses what a container uses since, or what has another name besides.
            let call = client.remove_image(image, None::<RemoveImageOptions>, None);
            match within("remove an image", DOCKER_CALL_TIMEOUT_MS, call).await {
                Ok(_) => tracing::info!(image, "a worker image of an earlier build was removed"),
                Err(err) if matches!(err.status(), Some(404 | 409)) => {}
                Err(err) => return Err(err),
            }
        }
        Ok(())
    }

    /// Figures of a worker's container.
    ///
    /// # Errors
    /// [`Failure::Unknown`], [`Failure::Docker`], [`Failure::Silent`].
    pub(crate) async fn stats(&self, instance: &InstanceId) -> Result<InstanceStats, Failure> {
        let id = self.id(instance).await?;
        let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
        let mut stats = self.client().await?.stats(&id, Some(options)).boxed();
        let first = within("tell a container's figures", ENGINE_READ_TIMEOUT_MS, stats.try_next()).await?;
        Ok(first.map(|stats| summary::figures(&stats)).unwrap_or_default())
    }

    /// Last lines of a worker's container.
    ///
    /// # Errors
    /// [`Failure::Unknown`], [`Failure::Docker`], [`Failure::Silent`].
    pub(crate) async fn logs(&self, instance: &InstanceId, lines: u32) -> Result<Vec<String>, Failure> {
        let id = self.id(instance).await?;
        self.tail(&id, lines).await
    }

    async fn tail(&self, container: &str, lines: u32) -> Result<Vec<String>, Failure> {
        let lines = lines.min(OUTPUT_LINES_MAX as u32);
        let options =
            LogsOptionsBuilder::default().stdout(true).stderr(true).tail(&lines.to_string()).build();
        let pieces = self.client().await?.logs(container, Some(options));
        let read = pieces.try_fold(Output::default(), async |mut output, piece| {
            output.push(&piece.into_bytes());
            Ok(output)
        });
        Ok(within("tell a container's output", ENGINE_READ_TIMEOUT_MS, read).await?.last(lines as usize))
    }

    /// Last lines for a message about something else that failed: none if they can't be had.
    async fn last(&self, container: &str, lines: u32) -> Vec<String> {
        self.tail(container, lines).await.unwrap_or_default()
    }
}

/// Waits for a container's end.
async fn exit_code(client: &Docker, container: &str) -> Result<i64, Error> {
    ended(client, container, "not-running").await
}

/// Waits for a container to be `not-running` or `removed`; its exit code.
async fn ended(client: &Docker, container: &str, condition: &str) -> Result<i64, Error> {
    let options = WaitContainerOptionsBuilder::default().condition(condition).build();
    match client.wait_container(container, Some(options)).boxed().try_next().await {
        Ok(ended) => Ok(ended.map_or(0, |ended| ended.status_code)),
        Err(Error::DockerContainerWaitError { code, .. }) => Ok(code),
        Err(err) => Err(err),
    }
}

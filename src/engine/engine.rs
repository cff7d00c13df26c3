//! The engine process: reads actions from its standard input, carries them out, and ends when the input closes.
//!
//! It alone holds Docker's socket, and it derives every container from the specification and its own folders: an attacker
//! who takes over the host's public side can ask for no more than [`super::Action`] lists.

use super::client::{Answered, Asked, codec};
use super::docker::Containers;
use super::failure::Failure;
use super::layout::Layout;
use super::process::Processes;
use super::{Action, Reply};
use futures_util::{SinkExt, StreamExt};
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::codec::{FramedRead, FramedWrite, LinesCodecError};
use vitrine_core::config::Isolation;
use vitrine_core::failpoint;
use vitrine_core::limits::ENGINE_CALLS_MAX;
use vitrine_core::telemetry::init_logs;

/// Arguments of the hidden verb `engine`.
#[derive(Debug, clap::Args)]
pub struct EngineArgs {
    /// Which kind of workers it runs.
    #[arg(long, value_parser = isolation)]
    isolation: Isolation,
    /// Folder of everything durable.
    #[arg(long)]
    data: PathBuf,
    /// Docker's socket.
    #[arg(long)]
    docker: PathBuf,
    /// The worker binary.
    #[arg(long)]
    worker: PathBuf,
    /// Docker's runtime for workers; Docker's own default, if absent.
    #[arg(long)]
    runtime: Option<String>,
    /// Id of the host.
    #[arg(long)]
    host_id: String,
}

fn isolation(text: &str) -> Result<Isolation, String> {
    [Isolation::Container, Isolation::Process]
        .into_iter()
        .find(|isolation| isolation.to_string() == text)
        .ok_or_else(|| "container or process".into())
}

/// Runs the engine process. Exit code 0 when the host went away, 1 when the engine can't go on.
#[must_use]
pub fn main(args: EngineArgs) -> ExitCode {
    let (_logs, _written) = init_logs();
    // One thread: children end with the thread that started them, and it has to be this one.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime.map_err(Stop::Pipe).and_then(|runtime| {
        let ended = runtime.block_on(run(args));
        // An image that is being read for its digest need not be read to its end.
        runtime.shutdown_background();
        ended
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            tracing::error!(reason = %err, cause = ?std::error::Error::source(&err), "the engine process can't go on");
            ExitCode::FAILURE
        }
    }
}

/// Why the engine process can't go on.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error("standard input and output are no pipes to a host")]
    Pipe(#[source] io::Error),
    #[error("the folders of workers can't be used")]
    Failure(#[from] Failure),
    #[error("the host sent what is no action")]
    Line(#[source] LinesCodecError),
    #[error("the host sent what is no action")]
    Json(#[from] serde_json::Error),
}

async fn run(args: EngineArgs) -> Result<(), Stop> {
    let backend = Arc::new(Backend::new(args)?);
    let preparing = backend.clone();
    tokio::spawn(async move { preparing.prepare().await });
    let from = pipe::Receiver::from_owned_fd(io::stdin().as_fd().try_clone_to_owned().map_err(Stop::Pipe)?);
    let to = pipe::Sender::from_owned_fd(io::stdout().as_fd().try_clone_to_owned().map_err(Stop::Pipe)?);
    let (answers, answering) = mpsc::channel(ENGINE_CALLS_MAX);
    tokio::spawn(write(to.map_err(Stop::Pipe)?, answering));
    // The host decides when the engine ends, by closing the pipe; a signal to all of a service's processes must not cut it short.
    let mut terminate = signal(SignalKind::terminate()).map_err(Stop::Pipe)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Stop::Pipe)?;
    let mut asked = FramedRead::new(from.map_err(Stop::Pipe)?, codec());
    let running = Arc::new(Semaphore::new(ENGINE_CALLS_MAX));
    let ended = loop {
        let line = tokio::select! {
            line = asked.next() => line,
            _ = terminate.recv() => continue,
            _ = interrupt.recv() => continue,
        };
        let asked: Asked = match line {
            None => break Ok(()),
            Some(Err(err)) => break Err(Stop::Line(err)),
            Some(Ok(line)) => match serde_json::from_str(&line) {
                Ok(asked) => asked,
                Err(err) => break Err(err.into()),
            },
        };
        let Ok(permit) = running.clone().acquire_owned().await else { break Ok(()) };
        let (backend, answers) = (backend.clone(), answers.clone());
        tokio::spawn(async move {
            let reply = backend.carry_out(asked.action).await;
            // Without a writer the host is gone, and so will be this process.
            let _ = answers.send(Answered { id: asked.id, reply }).await;
            drop(permit);
        });
    };
    backend.end().await;
    ended
}

async fn write(to: pipe::Sender, mut answers: mpsc::Receiver<Answered>) {
    let mut to = FramedWrite::new(to, codec());
    while let Some(answer) = answers.recv().await {
        let line = match serde_json::to_string(&answer) {
            Ok(line) => line,
            Err(err) => {
                tracing::error!(reason = %err, "an answer can't be written down");
                continue;
            }
        };
        if to.send(line).await.is_err() {
            return;
        }
    }
}

/// Whatever runs the workers.
#[derive(Debug)]
enum Backend {
    Containers(Box<Containers>),
    Processes(Processes),
}

impl Backend {
    fn new(args: EngineArgs) -> Result<Self, Failure> {
        let layout = Layout::new(&args.data)?;
        match args.isolation {
            Isolation::Process => Ok(Self::Processes(Processes::new(layout, args.worker))),
            Isolation::Container => {
                let program = std::env::current_exe()
                    .map_err(|source| Failure::Spawn { program: "/proc/self/exe".into(), source })?;
                let containers = Containers::new(layout, args.docker, args.host_id, args.worker, program)
                    .with_runtime(args.runtime);
                Ok(Self::Containers(Box::new(containers)))
            }
        }
    }

    /// Makes the image before the first start waits for it. What fails here fails again, with a caller to tell, at that start.
    async fn prepare(&self) {
        if let Self::Containers(containers) = self
            && let Err(err) = containers.image().await
        {
            tracing::warn!(reason = err.chain(), "the worker image is not in Docker yet");
        }
    }

    async fn carry_out(&self, action: Action) -> Reply {
        let name = action.name();
        failpoint::of(name, "begun");
        let done = match self {
            Self::Containers(containers) => in_containers(containers, action).await,
            Self::Processes(processes) => in_processes(processes, action).await,
        };
        failpoint::of(name, "finished");
        done.unwrap_or_else(|err| {
            let reason = err.chain();
            tracing::warn!(action = name, reason, "an action failed");
            Reply::Failed(reason)
        })
    }

    /// The host is gone: its containers stay for its successor, its processes don't.
    async fn end(&self) {
        if let Self::Processes(processes) = self {
            processes.end().await;
        }
    }
}

async fn in_containers(containers: &Containers, action: Action) -> Result<Reply, Failure> {
    Ok(match action {
        Action::Check => containers.check().await.map(|()| Reply::Done)?,
        Action::Probe => containers.probe().await.map(|()| Reply::Done)?,
        Action::Start(spec) => containers.start(spec).await.map(|()| Reply::Done)?,
        Action::Stop { instance, grace_ms } => {
            containers.stop(&instance, grace_ms).await.map(|()| Reply::Done)?
        }
        Action::List => Reply::Instances(containers.list().await?),
        Action::Prune => containers.prune().await.map(|()| Reply::Done)?,
        Action::Stats { instance } => Reply::Stats(containers.stats(&instance).await?),
        Action::Logs { instance, lines } => Reply::Logs(containers.logs(&instance, lines).await?),
    })
}

async fn in_processes(processes: &Processes, action: Action) -> Result<Reply, Failure> {
    Ok(match action {
        Action::Check => Reply::Done,
        Action::Probe => processes.probe().await.map(|()| Reply::Done)?,
        Action::Start(spec) => processes.start(spec).await.map(|()| Reply::Done)?,
        Action::Stop { instance, grace_ms } => {
            processes.stop(&instance, grace_ms).await.map(|()| Reply::Done)?
        }
        Action::List => Reply::Instances(processes.list()),
        // Processes run from the binaries themselves.
        Action::Prune => Reply::Done,
        Action::Stats { instance } => Reply::Stats(processes.stats(&instance)?),
        Action::Logs { instance, lines } => Reply::Logs(processes.logs(&instance, lines)?),
    })
}

//! A bundle evaluated in a throw-away worker on this machine, as a host evaluates it before it renders a page.

use super::prepare::private_folder;
use crate::cli::Failure;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use vitrine_bundle::{BundleDir, Inspected};
use vitrine_core::config::{EgressPolicy, Isolation, WorkerResources};
use vitrine_core::id::{InstanceId, ReleaseId};
use vitrine_core::limits::{TRIAL_BODIES_BYTES_MAX, TRIAL_READY_MS, TRIAL_SOCKETS_MAX, TRIAL_STOP_MS};
use vitrine_core::telemetry::error_chain;
use vitrine_engine::{Engine, EngineOptions, StartSpec};
use vitrine_proxy::worker::{BodyMemory, Egress, Endpoint, Identity, LogSink, Sockets, Worker, WorkerError};
use vitrine_wire::{LogLine, Start, WorkerLimits, WorkerSettings};

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trial {
    /// It was evaluated, and has what its contract asks for.
    Passed,
    /// No worker can be run here, and why.
    Skipped(String),
}

/// Evaluates a bundle whose files lie in `dir`, with these values. It can't call anything: the bundle may come from a repository that
/// its user has not read.
///
/// # Errors
/// It can't be evaluated: no host would take it.
pub(super) async fn evaluate(
    release: &ReleaseId,
    bundle: &Inspected,
    dir: &BundleDir,
    env: Vec<(String, String)>,
) -> Result<Trial, Failure> {
    // Short: a Unix socket's path has at most 107 bytes.
    let data =
        private_folder("vitrine-try-", Path::new("/tmp")).map_err(Failure::local("making a folder"))?;
    let place = data.path().join("bundles").join(bundle.digest.to_string());
    let made = fs::create_dir_all(&place).and_then(|()| copy(&dir.files(), &place.join("files")));
    made.map_err(Failure::local("copying the bundle"))?;
    let options = EngineOptions::new(Isolation::Process, data.path().to_owned(), "trial".into());
    let options = match options {
        Ok(options) if options.worker.is_file() => options,
        Ok(options) => return Ok(Trial::Skipped(format!("there is no {}", options.worker.display()))),
        Err(error) => return Ok(Trial::Skipped(error.to_string())),
    };
    let engine = match Engine::spawn(options) {
        Ok(engine) => engine,
        Err(error) => return Ok(Trial::Skipped(error_chain(&error))),
    };
    let spec = StartSpec {
        instance: InstanceId::random(),
        release: release.clone(),
        bundle: bundle.digest,
        snapshot: None,
        spec_hash: bundle.digest,
        resources: (&WorkerResources::default()).into(),
    };
    let instance = spec.instance.clone();
    if let Err(error) = engine.start(spec).await {
        return Ok(Trial::Skipped(error_chain(&error)));
    }
    let identity = Identity {
        instance: instance.clone(),
        release: release.clone(),
        spec_hash: bundle.digest,
        endpoint: Endpoint::Unix(data.path().join("run").join(instance.as_str())),
    };
    let tried = ready(identity, bundle, env).await;
    // It is thrown away: what it may still have to do is of no use.
    let _ = engine.stop(&instance, TRIAL_STOP_MS).await;
    tried
}

async fn ready(identity: Identity, bundle: &Inspected, env: Vec<(String, String)>) -> Result<Trial, Failure> {
    let manifest = &bundle.manifest;
    let unset = |name: &&String| !env.iter().any(|(given, _)| given == *name);
    let unset: Vec<&str> = manifest.env.iter().filter(unset).map(String::as_str).collect();
    let start = Start {
        settings: WorkerSettings {
            entry: manifest.entry.clone(),
            contract: manifest.contract,
            // Pages need the values and services of the host that they are for.
            warm: Vec::new(),
            host: format!("{}.localhost", identity.release.app),
            limits: limits(bundle),
        },
        env: env.into_iter().collect(),
        is_accepted: false,
    };
    let sockets = Sockets::new(TRIAL_SOCKETS_MAX);
    let policy = EgressPolicy::default();
    let egress = Egress::new(&identity.release.app, &[], &policy, Arc::default(), sockets);
    let said = Arc::new(Said::default());
    let logs: Arc<dyn LogSink> = Arc::<Said>::clone(&said);
    let memory = BodyMemory::new(TRIAL_BODIES_BYTES_MAX).share();
    let timeout = Duration::from_millis(TRIAL_READY_MS);
    let booted = match Worker::connect(identity, start, egress, logs, memory).await {
        Ok(worker) => worker.ready(timeout).await,
        Err(error) => return Ok(Trial::Skipped(error_chain(&error))),
    };
    let error = match booted {
        Ok(_) => return Ok(Trial::Passed),
        Err(error @ (WorkerError::Boot(_) | WorkerError::BootTimeout { .. })) => error,
        Err(error) => return Ok(Trial::Skipped(error_chain(&error))),
    };
    let mut message = format!("no host would take this bundle: {}", error_chain(&error));
    if !unset.is_empty() {
        message.push_str(&format!(
            "\nwhere it needs values while it is evaluated, name them: `--env NAME` takes NAME from this command's environment ({} \
             not given)",
            unset.join(", ")
        ));
    }
    if !manifest.egress.is_empty() {
        message.push_str("\na dry run makes no calls: code that fetches while it is evaluated fails here, whatever `egress` lists");
    }
    Err(Failure::Refused { message, log: said.lines(), answer: None })
}

/// What the bundle asks for, on one isolate: the operator's maxima are another machine's.
fn limits(bundle: &Inspected) -> WorkerLimits {
    WorkerLimits { isolates: 1, isolate_per_request: false, ..bundle.manifest.limits.clone() }
}

/// What the app writes meanwhile; its worker bounds it.
#[derive(Debug, Default)]
struct Said(Mutex<Vec<String>>);

impl Said {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl LogSink for Said {
    fn take(&self, _: &Identity, lines: Vec<LogLine>) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend(lines.into_iter().map(|line| line.message));
    }
}

/// Links a folder's files, which lie on one disk or are copied.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy(&from, &to)?;
        } else if fs::hard_link(&from, &to).is_err() {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}

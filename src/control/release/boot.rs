//! A worker from nothing to ready, and back to nothing.

use super::diagnosis::{self, Diagnosis};
use super::effects::refused;
use super::health_check::FailedCheck;
use super::lifecycle::Event;
use super::release_handle::ReleaseHandle;
use super::supervisor::WorkerSupervisor;
use super::{ReleaseError, health_check, worker_monitor};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinError;
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::id::{Digest, InstanceId, ReleaseId};
use vitrine_core::limits::{BOOT_LOG_LINES, LAST_LINES_MS};
use vitrine_core::telemetry::error_chain;
use vitrine_engine::StartSpec;
use vitrine_proxy::worker::{Egress, Endpoint, Identity, Worker, WorkerError};
use vitrine_store::{EnvScope, EnvValue, SnapshotRecord, Store};
use vitrine_wire::{AppError, BootStage, Start};

/// What a worker must do before it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Terms {
    /// Its warm and health paths answer below 500: its release is not accepted yet, or another worker serves.
    Strict,
    /// It boots. What its pages lack is not known to be the release's own doing, and a cold worker is better than none.
    Accepted,
}

/// What a worker that is not ready yet is at.
#[derive(Debug, Clone, Copy)]
enum Step {
    Files,
    Snapshot,
    Worker,
    Code,
    Health,
}

impl Step {
    const fn told(self) -> &'static str {
        match self {
            Self::Files => "its files were still checked",
            Self::Snapshot => "its snapshot was still made: its modules are evaluated for that",
            Self::Worker => "its worker was still started: the machine or Docker is busy",
            Self::Code => {
                "its modules were still evaluated or its warm paths rendered; a top-level `await` that never settles and a page that \
                 waits are common causes"
            }
            Self::Health => "its health path had no good answer yet",
        }
    }
}

fn lock(step: &Mutex<Step>) -> MutexGuard<'_, Step> {
    step.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a snapshot is not used any more: V8 ends the process when it can't read what it wrote, such as an error whose stack was read.
const LOST_WITH_SNAPSHOT: &str = "the worker ended while it started from the app's snapshot";

/// A worker that may serve, and what failed of its warm and health paths.
type ReadyWorker = (Arc<Worker>, Option<String>);

impl WorkerSupervisor {
    /// Starts the first instance of a release and lets it serve. The caller has a place to do so.
    pub(super) async fn boot(
        &self,
        handle: &Arc<ReleaseHandle>,
        deadline: Duration,
    ) -> Result<(), ReleaseError> {
        let answered =
            || handle.happens(Event::Answered).map(drop).map_err(|illegal| refused(handle, illegal));
        let terms = if handle.is_accepted() { Terms::Accepted } else { Terms::Strict };
        let (instance, unwell) = self.start_instance(handle, deadline, terms, answered).await?;
        self.add_instance(handle, instance, unwell);
        Ok(())
    }

    /// As [`WorkerSupervisor::start_instance`], for an instance that is recorded.
    pub(super) async fn start_within(
        &self,
        handle: &Arc<ReleaseHandle>,
        instance: &InstanceId,
        deadline: Duration,
        terms: Terms,
        answered: impl FnOnce() -> Result<(), ReleaseError> + Send,
    ) -> Result<ReadyWorker, ReleaseError> {
        let step = Mutex::new(Step::Files);
        let starting = self.start(handle, instance, deadline, terms, answered, &step);
        if let Ok(started) = tokio::time::timeout(deadline, starting).await {
            return started;
        }
        let log = self.boot_log(handle, instance).await;
        let reason = format!(
            "it was not ready within {} s (`--wait`), in which {}",
            deadline.as_secs_f64().ceil(),
            lock(&step).told()
        );
        Err(self.not_up(handle, reason, log, Diagnosis::default()).await)
    }

    async fn start(
        &self,
        handle: &Arc<ReleaseHandle>,
        instance: &InstanceId,
        deadline: Duration,
        terms: Terms,
        answered: impl FnOnce() -> Result<(), ReleaseError> + Send,
        step: &Mutex<Step>,
    ) -> Result<ReadyWorker, ReleaseError> {
        self.check_bundle(handle).await?;
        let env = self.env_of(handle).await?;
        let _mapping = self.0.mapping.read().await;
        *lock(step) = Step::Snapshot;
        let snapshot = self.snapshot(handle, deadline).await;
        let spec = self.start_spec(handle, instance, snapshot);
        let (release, spec_hash) = (spec.release.clone(), spec.spec_hash);
        let engine_error = |source| ReleaseError::Engine { release, source };
        *lock(step) = Step::Worker;
        self.0.engine.start(spec).await.map_err(engine_error)?;
        let identity = self.identity(handle, instance, spec_hash);
        let failed = match self.connect(handle, identity, env, terms).await {
            Ok(worker) => {
                answered()?;
                if failpoint::at("boot.ready") == Some(Fault::Skip) {
                    return Ok((worker, None));
                }
                *lock(step) = Step::Code;
                let ready = tokio::select! {
                    ready = worker.ready(deadline) => ready,
                    () = worker_monitor::lost_in_boot(self, &worker) => {
                        Err(WorkerError::Lost { instance: instance.clone() })
                    }
                };
                match ready {
                    Ok(ready) => {
                        if snapshot.is_some() && !ready.from_snapshot {
                            self.forget_snapshot(handle).await;
                        }
                        let warm = ready.warm_failure.map(|failure| failure.message);
                        let domain = &self.0.config.domain;
                        *lock(step) = Step::Health;
                        return match health_check::first(handle, &worker, domain, terms).await {
                            Ok(health) => Ok((worker, warm.or(health))),
                            Err(failed) => Err(self.ill(handle, instance, failed).await),
                        };
                    }
                    Err(error) => {
                        // What the app wrote last and its failure come by different tasks; the worker is held until both are here.
                        tokio::time::sleep(Duration::from_millis(LAST_LINES_MS)).await;
                        error
                    }
                }
            }
            Err(error) => error,
        };
        let lost_with_snapshot = snapshot.is_some() && matches!(failed, WorkerError::Lost { .. });
        if lost_with_snapshot {
            // The next worker evaluates the app: a release that is live must not fail again and again.
            handle.set_snapshot(Some(SnapshotRecord::Refused { reason: LOST_WITH_SNAPSHOT.into() }));
        }
        Err(self.unservable(handle, instance, failed, lost_with_snapshot).await)
    }

    /// A worker whose health path failed.
    async fn ill(
        &self,
        handle: &Arc<ReleaseHandle>,
        instance: &InstanceId,
        failed: FailedCheck,
    ) -> ReleaseError {
        let FailedCheck { reason, answer } = failed;
        tokio::time::sleep(Duration::from_millis(LAST_LINES_MS)).await;
        let log = self.boot_log(handle, instance).await;
        self.not_up(handle, reason, log, Diagnosis { answer, ..Diagnosis::default() }).await
    }

    /// See [`InstalledBundles::check`](super::installed_bundles::InstalledBundles::check).
    async fn check_bundle(&self, handle: &Arc<ReleaseHandle>) -> Result<(), ReleaseError> {
        if failpoint::at("boot.check_bundle") == Some(Fault::Skip) {
            return Ok(());
        }
        self.0.installed.check(handle.bundle.digest).await
    }

    /// What a worker of a release is started from.
    pub(super) fn start_spec(
        &self,
        handle: &Arc<ReleaseHandle>,
        instance: &InstanceId,
        snapshot: Option<Digest>,
    ) -> StartSpec {
        let record = handle.record();
        let resources = self.0.config.worker_of(&record.id.app);
        StartSpec {
            instance: instance.clone(),
            release: record.id,
            bundle: record.digest,
            snapshot,
            spec_hash: record.spec_hash,
            resources: (&resources).into(),
        }
    }

    /// What a worker must turn out to be.
    pub(super) fn identity(
        &self,
        handle: &ReleaseHandle,
        instance: &InstanceId,
        spec_hash: Digest,
    ) -> Identity {
        Identity {
            instance: instance.clone(),
            release: handle.id(),
            spec_hash,
            endpoint: Endpoint::Unix(self.0.records.layout().run_dir(instance)),
        }
    }

    /// The environment that a release is recorded with. Without it no worker is started: it would be another release.
    pub(super) async fn env_of(
        &self,
        handle: &Arc<ReleaseHandle>,
    ) -> Result<Vec<(String, String)>, ReleaseError> {
        let wanted = &handle.bundle.manifest.env;
        let read = self.values_of(handle).await?.into_iter().filter(|value| wanted.contains(&value.name));
        Ok(read.map(|value| (value.name, value.value)).collect())
    }

    /// Names that have a value in the configuration of a release, whether or not it lists them.
    pub(super) async fn names_set(&self, handle: &Arc<ReleaseHandle>) -> Result<Vec<String>, ReleaseError> {
        Ok(self.values_of(handle).await?.into_iter().map(|value| value.name).collect())
    }

    async fn values_of(&self, handle: &Arc<ReleaseHandle>) -> Result<Vec<EnvValue>, ReleaseError> {
        let record = handle.record();
        let (app, revision, scope) = (record.id.app, record.config_revision, record.env_scope);
        let read = move |store: &Store| store.env(&app, revision, scope);
        self.0.records.stored("reading the environment", read).await
    }

    /// Connects a worker that runs.
    pub(super) async fn connect(
        &self,
        handle: &Arc<ReleaseHandle>,
        identity: Identity,
        env: Vec<(String, String)>,
        terms: Terms,
    ) -> Result<Arc<Worker>, WorkerError> {
        let record = handle.record();
        let workers = &self.0;
        let is_accepted = terms == Terms::Accepted;
        let start = Start { settings: handle.settings(&workers.config.domain), env, is_accepted };
        let listed: Vec<_> =
            handle.bundle.manifest.egress.iter().filter_map(|text| text.parse().ok()).collect();
        let metrics = Arc::clone(&workers.metrics);
        let policy = workers.config.egress_of(&record.id.app, record.env_scope == EnvScope::Production);
        let egress = Egress::new(&record.id.app, &listed, &policy, metrics, Arc::clone(&self.0.sockets));
        // A preview neither purges what users get nor decides what the live release fetches.
        if let Some(cache) = workers.cache.as_ref().filter(|_| record.env_scope == EnvScope::Production) {
            egress.keep_in(Arc::clone(cache));
        }
        egress.answer_own(record.id.clone(), self.0.own_origins.clone());
        handle.set_denials(egress.denials());
        let logs = self.0.app_logs.sink(&record.id.app, start.settings.limits.log_lines_per_s);
        let connecting = Worker::connect(identity, start, egress, logs, self.0.bodies.share());
        // A boot that is given up drops its connection, which ends it.
        self.among_requests(connecting).await
    }

    /// Talks to a worker on the threads that requests pass through: its frames are theirs.
    pub(super) async fn among_requests<T: Send + 'static>(
        &self,
        talk: impl Future<Output = T> + Send + 'static,
    ) -> T {
        match self.0.requests.spawn(talk).await.map_err(JoinError::try_into_panic) {
            Ok(said) => said,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // Those threads end with the host.
            Err(Err(_)) => std::future::pending().await,
        }
    }

    async fn unservable(
        &self,
        handle: &Arc<ReleaseHandle>,
        instance: &InstanceId,
        error: WorkerError,
        lost_with_snapshot: bool,
    ) -> ReleaseError {
        let mut log = self.boot_log(handle, instance).await;
        let mut reason = error_chain(&error);
        if lost_with_snapshot {
            reason = format!(
                "{reason}; {LOST_WITH_SNAPSHOT}; `\"snapshot\": false` in vitrine.json has it evaluate the app"
            );
        }
        let mut diagnosis = Diagnosis::default();
        if let WorkerError::Boot(failure) = &error {
            let thrown = failure.error.as_ref();
            // The reason says it, and the stack below; the worker's own lines of the same text add nothing.
            log.retain(|line| {
                !line.contains(&failure.message) && thrown.is_none_or(|thrown| !tells(line, thrown))
            });
            if let Some(thrown) = thrown {
                // V8's stacks begin with the message; those of other errors may not.
                let message = Some(&thrown.message).filter(|message| !thrown.stack.contains(*message));
                let text = message.into_iter().chain([&thrown.stack]);
                log.extend(text.flat_map(|text| text.lines()).map(String::from));
            }
            diagnosis.error = failure.error.clone();
            if let BootStage::Answered(answer) = &failure.stage {
                diagnosis.answer = Some((**answer).clone());
            }
        }
        self.not_up(handle, reason, log, diagnosis).await
    }

    /// A release that did not come up, with all that is known about it.
    pub(super) async fn not_up(
        &self,
        handle: &Arc<ReleaseHandle>,
        reason: String,
        log: Vec<String>,
        found: Diagnosis,
    ) -> ReleaseError {
        // What can't be read now is not why it did not come up: without its values no worker is started.
        let set = self.names_set(handle).await.unwrap_or_default();
        let listed = &handle.bundle.manifest.env;
        let diagnosis = Diagnosis {
            app: handle.id().app.to_string(),
            env_unset: diagnosis::unset(listed, &set),
            env_unlisted: diagnosis::unset(&set, listed),
            env_scope: handle.record().env_scope,
            egress_denied: handle.denied_calls(),
            limits_lowered: diagnosis::lowered(handle),
            ..found
        };
        ReleaseError::Unservable { release: handle.id(), reason, log, diagnosis: Box::new(diagnosis) }
    }

    /// What a worker that failed has to say: the app's lines, then its processes'.
    async fn boot_log(&self, handle: &Arc<ReleaseHandle>, instance: &InstanceId) -> Vec<String> {
        let mut lines = self.0.app_logs.of_instance(&handle.id().app, instance);
        if let Ok(output) = self.0.engine.logs(instance, BOOT_LOG_LINES).await {
            lines.extend(output);
        }
        // Each isolate renders the warm paths, and each tells of the same error.
        let mut told = HashSet::new();
        lines.retain(|line| !line.contains('\n') || told.insert(line.clone()));
        let surplus = lines.len().saturating_sub(BOOT_LOG_LINES as usize);
        lines.split_off(surplus)
    }

    /// Stops what could not be stopped before, if the engine answers now.
    pub(super) async fn end_again(&self) {
        let own = &self.0.own_workers;
        if !own.has_unstopped() || self.0.engine.check().await.is_err() {
            return;
        }
        for instance in own.take_unstopped() {
            self.end(&instance).await;
        }
    }

    /// Whether the engine answers: what would hang without it is refused at once.
    pub(super) async fn check_engine(&self, release: &ReleaseId) -> Result<(), ReleaseError> {
        let away = |source| ReleaseError::EngineAway { release: release.clone(), source };
        self.0.engine.check().await.map_err(away)
    }
}

/// Whether a line of the log says no more than that this was thrown.
fn tells(line: &str, thrown: &AppError) -> bool {
    let first = line.lines().next().unwrap_or_default();
    let first = first.strip_prefix("Uncaught ").unwrap_or(first);
    first.strip_prefix("(in promise) ").unwrap_or(first) == thrown.message.lines().next().unwrap_or_default()
}

//! One retained release with what can't be stored: its pool, its bundle in use, its locks.

use super::cold_start::Activation;
use super::demand::Demand;
use super::lifecycle::{Effect, Event, Illegal, Lifecycle};
use super::load::Load;
use super::lock_order::{Lock, Rank};
use super::own_upload::OwnUpload;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use vitrine_bundle::{Bundle, BundleDir, Deltas, Manifest, Scale};
use vitrine_core::config::{Config, LimitMaxima};
use vitrine_core::id::{Digest, InstanceId, ReleaseId};
use vitrine_core::limits::{CRASH_LOOP_CRASHES, CRASH_LOOP_MS, GIVEN_UP_PAUSE_MS};
use vitrine_core::telemetry::Window;
use vitrine_engine::Resources;
use vitrine_proxy::pool::Pool;
use vitrine_proxy::worker::{Denials, DeniedCall};
use vitrine_store::{ReleaseRecord, ReleaseState, SnapshotRecord};
use vitrine_wire::{WorkerLimits, WorkerSettings};

/// One retained release.
#[derive(Debug)]
pub(super) struct ReleaseHandle {
    /// As recorded; replaced when the record changes.
    record: Mutex<ReleaseRecord>,
    /// Its files, limits and manifest.
    pub bundle: Arc<Bundle>,
    /// Where they lie.
    pub dir: BundleDir,
    /// Those of its files.
    pub deltas: Arc<Deltas>,
    /// Its workers.
    pub pool: Arc<Pool>,
    /// Limits in force.
    pub limits: WorkerLimits,
    /// Where it stands.
    life: Mutex<Lifecycle>,
    /// Why its last start failed, and when.
    failure: Mutex<Option<(String, Instant)>>,
    /// The worker whose warm or health path failed last, and how.
    unwell: Mutex<Option<(InstanceId, String)>>,
    /// Held while its first instance is started, and while it is stopped, frozen or made live: one at a time, all others wait for the
    /// result.
    pub boot: Lock,
    /// Held while further instances are started beside those that serve; taken before `boot`.
    pub scaling: Lock,
    /// Operators who wait for its worker, whichever call starts it.
    insisting: AtomicUsize,
    /// Requests that wait for it to wake.
    pub waiting: std::sync::atomic::AtomicUsize,
    /// What they wait for.
    pub activation: Activation,
    /// Whether the upload that took it in may still be undone.
    pub upload: OwnUpload,
    /// Whether the hooks of its promotion look at it by its own name.
    pub on_trial: std::sync::atomic::AtomicBool,
    /// What is known about the snapshot of its bundle.
    snapshot: Mutex<Option<SnapshotRecord>>,
    /// Whether a worker of it may map the snapshot of its bundle.
    maps_snapshot: AtomicBool,
    /// What its health path answered to its newest worker's first check; 0 is nothing.
    pub health_status: AtomicU16,
    /// How its renders went in the last minutes that it was live.
    window: Mutex<Window>,
    /// Calls of its newest worker that were denied.
    denials: Mutex<Arc<Denials>>,
    /// Its requests in the last minute.
    pub load: Load,
    /// What decides how many instances it has.
    demand: Mutex<Demand>,
    /// When its process died, the last few times.
    crashes: Mutex<VecDeque<Instant>>,
    /// Whether a worker served it since the host started.
    served: AtomicBool,
}

/// An operator's call that waits for a worker.
#[derive(Debug)]
pub(super) struct Insisting<'a>(&'a AtomicUsize);

impl Drop for Insisting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl ReleaseHandle {
    /// A release as recorded, with its bundle.
    pub(super) fn new(
        record: ReleaseRecord,
        life: Lifecycle,
        bundle: Arc<Bundle>,
        dir: BundleDir,
        maxima: &LimitMaxima,
        cpus: f64,
    ) -> Arc<Self> {
        Arc::new(Self {
            pool: Pool::new(record.id.clone()),
            limits: super::effective_limits::effective_limits(&bundle.manifest.limits, maxima, cpus),
            life: Mutex::new(life),
            failure: Mutex::default(),
            unwell: Mutex::default(),
            record: Mutex::new(record),
            bundle,
            deltas: Arc::new(Deltas::load(&dir)),
            dir,
            boot: Lock::new(Rank::Boot),
            scaling: Lock::new(Rank::Scale),
            insisting: AtomicUsize::new(0),
            waiting: std::sync::atomic::AtomicUsize::new(0),
            activation: Activation::default(),
            upload: OwnUpload::default(),
            on_trial: std::sync::atomic::AtomicBool::new(false),
            snapshot: Mutex::default(),
            // The host before this one may have started its worker.
            maps_snapshot: AtomicBool::new(true),
            health_status: AtomicU16::new(0),
            window: Mutex::default(),
            denials: Mutex::default(),
            load: Load::default(),
            demand: Mutex::default(),
            crashes: Mutex::default(),
            served: AtomicBool::new(false),
        })
    }

    /// Where it stands.
    pub(super) fn life(&self) -> Lifecycle {
        *self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something happened to it: gives what is to be done now.
    ///
    /// # Errors
    /// [`Illegal`]; it stands where it stood.
    pub(super) fn happens(&self, event: Event) -> Result<&'static [Effect], Illegal> {
        let mut life = self.life.lock().unwrap_or_else(PoisonError::into_inner);
        let (after, effects) = life.after(event)?;
        *life = after;
        Ok(effects)
    }

    /// Why its last start failed.
    pub(super) fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(reason, _)| reason.clone())
    }

    /// Remembers why its last start failed; `None` once one went well.
    pub(super) fn set_failure(&self, reason: Option<String>) {
        let failure = reason.map(|reason| (reason, Instant::now()));
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    /// What failed of the warm and health paths of its worker.
    pub(super) fn unwell(&self) -> Option<String> {
        let unwell = self.unwell.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, reason) = unwell.as_ref().filter(|(instance, _)| self.pool.instance(instance).is_some())?;
        Some(reason.clone())
    }

    /// Remembers what failed of the warm and health paths of this instance; one that is well says nothing of another. Whether it was
    /// well before.
    pub(super) fn set_unwell(&self, instance: &InstanceId, reason: Option<String>) -> bool {
        let mut unwell = self.unwell.lock().unwrap_or_else(PoisonError::into_inner);
        let was_well = unwell.as_ref().is_none_or(|(before, _)| before != instance);
        if reason.is_some() || !was_well {
            *unwell = reason.map(|reason| (instance.clone(), reason));
        }
        was_well
    }

    /// Remembers what its paths answer now, unless another worker's are known by now.
    pub(super) fn amend_unwell(&self, instance: &InstanceId, reason: Option<String>) {
        let mut unwell = self.unwell.lock().unwrap_or_else(PoisonError::into_inner);
        if unwell.as_ref().is_some_and(|(asked, _)| asked == instance) {
            *unwell = reason.map(|reason| (instance.clone(), reason));
        }
    }

    /// Whether a worker of it may serve whatever its warm and health paths answer: a deploy or a promotion found it good before, and
    /// what fails since is around it. One that users never got is looked at anew for an operator, who may be about to promote it.
    pub(super) fn is_accepted(&self) -> bool {
        let record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.state == ReleaseState::Ready && (record.promoted_ms.is_some() || !self.is_insisted_on())
    }

    /// Whether its last start failed so long ago that a request may try once more.
    pub(super) fn may_be_tried_again(&self) -> bool {
        let pause = Duration::from_millis(GIVEN_UP_PAUSE_MS);
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.as_ref().is_none_or(|(_, at)| at.elapsed() >= pause)
    }

    /// An instance of it begins to serve.
    pub(super) fn note_service(&self) {
        self.served.store(true, Ordering::Relaxed);
    }

    /// An operator waits for its worker until this is dropped.
    pub(super) fn insist(&self) -> Insisting<'_> {
        self.insisting.fetch_add(1, Ordering::SeqCst);
        Insisting(&self.insisting)
    }

    /// Whether an operator waits for its worker.
    pub(super) fn is_insisted_on(&self) -> bool {
        self.insisting.load(Ordering::SeqCst) > 0
    }

    /// Whether a worker served it since the host started.
    pub(super) fn has_served(&self) -> bool {
        self.served.load(Ordering::Relaxed)
    }

    /// A worker is connected, and this is where its denied calls are remembered.
    pub(super) fn set_denials(&self, denials: Arc<Denials>) {
        *self.denials.lock().unwrap_or_else(PoisonError::into_inner) = denials;
    }

    /// Calls of its newest worker that were denied.
    pub(super) fn denied_calls(&self) -> Vec<DeniedCall> {
        self.denials.lock().unwrap_or_else(PoisonError::into_inner).calls()
    }

    /// Its process died.
    pub(super) fn note_crash(&self) {
        let mut crashes = self.crashes.lock().unwrap_or_else(PoisonError::into_inner);
        if crashes.len() == CRASH_LOOP_CRASHES {
            crashes.pop_front();
        }
        crashes.push_back(Instant::now());
    }

    /// Times that its process died since then, and not longer ago than what makes a crash loop.
    pub(super) fn crashes_since(&self, since: Instant) -> usize {
        let recent = Duration::from_millis(CRASH_LOOP_MS);
        let crashes = self.crashes.lock().unwrap_or_else(PoisonError::into_inner);
        crashes.iter().filter(|at| **at >= since && at.elapsed() <= recent).count()
    }

    /// What decides how many instances it has.
    pub(super) fn demand(&self) -> MutexGuard<'_, Demand> {
        self.demand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How its renders went in the last minutes that it was live.
    pub(super) fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known about the snapshot of its bundle.
    pub(super) fn snapshot(&self) -> Option<SnapshotRecord> {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers what is known about it.
    pub(super) fn set_snapshot(&self, record: Option<SnapshotRecord>) {
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = record;
    }

    /// Whether a worker of it may map the snapshot of its bundle.
    pub(super) fn may_map_snapshot(&self) -> bool {
        self.maps_snapshot.load(Ordering::Relaxed)
    }

    /// A worker is about to.
    pub(super) fn map_snapshot(&self) {
        self.maps_snapshot.store(true, Ordering::Relaxed);
    }

    /// None does any more.
    pub(super) fn unmap_snapshot(&self) {
        self.maps_snapshot.store(false, Ordering::Relaxed);
    }

    /// Which.
    pub(super) fn id(&self) -> ReleaseId {
        self.pool.release().clone()
    }

    /// As recorded now.
    pub(super) fn record(&self) -> ReleaseRecord {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether users ever got it.
    pub(super) fn had_users(&self) -> bool {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).promoted_ms.is_some()
    }

    /// Changes the copy of the record.
    pub(super) fn update(&self, change: impl FnOnce(&mut ReleaseRecord)) {
        change(&mut self.record.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// What its worker is told besides the environment.
    pub(super) fn settings(&self, domain: &str) -> WorkerSettings {
        let manifest = &self.bundle.manifest;
        WorkerSettings {
            entry: manifest.entry.clone(),
            contract: manifest.contract,
            warm: manifest.warm.clone(),
            host: format!("{}.{domain}", self.id().app),
            limits: self.limits.clone(),
        }
    }
}

/// Everything that decides what an instance runs.
#[derive(Serialize)]
struct Spec<'a> {
    release: String,
    bundle: String,
    config_revision: u64,
    env_scope: &'a str,
    manifest: &'a Manifest,
    limits: &'a WorkerLimits,
    resources: Resources,
    runtime: Option<&'a str>,
}

/// The same as one digest.
pub(super) fn spec_hash(
    record: &ReleaseRecord,
    bundle: &Bundle,
    limits: &WorkerLimits,
    config: &Config,
) -> Digest {
    let resources = config.worker_of(&record.id.app);
    let spec = Spec {
        release: record.id.to_string(),
        bundle: bundle.digest.to_string(),
        config_revision: record.config_revision,
        env_scope: record.env_scope.as_str(),
        // How many instances there are does not change what each runs.
        manifest: &Manifest { scale: Scale::default(), ..bundle.manifest.clone() },
        limits,
        resources: (&resources).into(),
        runtime: resources.runtime.as_deref(),
    };
    Digest::of(&serde_json::to_vec(&spec).expect("a specification is plain data"))
}

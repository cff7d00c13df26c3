//! How many instances a release has: as many as its app's scale says, and its demand needs, while users get it; one otherwise.
//!
//! What is missing is started before users get a release, when an instance is lost, and by the patrol. A release that lost its users keeps
//! what it has until it rests or sleeps: a rollback finds all of it.

use super::ReleaseError;
use super::boot::Terms;
use super::demand::Demand;
use super::instances::Started;
use super::lock_order::branch;
use super::records::Records;
use super::release_handle::ReleaseHandle;
use super::supervisor::WorkerSupervisor;
use futures_util::future::join_all;
use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use vitrine_bundle::Scale;
use vitrine_core::id::AppName;
use vitrine_core::limits::SCALE_BOOT_DEADLINE_MS;
use vitrine_core::telemetry::error_chain;
use vitrine_proxy::pool::Instance;

impl WorkerSupervisor {
    /// The scale of a release's app: the operator's word, or its bundle's wish, within what the host allows.
    pub(super) fn scale_of(&self, handle: &ReleaseHandle) -> Scale {
        let wished =
            self.0.registry.scale(&handle.pool.release().app).unwrap_or(handle.bundle.manifest.scale);
        wished.within(self.0.config.worker.instances_max)
    }

    /// The scale of an app as it is shown: that of its live release, else of its newest.
    pub(super) fn app_scale(&self, app: &AppName) -> Scale {
        let shown = self.0.registry.live(app).or_else(|| self.0.registry.releases(app).into_iter().next());
        shown.map_or_else(Scale::default, |handle| self.scale_of(&handle))
    }

    /// How many instances a release is to have before users get it: no fewer than it has, or than the live one, whose requests it gets.
    fn instances_before_users(&self, handle: &ReleaseHandle) -> usize {
        let scale = self.scale_of(handle);
        let live = self.0.registry.live(&handle.pool.release().app).map_or(0, |live| live.pool.size());
        live.max(handle.pool.size()).clamp(scale.min as usize, scale.max as usize)
    }

    /// How many instances a release is to have now; nothing for one whose number is to stay.
    fn wanted_instances(&self, handle: &Arc<ReleaseHandle>) -> Option<usize> {
        let scale = self.scale_of(handle);
        let wanted = || handle.demand().wanted(Instant::now(), scale, &handle.limits, handle.pool.size());
        self.0.registry.gets_requests(handle).then(wanted)
    }

    /// Takes note of what is asked of a release, and says whether the patrol is to start or stop instances of it. After a failed start
    /// that waits, as a request does.
    pub(super) fn is_off_scale(&self, handle: &Arc<ReleaseHandle>) -> bool {
        let scale = self.scale_of(handle);
        if !self.0.registry.gets_requests(handle) {
            // What was asked of it before says nothing of what is asked once users get it again.
            *handle.demand() = Demand::default();
            return false;
        }
        if scale.min < scale.max {
            handle.demand().note(Instant::now(), handle.pool.requests());
        }
        self.wanted_instances(handle).is_some_and(|wanted| !is_to_scale(handle, wanted))
            && handle.pool.is_open()
            && handle.may_be_tried_again()
            && handle.scaling.is_free()
    }

    /// Makes sure that a release serves, with no fewer instances than it is to have.
    pub(super) async fn ensure_scale(
        &self,
        handle: &Arc<ReleaseHandle>,
        deadline: Duration,
    ) -> Result<(), ReleaseError> {
        self.ensure_worker(handle, deadline, false).await?;
        self.start_missing(handle, deadline, || self.wanted_instances(handle)).await
    }

    /// Starts what is missing of the instances that a release is to have before users get it.
    pub(super) async fn scale_for_users(
        &self,
        handle: &Arc<ReleaseHandle>,
        deadline: Duration,
    ) -> Result<(), ReleaseError> {
        let count = self.instances_before_users(handle);
        self.start_missing(handle, deadline, || Some(count)).await
    }

    /// Brings a release that serves to its scale: replaces instances with earlier limits, starts what is missing, and lets go of what is
    /// too much.
    pub(super) async fn rescale(&self, handle: &Arc<ReleaseHandle>) -> Result<(), ReleaseError> {
        let deadline = Duration::from_millis(SCALE_BOOT_DEADLINE_MS);
        self.renew_stale(handle, deadline).await?;
        self.start_missing(handle, deadline, || self.wanted_instances(handle)).await?;
        let _boot = handle.boot.lock().await;
        let Some(wanted) = self.wanted_instances(handle).filter(|_| handle.pool.is_open()) else {
            return Ok(());
        };
        let surplus = surplus(handle.pool.instances(), wanted);
        self.finish_behind(surplus.into_iter().filter_map(|one| handle.pool.remove(one.id())).collect())
            .await;
        Ok(())
    }

    /// Starts instances beside those that serve until there are as many as wanted, as many at once as there are places to boot. Those
    /// that start go on when another fails. `handle.boot` is free meanwhile: a release that loses its worker or its users waits for none
    /// of them.
    async fn start_missing(
        &self,
        handle: &Arc<ReleaseHandle>,
        deadline: Duration,
        wanted: impl Fn() -> Option<usize> + Sync,
    ) -> Result<(), ReleaseError> {
        let missing = || wanted().unwrap_or_default().saturating_sub(handle.pool.size());
        if missing() == 0 {
            return Ok(());
        }
        let _scaling = handle.scaling.lock().await;
        let missing_now = if handle.pool.is_open() { missing() } else { 0 };
        if missing_now == 0 {
            return Ok(());
        }
        self.check_engine(&handle.id()).await?;
        let starts = (0..missing_now).map(|_| {
            branch(async {
                let started = self.start_beside(handle, deadline, terms(handle)).await?;
                self.add_if(handle, started, || missing() > 0).await;
                Ok(())
            })
        });
        let started = join_all(starts).await;
        noted(handle, started.into_iter().find_map(Result::err))
    }

    /// Replaces the instances that were started with limits that have changed since, one after the other: each serves until another
    /// does.
    async fn renew_stale(&self, handle: &Arc<ReleaseHandle>, deadline: Duration) -> Result<(), ReleaseError> {
        let _scaling = handle.scaling.lock().await;
        for stale in handle.pool.instances().into_iter().filter(|one| is_stale(handle, one)) {
            let started = match self.start_beside(handle, deadline, terms(handle)).await {
                Ok(started) => started,
                Err(error) => return noted(handle, Some(error)),
            };
            if !self.add_if(handle, started, || handle.pool.instance(stale.id()).is_some()).await {
                return Ok(());
            }
            self.finish_behind(handle.pool.remove(stale.id()).into_iter().collect()).await;
            tracing::info!(release = %handle.id(), instance = %stale.id(), "an instance with earlier limits is replaced");
        }
        Ok(())
    }

    /// Gives requests to an instance that was started, if its release still serves and it is still wanted; stops it otherwise. Whether it
    /// was.
    async fn add_if(&self, handle: &Arc<ReleaseHandle>, started: Started, wanted: impl Fn() -> bool) -> bool {
        let (instance, unwell) = started;
        let boot = handle.boot.lock().await;
        if handle.pool.is_open() && wanted() && !is_stale(handle, &instance) {
            self.add_instance(handle, instance, unwell);
            return true;
        }
        drop(boot);
        self.stop(instance).await;
        false
    }

    /// See [`Releases::set_scale`](super::Releases::set_scale).
    pub(super) async fn set_scale(
        &self,
        records: &Records,
        app: &AppName,
        scale: Option<Scale>,
    ) -> Result<(), ReleaseError> {
        let switching = self.0.registry.switching(app);
        let held = switching.lock().await;
        if !self.0.registry.knows(app) {
            return Err(self.0.registry.no_app(app));
        }
        let instances_max = self.0.config.worker.instances_max;
        if let Some(over) = scale.filter(|scale| scale.max > instances_max) {
            return Err(ReleaseError::Refused(format!(
                "{} instances are more than this host allows an app: `worker.instances_max` in vitrine.toml is {instances_max}",
                over.max
            )));
        }
        let of = app.clone();
        records.stored("recording the scale", move |store| store.set_scale(&of, scale)).await?;
        self.0.registry.set_scale(app, scale);
        drop(held);
        for handle in [self.0.registry.live(app), self.0.registry.candidate(app)].into_iter().flatten() {
            // An operator's word: what failed before is tried at once.
            handle.set_failure(None);
            self.ensure_worker(&handle, Duration::from_millis(SCALE_BOOT_DEADLINE_MS), true).await?;
            self.rescale(&handle).await?;
        }
        Ok(())
    }
}

/// What a further instance must do before it serves. What users have is good: what fails of its paths now is around it.
fn terms(handle: &ReleaseHandle) -> Terms {
    if handle.had_users() { Terms::Accepted } else { Terms::Strict }
}

/// Remembers why a start failed, for the patrol and for operators.
fn noted(handle: &ReleaseHandle, error: Option<ReleaseError>) -> Result<(), ReleaseError> {
    let Some(error) = error else { return Ok(()) };
    handle.set_failure(Some(error_chain(&error)));
    Err(error)
}

/// The instances beyond the wanted number: those that do not serve first, then the newest.
fn surplus(mut instances: Vec<Arc<Instance>>, wanted: usize) -> Vec<Arc<Instance>> {
    // Stable: among equals the oldest stay.
    instances.sort_by_key(|one| Reverse(one.fitness()));
    instances.split_off(wanted.max(1).min(instances.len()))
}

/// Whether a release has so many instances, all with the limits that it has now.
fn is_to_scale(handle: &ReleaseHandle, wanted: usize) -> bool {
    let instances = handle.pool.instances();
    instances.len() == wanted && instances.iter().all(|one| !is_stale(handle, one))
}

fn is_stale(handle: &ReleaseHandle, instance: &Instance) -> bool {
    instance.worker().identity().spec_hash != handle.record().spec_hash
}

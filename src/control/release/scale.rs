//! How many instances a release has: as many as its app's scale says, and its demand needs, while users get it; one otherwise.
//!
//! What is missing is started before users get a release, when an instance is lost, and by the patrol. A release that lost its users keeps
//! what it has until it rests or sleeps: a rollback finds all of it.

use super::boot::Terms;
use super::demand::Demand;
use super::entry::Entry;
use super::instances::Started;
use super::{ReleaseError, Releases};
use futures_util::future::join_all;
use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use vitrine_bundle::Scale;
use vitrine_core::id::AppName;
use vitrine_core::limits::SCALE_BOOT_DEADLINE_MS;
use vitrine_core::telemetry::causes;
use vitrine_proxy::pool::Instance;

impl Releases {
    /// The scale of a release's app: the operator's word, or its bundle's wish, within what the host allows.
    pub(super) fn scale_of(&self, entry: &Entry) -> Scale {
        let wished = self.0.book.scale(&entry.pool.release().app).unwrap_or(entry.bundle.manifest.scale);
        wished.within(self.0.parts.config.worker.instances_max)
    }

    /// The scale of an app as it is shown: that of its live release, else of its newest.
    pub(super) fn app_scale(&self, app: &AppName) -> Scale {
        let shown = self.0.book.live(app).or_else(|| self.0.book.releases(app).into_iter().next());
        shown.map_or_else(Scale::default, |entry| self.scale_of(&entry))
    }

    /// How many instances a release is to have before users get it: no fewer than it has, or than the live one, whose requests it gets.
    fn instances_before_users(&self, entry: &Entry) -> usize {
        let scale = self.scale_of(entry);
        let live = self.0.book.live(&entry.pool.release().app).map_or(0, |live| live.pool.size());
        live.max(entry.pool.size()).clamp(scale.min as usize, scale.max as usize)
    }

    /// How many instances a release is to have now; nothing for one whose number is to stay.
    fn wanted_instances(&self, entry: &Arc<Entry>) -> Option<usize> {
        let scale = self.scale_of(entry);
        let wanted = || entry.demand().wanted(Instant::now(), scale, &entry.limits, entry.pool.size());
        self.gets_requests(entry).then(wanted)
    }

    /// Takes note of what is asked of a release, and says whether the patrol is to start or stop instances of it. After a failed start
    /// that waits, as a request does.
    pub(super) fn is_off_scale(&self, entry: &Arc<Entry>) -> bool {
        let scale = self.scale_of(entry);
        if !self.gets_requests(entry) {
            // What was asked of it before says nothing of what is asked once users get it again.
            *entry.demand() = Demand::default();
            return false;
        }
        if scale.min < scale.max {
            entry.demand().note(Instant::now(), entry.pool.requests());
        }
        self.wanted_instances(entry).is_some_and(|wanted| !is_to_scale(entry, wanted))
            && entry.pool.is_open()
            && entry.may_be_tried_again()
            && entry.scaling.try_lock().is_ok()
    }

    /// Makes sure that a release serves, with no fewer instances than it is to have.
    pub(super) async fn ensure_scale(
        &self,
        entry: &Arc<Entry>,
        deadline: Duration,
    ) -> Result<(), ReleaseError> {
        self.ensure_worker(entry, deadline, false).await?;
        self.start_missing(entry, deadline, || self.wanted_instances(entry)).await
    }

    /// Starts what is missing of the instances that a release is to have before users get it.
    pub(super) async fn scale_for_users(
        &self,
        entry: &Arc<Entry>,
        deadline: Duration,
    ) -> Result<(), ReleaseError> {
        let count = self.instances_before_users(entry);
        self.start_missing(entry, deadline, || Some(count)).await
    }

    /// Brings a release that serves to its scale: replaces instances with earlier limits, starts what is missing, and lets go of what is
    /// too much.
    pub(super) async fn rescale(&self, entry: &Arc<Entry>) -> Result<(), ReleaseError> {
        let deadline = Duration::from_millis(SCALE_BOOT_DEADLINE_MS);
        self.renew_stale(entry, deadline).await?;
        self.start_missing(entry, deadline, || self.wanted_instances(entry)).await?;
        let _boot = entry.boot.lock().await;
        let Some(wanted) = self.wanted_instances(entry).filter(|_| entry.pool.is_open()) else {
            return Ok(());
        };
        let surplus = surplus(entry.pool.instances(), wanted);
        self.finish_behind(surplus.into_iter().filter_map(|one| entry.pool.remove(one.id())).collect()).await;
        Ok(())
    }

    /// Starts instances beside those that serve until there are as many as wanted, as many at once as there are places to boot. Those
    /// that start go on when another fails. `entry.boot` is free meanwhile: a release that loses its worker or its users waits for none
    /// of them.
    async fn start_missing(
        &self,
        entry: &Arc<Entry>,
        deadline: Duration,
        wanted: impl Fn() -> Option<usize> + Sync,
    ) -> Result<(), ReleaseError> {
        let missing = || wanted().unwrap_or_default().saturating_sub(entry.pool.size());
        if missing() == 0 {
            return Ok(());
        }
        let _scaling = entry.scaling.lock().await;
        let missing_now = if entry.pool.is_open() { missing() } else { 0 };
        if missing_now == 0 {
            return Ok(());
        }
        self.check_engine(&entry.id()).await?;
        let starts = (0..missing_now).map(|_| async {
            let started = self.start_beside(entry, deadline, terms(entry)).await?;
            self.add_if(entry, started, || missing() > 0).await;
            Ok(())
        });
        let started = join_all(starts).await;
        noted(entry, started.into_iter().find_map(Result::err))
    }

    /// Replaces the instances that were started with limits that have changed since, one after the other: each serves until another
    /// does.
    async fn renew_stale(&self, entry: &Arc<Entry>, deadline: Duration) -> Result<(), ReleaseError> {
        let _scaling = entry.scaling.lock().await;
        for stale in entry.pool.instances().into_iter().filter(|one| is_stale(entry, one)) {
            let started = match self.start_beside(entry, deadline, terms(entry)).await {
                Ok(started) => started,
                Err(error) => return noted(entry, Some(error)),
            };
            if !self.add_if(entry, started, || entry.pool.instance(stale.id()).is_some()).await {
                return Ok(());
            }
            self.finish_behind(entry.pool.remove(stale.id()).into_iter().collect()).await;
            tracing::info!(release = %entry.id(), instance = %stale.id(), "an instance with earlier limits is replaced");
        }
        Ok(())
    }

    /// Gives requests to an instance that was started, if its release still serves and it is still wanted; stops it otherwise. Whether it
    /// was.
    async fn add_if(&self, entry: &Arc<Entry>, started: Started, wanted: impl Fn() -> bool) -> bool {
        let (instance, unwell) = started;
        let boot = entry.boot.lock().await;
        if entry.pool.is_open() && wanted() && !is_stale(entry, &instance) {
            self.add_instance(entry, instance, unwell);
            return true;
        }
        drop(boot);
        self.stop(instance).await;
        false
    }

    /// Sets how many instances an app has, whatever its bundles ask for, or leaves it to them again; returns once its releases have
    /// them. The number is kept even where a start fails: the patrol tries again.
    ///
    /// # Errors
    /// [`ReleaseError::NoApp`], [`ReleaseError::Refused`] above what the host allows; what made a start fail.
    pub async fn set_scale(&self, app: &AppName, scale: Option<Scale>) -> Result<(), ReleaseError> {
        let switching = self.0.book.switching(app);
        let held = switching.lock().await;
        if !self.0.book.knows(app) {
            return Err(self.no_app(app));
        }
        let instances_max = self.0.parts.config.worker.instances_max;
        if let Some(over) = scale.filter(|scale| scale.max > instances_max) {
            return Err(ReleaseError::Refused(format!(
                "{} instances are more than this host allows an app: `worker.instances_max` in vitrine.toml is {instances_max}",
                over.max
            )));
        }
        let of = app.clone();
        self.stored("recording the scale", move |store| store.set_scale(&of, scale)).await?;
        self.0.book.set_scale(app, scale);
        drop(held);
        for entry in [self.0.book.live(app), self.candidate(app)].into_iter().flatten() {
            // An operator's word: what failed before is tried at once.
            entry.set_failure(None);
            self.ensure_worker(&entry, Duration::from_millis(SCALE_BOOT_DEADLINE_MS), true).await?;
            self.rescale(&entry).await?;
        }
        Ok(())
    }
}

/// What a further instance must do before it serves. What users have is good: what fails of its paths now is around it.
fn terms(entry: &Entry) -> Terms {
    if entry.had_users() { Terms::Accepted } else { Terms::Strict }
}

/// Remembers why a start failed, for the patrol and for operators.
fn noted(entry: &Entry, error: Option<ReleaseError>) -> Result<(), ReleaseError> {
    let Some(error) = error else { return Ok(()) };
    entry.set_failure(Some(causes(&error)));
    Err(error)
}

/// The instances beyond the wanted number: those that do not serve first, then the newest.
fn surplus(mut instances: Vec<Arc<Instance>>, wanted: usize) -> Vec<Arc<Instance>> {
    // Stable: among equals the oldest stay.
    instances.sort_by_key(|one| Reverse(one.fitness()));
    instances.split_off(wanted.max(1).min(instances.len()))
}

/// Whether a release has so many instances, all with the limits that it has now.
fn is_to_scale(entry: &Entry, wanted: usize) -> bool {
    let instances = entry.pool.instances();
    instances.len() == wanted && instances.iter().all(|one| !is_stale(entry, one))
}

fn is_stale(entry: &Entry, instance: &Instance) -> bool {
    instance.worker().identity().spec_hash != entry.record().spec_hash
}

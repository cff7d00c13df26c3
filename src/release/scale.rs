//! How many instances a release has: as many as its app's scale says, and its demand needs, while users get it; one otherwise.
//!
//! What is missing is started before users get a release, when an instance is lost, and by the patrol. A release that lost its users keeps
//! what it has until it rests or sleeps: a rollback finds all of it.

use super::entry::Entry;
use super::{ReleaseError, Releases};
use crate::bundle::Scale;
use crate::id::AppName;
use crate::limits::SCALE_BOOT_DEADLINE_MS;
use crate::pool::Instance;
use crate::telemetry::causes;
use futures_util::future::try_join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

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

    /// How many instances a release is to have before users get it: no fewer than the live one has, whose requests it gets.
    pub(super) fn instances_before_users(&self, entry: &Entry) -> usize {
        let scale = self.scale_of(entry);
        let live = self.0.book.live(&entry.pool.release().app).map_or(0, |live| live.pool.size());
        live.clamp(scale.min as usize, scale.max as usize)
    }

    /// How many instances a release is to have now; nothing for one whose number is to stay.
    fn wanted_instances(&self, entry: &Arc<Entry>) -> Option<usize> {
        let scale = self.scale_of(entry);
        let wanted = || entry.demand().wanted(Instant::now(), scale, &entry.limits, entry.pool.size());
        self.gets_requests(entry).then(wanted)
    }

    /// Whether the patrol is to start or stop instances of a release. After a failed start it waits, as a request does.
    pub(super) fn is_off_scale(&self, entry: &Arc<Entry>) -> bool {
        let scale = self.scale_of(entry);
        if scale.min < scale.max {
            entry.demand().note(Instant::now(), entry.pool.requests());
        }
        self.wanted_instances(entry).is_some_and(|wanted| !is_to_scale(entry, wanted))
            && entry.pool.is_ready()
            && entry.may_be_tried_again()
            && entry.boot.try_lock().is_ok()
    }

    /// Makes sure that a release serves, with as many instances as it is to have.
    pub(super) async fn ensure_scale(
        &self,
        entry: &Arc<Entry>,
        deadline: Duration,
    ) -> Result<(), ReleaseError> {
        self.ensure_worker(entry, deadline, false).await?;
        match self.wanted_instances(entry) {
            Some(wanted) => self.scale_to(entry, wanted, deadline).await,
            None => Ok(()),
        }
    }

    /// Starts what is missing of so many instances beside those that serve, and lets the newest of those that are too many finish. Does
    /// nothing for a release that does not serve.
    pub(super) async fn scale_to(
        &self,
        entry: &Arc<Entry>,
        wanted: usize,
        deadline: Duration,
    ) -> Result<(), ReleaseError> {
        if is_to_scale(entry, wanted) {
            return Ok(());
        }
        let _boot = entry.boot.lock().await;
        if !entry.pool.is_ready() {
            return Ok(());
        }
        let started = match self.renew_stale(entry, deadline).await {
            Ok(()) => self.start_missing(entry, wanted, deadline).await,
            failed => failed,
        };
        if let Err(error) = &started {
            entry.set_failure(Some(causes(error)));
        }
        let instances = entry.pool.instances();
        let surplus = instances.iter().skip(wanted.max(1)).filter_map(|one| entry.pool.remove(one.id()));
        self.finish_behind(surplus.collect());
        started
    }

    /// Replaces the instances that were started with limits that have changed since, one after the other: each serves until another
    /// does.
    async fn renew_stale(&self, entry: &Arc<Entry>, deadline: Duration) -> Result<(), ReleaseError> {
        for stale in entry.pool.instances().into_iter().filter(|one| is_stale(entry, one)) {
            let instance = self.start_beside(entry, deadline).await?;
            self.add_instance(entry, instance, None);
            self.finish_behind(entry.pool.remove(stale.id()).into_iter().collect());
            tracing::info!(release = %entry.id(), instance = %stale.id(), "an instance with earlier limits is replaced");
        }
        Ok(())
    }

    /// Starts what is missing of so many instances, as many at once as there are places to boot.
    async fn start_missing(
        &self,
        entry: &Arc<Entry>,
        wanted: usize,
        deadline: Duration,
    ) -> Result<(), ReleaseError> {
        let missing = entry.pool.size()..wanted;
        if missing.is_empty() {
            return Ok(());
        }
        self.check_engine(&entry.id()).await?;
        let starts = missing.map(|_| async {
            let instance = self.start_beside(entry, deadline).await?;
            self.add_instance(entry, instance, None);
            Ok(())
        });
        try_join_all(starts).await.map(drop)
    }

    /// Brings a release to its scale, in the background of whatever changed it.
    pub(super) async fn rescale(&self, entry: &Arc<Entry>) {
        let deadline = Duration::from_millis(SCALE_BOOT_DEADLINE_MS);
        if let Err(error) = self.ensure_scale(entry, deadline).await {
            tracing::error!(release = %entry.id(), error = %causes(&error), "a release has fewer instances than it should");
        }
    }

    /// Sets how many instances an app has, whatever its bundles ask for, or leaves it to them again; returns once its releases have
    /// them. The number is kept even where a start fails: the patrol tries again.
    ///
    /// # Errors
    /// [`ReleaseError::NoApp`], [`ReleaseError::Refused`] above what the host allows; what made a start fail.
    pub async fn set_scale(&self, app: &AppName, scale: Option<Scale>) -> Result<(), ReleaseError> {
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
        let deadline = Duration::from_millis(SCALE_BOOT_DEADLINE_MS);
        for entry in [self.0.book.live(app), self.candidate(app)].into_iter().flatten() {
            // An operator's word: what failed before is tried at once.
            entry.set_failure(None);
            self.ensure_scale(&entry, deadline).await?;
        }
        Ok(())
    }
}

/// Whether a release has so many instances, all with the limits that it has now.
fn is_to_scale(entry: &Entry, wanted: usize) -> bool {
    let instances = entry.pool.instances();
    instances.len() == wanted && instances.iter().all(|one| !is_stale(entry, one))
}

fn is_stale(entry: &Entry, instance: &Instance) -> bool {
    instance.worker().identity().spec_hash != entry.record().spec_hash
}

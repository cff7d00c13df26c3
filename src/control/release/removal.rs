//! Apps removed: kept for a while, so that one that was meant to stay comes back, then dropped for good.

use super::app_logs::AppLogs;
use super::deployment::Event as DeploymentEvent;
use super::installed_bundles::InstalledBundles;
use super::lifecycle::Event;
use super::lock_order::{Lock, Rank};
use super::publisher::RoutePublisher;
use super::records::Records;
use super::registry::Registry;
use super::release_handle::ReleaseHandle;
use super::supervisor::WorkerSupervisor;
use super::{ReleaseError, RemovedView};
use std::collections::BTreeMap;
use std::sync::Arc;
use vitrine_core::clock::Clock;
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::id::{AppName, ReleaseId};
use vitrine_core::limits::{REMOVED_APPS_MAX, REMOVED_BYTES_MAX, REMOVED_KEPT_MS};
use vitrine_core::telemetry::Metrics;
use vitrine_core::telemetry::error_chain;
use vitrine_store::RemovedRecord;

/// How an app is to be removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RemoveOptions {
    /// For good, at once; also one that was removed before and is kept.
    pub now: bool,
    /// So, and other apps may have its name from then on.
    pub free_name: bool,
}

/// An app that was removed and is kept.
#[derive(Debug, Clone)]
pub(super) struct Removed {
    pub record: RemovedRecord,
    /// Held while its last requests end, and while it is restored or dropped.
    pub leaving: Lock,
}

impl From<RemovedRecord> for Removed {
    fn from(record: RemovedRecord) -> Self {
        Self { record, leaving: Lock::new(Rank::Removed) }
    }
}

impl Removed {
    /// Until when it is kept, in milliseconds since the Unix epoch.
    pub(super) const fn until_ms(&self) -> u64 {
        self.record.at_ms.saturating_add(REMOVED_KEPT_MS)
    }

    /// The same as people write it.
    pub(super) fn until(&self) -> String {
        let time =
            i64::try_from(self.until_ms()).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        time.map_or_else(|| "later".into(), |time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
    }

    fn view(&self) -> RemovedView {
        let RemovedRecord { app, at_ms, bytes, releases, live, by: _ } = &self.record;
        RemovedView {
            app: app.to_string(),
            removed_ms: *at_ms,
            until_ms: self.until_ms(),
            live: live.as_ref().map(ToString::to_string),
            releases: *releases,
            bytes: *bytes,
        }
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Remover {
    pub registry: Arc<Registry>,
    pub records: Records,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    pub app_logs: AppLogs,
    pub installed: InstalledBundles,
    pub supervisor: WorkerSupervisor,
    pub publisher: RoutePublisher,
}

impl Remover {
    /// The same, with its changes recorded on behalf of another actor.
    pub(super) fn through(&self, records: &Records) -> Self {
        Self { records: records.clone(), ..self.clone() }
    }

    /// See [`Releases::remove`](super::Releases::remove).
    pub(super) async fn remove(&self, release: ReleaseId) -> Result<(), ReleaseError> {
        self.registry.find(&release)?;
        let held = self.registry.switching(&release.app).lock().await;
        // It may have been removed meanwhile, and another one of the same name uploaded.
        let handle = self.registry.find(&release)?;
        self.remove_locked(&handle, held).await
    }

    /// Removes this release if `still` holds once nothing else can change what is live. Gives whether it does.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub(super) async fn remove_if(
        &self,
        handle: &Arc<ReleaseHandle>,
        still: impl FnOnce() -> bool,
    ) -> Result<bool, ReleaseError> {
        let held = self.registry.switching(&handle.id().app).lock().await;
        if self.registry.still_there(handle).is_err() || !still() {
            return Ok(false);
        }
        self.remove_locked(handle, held).await.map(|()| true)
    }

    /// See [`Releases::undo_upload`](super::Releases::undo_upload).
    pub(super) async fn undo_upload(&self, release: &ReleaseId, deploy: u64) -> Result<bool, ReleaseError> {
        let Some(handle) = self.registry.release(release) else { return Ok(false) };
        let undone = self.remove_if(&handle, || handle.upload.undo(deploy)).await;
        if undone.is_err() {
            handle.upload.could_not_be_undone();
        }
        undone
    }

    /// The caller holds the app's switching lock, and has looked with it held.
    async fn remove_locked<G>(&self, handle: &Arc<ReleaseHandle>, held: G) -> Result<(), ReleaseError> {
        let (release, app) = (handle.id(), handle.id().app);
        if self.registry.is_live(handle) {
            return Err(ReleaseError::Refused(format!(
                "`{release}` is live; promote another version first, or remove the whole app"
            )));
        }
        if self.registry.gets_requests(handle) {
            return Err(ReleaseError::Refused(format!(
                "`{release}` has a share of the users; promote another version or roll back first"
            )));
        }
        if handle.pool.has_instance() {
            self.supervisor.check_engine(&release).await?;
        }
        let recorded = release.clone();
        self.records.stored("removing the release", move |store| store.delete_release(&recorded)).await?;
        noted(&app, self.publisher.republish_routes(&app, |registry| registry.remove(&release)).await);
        // It gets no new requests, so a rollback need not wait for its last ones.
        drop(held);
        self.forget_release(handle, false).await;
        Ok(())
    }

    /// Ends the worker of a release that is in no table any more, and removes what only it had.
    pub(super) async fn forget_release(&self, handle: &Arc<ReleaseHandle>, with_app: bool) {
        // Before its last requests end: another release may have its name by then.
        self.metrics.forget(handle.pool.series());
        self.supervisor.scale_to_zero(handle, Event::Removed { with_app }).await;
        self.supervisor.0.rooms.leave(&handle.id());
        self.installed.forget_bundle(handle.record().digest).await;
    }

    /// See [`Releases::remove_app`](super::Releases::remove_app).
    pub(super) async fn remove_app(&self, app: AppName, how: RemoveOptions) -> Result<(), ReleaseError> {
        if self.registry.is_gone(&app) {
            return self.drop_removed(app, how).await;
        }
        let switching = self.registry.switching(&app);
        let held = switching.lock().await;
        if self.registry.is_gone(&app) {
            // Somebody else removed it meanwhile.
            drop(held);
            return self.drop_removed(app, how).await;
        }
        let entries = self.registry.releases(&app);
        if let Some(runs) = entries.iter().find(|handle| handle.pool.has_instance()) {
            self.supervisor.check_engine(&runs.id()).await?;
        }
        let bundles: BTreeMap<_, _> =
            entries.iter().map(|handle| (handle.bundle.digest, handle.bundle.bytes)).collect();
        let kept = Removed::from(RemovedRecord {
            app: app.clone(),
            at_ms: self.clock.now_ms(),
            bytes: bundles.values().sum(),
            releases: entries.len() as u64,
            live: self.registry.live(&app).map(|live| live.id().version),
            by: self.records.actor().to_string(),
        });
        let leaving = kept.leaving.lock().await;
        let (record, for_good) = (kept.record.clone(), how.now || how.free_name);
        self.records
            .stored("removing the app", move |store| match for_good {
                true => store.remove_app(&record.app, how.free_name),
                false => store.keep_removed(&record.app, record.at_ms, record.bytes),
            })
            .await?;
        let deployments = self.registry.deployments(&app);
        // An upload may have added one since the look above: what the registry lets go of is what is to be ended.
        let mut removed = Vec::new();
        let forget = |registry: &Registry| {
            removed = registry.remove_app(&app);
            match how.free_name {
                true => registry.free_name(&app),
                false => registry.hold_names([app.clone()]),
            }
            if !for_good {
                registry.keep_removed([kept]);
            }
        };
        noted(&app, self.publisher.republish_routes(&app, forget).await);
        // Those that the registry has are recorded when they end: this end is none that a restored app is to have.
        for deployment in deployments {
            deployment.happens(DeploymentEvent::Superseded, Some("the app was removed".into()));
        }
        if for_good {
            // Before another app gets the name, and before anything that a kill could interrupt.
            self.app_logs.forget(&app);
        }
        drop(held);
        let metrics = &self.metrics;
        metrics.forget_app(&app);
        removed.iter().for_each(|handle| metrics.forget(handle.pool.series()));
        for handle in removed {
            self.forget_release(&handle, true).await;
        }
        // The requests that ended just now have left their lines.
        if for_good && !self.registry.knows(&app) {
            self.app_logs.forget(&app);
        }
        drop(leaving);
        self.drop_surplus().await;
        Ok(())
    }

    /// What is left of an app that was removed: all of it for a while, then its name.
    async fn drop_removed(&self, app: AppName, how: RemoveOptions) -> Result<(), ReleaseError> {
        match self.registry.removed(&app) {
            Some(removed) if how.now || how.free_name => self.purge(&removed, how.free_name).await,
            Some(_) => Err(self.registry.no_app(&app)),
            None => self.free_name(app, how.free_name).await,
        }
    }

    async fn free_name(&self, app: AppName, wanted: bool) -> Result<(), ReleaseError> {
        let held = app.clone();
        if !wanted || !self.records.stored("freeing the name", move |store| store.free_name(&held)).await? {
            return Err(ReleaseError::NoApp(app));
        }
        self.publisher.publish_free(&app).await;
        Ok(())
    }

    /// Drops a removed app for good, with the bundles that no other app has.
    async fn purge(&self, removed: &Removed, free_name: bool) -> Result<(), ReleaseError> {
        let _leaving = removed.leaving.lock().await;
        let app = removed.record.app.clone();
        let of = app.clone();
        let dropped = self
            .records
            .stored("dropping the removed app", move |store| store.purge_app(&of, free_name))
            .await?;
        if dropped.is_some() {
            // While the name can't be used again yet: the next app of that name keeps its log.
            self.app_logs.forget(&app);
        }
        self.registry.forget_removed(removed);
        // Nothing was dropped when it was restored, or dropped by another call, while this one waited.
        let Some(digests) = dropped else { return Err(self.registry.no_app(&app)) };
        if free_name {
            self.publisher.publish_free(&app).await;
        }
        for digest in digests {
            self.installed.forget_bundle(digest).await;
        }
        tracing::info!(%app, "a removed app is dropped for good");
        Ok(())
    }

    /// Keeps removed apps within their bounds.
    async fn drop_surplus(&self) {
        for removed in surplus(self.registry.all_removed()) {
            let RemovedRecord { app, by, .. } = &removed.record;
            tracing::warn!(%app, by, "removed apps are above their bounds: the oldest of the actor that has most is dropped for good");
            self.purge_behind(&removed).await;
        }
    }

    /// Drops a removed app whose time is over, or for which there is no room.
    pub(super) async fn purge_behind(&self, removed: &Removed) {
        match self.purge(removed, false).await {
            Err(ReleaseError::NoApp(_) | ReleaseError::Removed { .. }) | Ok(()) => {}
            Err(error) => {
                tracing::warn!(app = %removed.record.app, error = %error_chain(&error), "failed to drop a removed app");
            }
        }
    }

    /// Removed apps whose time is over. `by_age`: see `Reaper::expired`.
    pub(super) fn removed_due(&self, by_age: bool) -> Vec<Removed> {
        let now_ms = self.clock.now_ms();
        let is_over = |removed: &Removed| match failpoint::at("removed.kept") {
            Some(Fault::Skip) => true,
            _ => by_age && removed.until_ms() <= now_ms,
        };
        self.registry.all_removed().into_iter().filter(is_over).collect()
    }

    /// See [`Releases::removed_apps`](super::Releases::removed_apps).
    pub(super) fn removed_apps(&self, may_be_shown: impl Fn(&AppName) -> bool) -> Vec<RemovedView> {
        let removed = self.registry.all_removed();
        removed.iter().filter(|removed| may_be_shown(&removed.record.app)).map(Removed::view).collect()
    }
}

/// Those to drop so that both bounds are kept. Each is the oldest of the actor that has most, so that removals of one token push out
/// none of another. The newest of each actor is kept whatever its size: its removal said that it can be restored.
fn surplus(mut removed: Vec<Removed>) -> Vec<Removed> {
    removed.sort_by_key(|one| one.record.at_ms);
    let mut over = Vec::new();
    while let Some(at) = over_bound(&removed, REMOVED_APPS_MAX as u64, |_| 1)
        .or_else(|| over_bound(&removed, REMOVED_BYTES_MAX, |one| one.bytes))
    {
        over.push(removed.remove(at));
    }
    over
}

/// Where the next one to drop stands, if all together are above a bound. `removed` is oldest first.
fn over_bound(removed: &[Removed], max: u64, size: impl Fn(&RemovedRecord) -> u64) -> Option<usize> {
    let (mut whole, mut held) = (0_u64, BTreeMap::<&str, (u64, Vec<usize>)>::new());
    for (at, one) in removed.iter().enumerate() {
        let size = size(&one.record);
        whole = whole.saturating_add(size);
        let (of_actor, places) = held.entry(&one.record.by).or_default();
        *of_actor = of_actor.saturating_add(size);
        places.push(at);
    }
    let (_, places) = held.into_values().max().filter(|_| whole > max)?;
    (places.len() > 1).then(|| places[0])
}

/// A removal that is recorded is done, whether the change of the table was counted or not.
pub(super) fn noted(app: &AppName, counted: Result<(), ReleaseError>) {
    if let Err(error) = counted {
        tracing::warn!(%app, error = %error_chain(&error), "failed to count a removal in the epoch");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removed(by: &str, app: &str, at_ms: u64, bytes: u64) -> Removed {
        let (app, by) = (app.parse().unwrap(), by.to_owned());
        Removed::from(RemovedRecord { app, at_ms, bytes, releases: 1, live: None, by })
    }

    fn over(removed: Vec<Removed>) -> Vec<String> {
        surplus(removed).iter().map(|one| one.record.app.to_string()).collect()
    }

    const HALF: u64 = REMOVED_BYTES_MAX / 2;

    #[test]
    fn the_oldest_removed_apps_go_first_and_the_newest_stays() {
        let removed = |app: &str, at_ms, bytes| removed("root", app, at_ms, bytes);
        assert_eq!(over(vec![removed("a", 1, HALF), removed("b", 2, HALF)]), Vec::<String>::new());
        let three = vec![removed("b", 2, HALF), removed("c", 3, HALF), removed("a", 1, 1)];
        assert_eq!(over(three), ["a"]);
        // What is larger than the bound alone is kept while it is the newest, and nothing beside it.
        assert_eq!(over(vec![removed("a", 1, 1), removed("b", 2, u64::MAX)]), ["a"]);
        assert_eq!(over(vec![removed("b", 2, 1), removed("a", 1, u64::MAX)]), ["a"]);
        let many = (0..=REMOVED_APPS_MAX as u64 + 1).map(|at| removed(&format!("a{at}"), at, 1));
        assert_eq!(over(many.collect()), ["a0", "a1"]);
    }

    #[test]
    fn removals_of_one_actor_push_out_none_of_another() {
        let theirs = || removed("token:theirs", "theirs", 0, 1);
        let many = (1..=REMOVED_APPS_MAX as u64).map(|at| removed("token:many", &format!("a{at}"), at, 1));
        assert_eq!(over(many.chain([theirs()]).collect()), ["a1"]);
        let large = |app, at_ms| removed("token:large", app, at_ms, HALF);
        assert_eq!(over(vec![theirs(), large("a", 1), large("b", 2)]), ["a"]);
        // Nor does one that is larger than the bound.
        let large = removed("token:large", "b", 2, u64::MAX);
        assert_eq!(
            over(vec![theirs(), removed("token:theirs", "second", 1, 1), large]),
            Vec::<String>::new()
        );
        // One of each actor is kept, however many there are.
        let each = (0..=REMOVED_APPS_MAX as u64 + 1)
            .map(|at| removed(&format!("token:t{at}"), &format!("a{at}"), at, 1));
        assert_eq!(over(each.collect()), Vec::<String>::new());
    }
}

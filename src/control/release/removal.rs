//! Apps removed: kept for a while, so that one that was meant to stay comes back, then dropped for good.

use super::deployment::Event as DeploymentEvent;
use super::lock_order::{Lock, Rank};
use super::registry::Registry;
use super::{ReleaseError, Releases, RemovedView};
use std::collections::BTreeMap;
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::id::AppName;
use vitrine_core::limits::{REMOVED_APPS_MAX, REMOVED_BYTES_MAX, REMOVED_KEPT_MS};
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

    fn until(&self) -> String {
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

impl Releases {
    /// Removes an app. It is kept for [`REMOVED_KEPT_MS`], unless `how` says otherwise; its name stays held for it, or is free with
    /// `free_name`. One that was removed before can be dropped for good.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn remove_app(&self, app: AppName, how: RemoveOptions) -> Result<(), ReleaseError> {
        if self.is_gone(&app) {
            return self.drop_removed(app, how).await;
        }
        let switching = self.0.registry.switching(&app);
        let held = switching.lock().await;
        if self.is_gone(&app) {
            // Somebody else removed it meanwhile.
            drop(held);
            return self.drop_removed(app, how).await;
        }
        let entries = self.0.registry.releases(&app);
        if let Some(runs) = entries.iter().find(|handle| handle.pool.has_instance()) {
            self.check_engine(&runs.id()).await?;
        }
        let bundles: BTreeMap<_, _> =
            entries.iter().map(|handle| (handle.bundle.digest, handle.bundle.bytes)).collect();
        let kept = Removed::from(RemovedRecord {
            app: app.clone(),
            at_ms: self.0.parts.clock.now_ms(),
            bytes: bundles.values().sum(),
            releases: entries.len() as u64,
            live: self.0.registry.live(&app).map(|live| live.id().version),
            by: self.1.actor().to_string(),
        });
        let leaving = kept.leaving.lock().await;
        let (record, for_good) = (kept.record.clone(), how.now || how.free_name);
        self.stored("removing the app", move |store| match for_good {
            true => store.remove_app(&record.app, how.free_name),
            false => store.keep_removed(&record.app, record.at_ms, record.bytes),
        })
        .await?;
        let deployments = self.0.registry.deployments(&app);
        // An upload may have added one since the look above: what the book lets go of is what is to be ended.
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
        noted(&app, self.republish_routes(&app, forget).await);
        // Those that the book has are recorded when they end: this end is none that a restored app is to have.
        for deployment in deployments {
            deployment.happens(DeploymentEvent::Superseded, Some("the app was removed".into()));
        }
        if for_good {
            // Before another app gets the name, and before anything that a kill could interrupt.
            self.0.app_logs.forget(&app);
        }
        drop(held);
        let metrics = &self.0.parts.telemetry.metrics;
        metrics.forget_app(&app);
        removed.iter().for_each(|handle| metrics.forget(handle.pool.series()));
        for handle in removed {
            self.forget_release(&handle, true).await;
        }
        // The requests that ended just now have left their lines.
        if for_good && !self.0.registry.knows(&app) {
            self.0.app_logs.forget(&app);
        }
        drop(leaving);
        self.drop_surplus().await;
        Ok(())
    }

    fn is_gone(&self, app: &AppName) -> bool {
        !self.0.registry.knows(app) || self.0.registry.removed(app).is_some()
    }

    /// What is left of an app that was removed: all of it for a while, then its name.
    async fn drop_removed(&self, app: AppName, how: RemoveOptions) -> Result<(), ReleaseError> {
        match self.0.registry.removed(&app) {
            Some(removed) if how.now || how.free_name => self.purge(&removed, how.free_name).await,
            Some(_) => Err(self.no_app(&app)),
            None => self.free_name(app, how.free_name).await,
        }
    }

    async fn free_name(&self, app: AppName, wanted: bool) -> Result<(), ReleaseError> {
        let held = app.clone();
        if !wanted || !self.stored("freeing the name", move |store| store.free_name(&held)).await? {
            return Err(ReleaseError::NoApp(app));
        }
        self.publish_free(&app).await;
        Ok(())
    }

    async fn publish_free(&self, app: &AppName) {
        let _changing = self.0.changing.lock().await;
        self.0.registry.free_name(app);
        // A release of another app may have been without its label because of this name.
        self.publish(None);
    }

    /// Drops a removed app for good, with the bundles that no other app has.
    async fn purge(&self, removed: &Removed, free_name: bool) -> Result<(), ReleaseError> {
        let _leaving = removed.leaving.lock().await;
        let app = removed.record.app.clone();
        let of = app.clone();
        let dropped =
            self.stored("dropping the removed app", move |store| store.purge_app(&of, free_name)).await?;
        if dropped.is_some() {
            // While the name can't be used again yet: the next app of that name keeps its log.
            self.0.app_logs.forget(&app);
        }
        self.0.registry.forget_removed(removed);
        // Nothing was dropped when it was restored, or dropped by another call, while this one waited.
        let Some(digests) = dropped else { return Err(self.no_app(&app)) };
        if free_name {
            self.publish_free(&app).await;
        }
        for digest in digests {
            self.forget_bundle(digest).await;
        }
        tracing::info!(%app, "a removed app is dropped for good");
        Ok(())
    }

    /// Keeps removed apps within their bounds.
    async fn drop_surplus(&self) {
        for removed in surplus(self.0.registry.all_removed()) {
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
                tracing::warn!(app = %removed.record.app, error = %error_chain(&error), "a removed app could not be dropped");
            }
        }
    }

    /// Removed apps whose time is over. `by_age`: see [`Releases::due`].
    pub(super) fn removed_due(&self, by_age: bool) -> Vec<Removed> {
        let now_ms = self.0.parts.clock.now_ms();
        let is_over = |removed: &Removed| match failpoint::at("removed.kept") {
            Some(Fault::Skip) => true,
            _ => by_age && removed.until_ms() <= now_ms,
        };
        self.0.registry.all_removed().into_iter().filter(is_over).collect()
    }

    /// Apps that were removed and can be restored, by name.
    #[must_use]
    pub fn removed_apps(&self, may_be_shown: impl Fn(&AppName) -> bool) -> Vec<RemovedView> {
        let removed = self.0.registry.all_removed();
        removed.iter().filter(|removed| may_be_shown(&removed.record.app)).map(Removed::view).collect()
    }

    /// There is no such app, or not any more.
    pub(super) fn no_app(&self, app: &AppName) -> ReleaseError {
        match self.0.registry.removed(app) {
            Some(removed) => ReleaseError::Removed { app: app.clone(), until: removed.until() },
            None => ReleaseError::NoApp(app.clone()),
        }
    }

    /// Refuses what would make an app of this name anew while the one that was removed is kept: that would be lost.
    pub(super) fn refuse_kept(&self, app: &AppName) -> Result<(), ReleaseError> {
        let Some(removed) = self.0.registry.removed(app) else { return Ok(()) };
        Err(ReleaseError::Refused(format!(
            "`{app}` was removed and is kept until {}: `vitrine restore {app}` brings it back, `vitrine remove {app} --now` drops it \
             for good, and then the name can be used again",
            removed.until()
        )))
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
        tracing::warn!(%app, error = %error_chain(&error), "a removal is not counted");
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

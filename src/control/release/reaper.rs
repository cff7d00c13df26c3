//! Releases that are of no use any more: put to sleep, expired, removed.

use super::decide::{self, Retained};
use super::lifecycle::Event;
use super::release_handle::ReleaseHandle;
use super::removal::noted;
use super::{Inner, ReleaseError, Releases};
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::id::{AppName, ReleaseId, Version};
use vitrine_core::limits::{
    AGE_GRACE_MS, CANDIDATE_GRACE_MS, PATROL_INTERVAL_MS, PATROL_TASKS_MAX, WARM_IDLE_MS, WARM_MAX,
};
use vitrine_core::telemetry::error_chain;

/// What is under way for an app, or, without one, for workers that could not be stopped before.
type UnderWay = BTreeMap<Option<AppName>, JoinHandle<()>>;

/// What it is time for.
enum Due {
    Remove(ReleaseId),
    Sleep(Arc<ReleaseHandle>),
    Rest(Arc<ReleaseHandle>),
    /// It has too few instances, too many, or some with earlier limits.
    Scale(Arc<ReleaseHandle>),
    /// Snapshots of releases that sleep.
    Pack(AppName),
}

/// Goes round every so often for as long as the host runs; not before the last request of a predecessor, which may be served by
/// any of these workers. What takes its time for one app holds up no other.
pub(super) async fn run(host: Weak<Inner>) {
    let Some(predecessor) = host.upgrade().map(|inner| inner.parts.predecessor.clone()) else { return };
    predecessor.gone().await;
    let begun = Instant::now();
    let mut rounds = tokio::time::interval(Duration::from_millis(PATROL_INTERVAL_MS));
    let mut under_way = UnderWay::new();
    let mut first = None;
    loop {
        rounds.tick().await;
        let Some(inner) = host.upgrade() else { return };
        let releases = Releases::of_host(inner);
        under_way.retain(|_, task| !task.is_finished());
        if !under_way.contains_key(&None)
            && releases.0.own_workers.has_unstopped()
            && let Some(turn) = releases.0.turns.take().await
        {
            let releases = releases.clone();
            let ending = async move {
                let _turn = turn;
                releases.end_again().await;
            };
            under_way.insert(None, tokio::spawn(ending));
        }
        let by_age = begun.elapsed() >= Duration::from_millis(AGE_GRACE_MS);
        releases.drop_due(by_age, &mut under_way).await;
        for app in from(first.take().as_ref(), releases.0.registry.names()) {
            let Some(turn) = releases.0.turns.take().await else { return };
            let key = Some(app);
            let Some(app) = key.as_ref().filter(|_| !under_way.contains_key(&key)) else { continue };
            let due = releases.due(app, by_age);
            if !due.is_empty() && under_way.len() >= PATROL_TASKS_MAX {
                first.get_or_insert_with(|| app.clone());
            } else if !due.is_empty() {
                let releases = releases.clone();
                let doing = async move {
                    let _turn = turn;
                    for due in due {
                        releases.carry_out_due(due).await;
                    }
                };
                under_way.insert(key, tokio::spawn(doing));
            }
            // A host of many apps has more to do than look at them.
            tokio::task::yield_now().await;
        }
    }
}

/// Apps in the order of a round: it begins with the first one for which there was no place in the round before, so that those that
/// have something due each time, and never get it done, keep none from the others.
fn from(first: Option<&AppName>, mut names: Vec<AppName>) -> Vec<AppName> {
    let before = names.iter().take_while(|name| first.is_some_and(|first| *name < first)).count();
    if before < names.len() {
        names.rotate_left(before);
    }
    names
}

impl Releases {
    /// Begins to drop the removed apps whose time is over.
    async fn drop_due(&self, by_age: bool, under_way: &mut UnderWay) {
        for removed in self.removed_due(by_age) {
            let key = Some(removed.record.app.clone());
            let Some(turn) = self.0.turns.take().await else { return };
            if !under_way.contains_key(&key) && under_way.len() < PATROL_TASKS_MAX {
                let releases = self.clone();
                let dropping = async move {
                    let _turn = turn;
                    releases.purge_behind(&removed).await;
                };
                under_way.insert(key, tokio::spawn(dropping));
            }
        }
    }

    /// What it is time for with the releases of an app. `by_age`: whether the clock has been believed for long enough to remove what
    /// is old by it.
    fn due(&self, app: &AppName, by_age: bool) -> Vec<Due> {
        let mut retention = self.0.parts.config.retention.clone();
        let mut grace_ms = CANDIDATE_GRACE_MS;
        if failpoint::at("retention.grace") == Some(Fault::Skip) {
            grace_ms = 0;
        } else if !by_age {
            retention.days = u32::MAX;
        }
        let now_ms = self.0.parts.clock.now_ms();
        let expired = decide::expired(&self.retained(app), &retention, grace_ms, now_ms);
        if let Some(live) = self.0.registry.live(app) {
            live.window().add(Instant::now(), || live.pool.series().sample());
        }
        let releases = self.0.registry.releases(app);
        let is_expired = |handle: &Arc<ReleaseHandle>| expired.contains(&handle.pool.release().version);
        let idle =
            releases.iter().filter(|handle| !is_expired(handle)).filter_map(|handle| self.idle(handle));
        let removed = expired.iter().map(|version| Due::Remove(ReleaseId::new(app.clone(), version.clone())));
        let off_scale =
            releases.iter().filter(|handle| self.is_off_scale(handle)).map(Arc::clone).map(Due::Scale);
        let packed = releases.iter().any(|handle| self.may_pack_snapshot(handle));
        removed.chain(idle).chain(off_scale).chain(packed.then(|| Due::Pack(app.clone()))).collect()
    }

    /// Whether a release had no request for so long that it is time for it to sleep or to rest.
    fn idle(&self, handle: &Arc<ReleaseHandle>) -> Option<Due> {
        // Requests that were held are about to claim the worker that was started for them.
        if handle.waiting.load(std::sync::atomic::Ordering::SeqCst) > 0 {
            return None;
        }
        let switching = &self.0.parts.config.switching;
        let (idle_for_ms, life) = (handle.pool.idle_ms(), handle.life());
        let sleeps_after_ms = switching.idle_timeout_ms.min(WARM_IDLE_MS);
        let may_sleep = idle_for_ms >= sleeps_after_ms && life.after(Event::Idle).is_ok();
        let may_rest = idle_for_ms >= switching.standby_freeze_ms && life.after(Event::Rested).is_ok();
        if !(may_sleep || may_rest) {
            return None;
        }
        if !self.is_wanted(handle) {
            let sleeps = may_sleep && idle_for_ms >= self.sleeps_after_ms(handle, idle_for_ms);
            return sleeps.then(|| Due::Sleep(Arc::clone(handle)));
        }
        // A frozen worker serves no WebSocket.
        let rests = may_rest
            && handle.pool.in_flight() == 0
            && !self.gets_requests(handle)
            && !self.is_baking(&handle.id());
        rests.then(|| Due::Rest(Arc::clone(handle)))
    }

    async fn carry_out_due(&self, due: Due) {
        match due {
            Due::Remove(release) => {
                tracing::info!(%release, "a release is no longer retained");
                if let Err(error) = self.remove(release.clone()).await {
                    tracing::warn!(%release, error = %error_chain(&error), "a release could not be removed");
                }
            }
            // The steps before, of the same app, may have taken long.
            Due::Sleep(handle) if matches!(self.idle(&handle), Some(Due::Sleep(_))) => {
                tracing::info!(release = %handle.id(), "an idle release goes to sleep");
                self.scale_to_zero(&handle, Event::Idle).await;
            }
            Due::Rest(handle) if matches!(self.idle(&handle), Some(Due::Rest(_))) => {
                self.freeze_idle(&handle).await;
            }
            Due::Scale(handle) => {
                if let Err(error) = self.rescale(&handle).await {
                    tracing::error!(release = %handle.id(), error = %error_chain(&error), "a release is not at its scale");
                }
            }
            Due::Pack(app) => self.rest_snapshots(&app).await,
            Due::Sleep(_) | Due::Rest(_) => {}
        }
    }

    fn retained(&self, app: &AppName) -> Vec<Retained> {
        let history = self.0.registry.history(app);
        let mut left_ms: BTreeMap<&Version, u64> = BTreeMap::new();
        for promotion in history.iter().rev() {
            left_ms.extend(promotion.from.as_ref().map(|from| (from, promotion.at_ms)));
        }
        let wanted = self.wanted(app);
        let retained = |handle: Arc<ReleaseHandle>| {
            let record = handle.record();
            let is_wanted = wanted.iter().any(|one| Arc::ptr_eq(one, &handle));
            let left_ms = left_ms.get(&record.id.version).copied();
            Retained {
                last_ms: decide::last_of_use_ms(record.created_ms, record.promoted_ms, left_ms),
                candidate_since_ms: record.promoted_ms.is_none().then_some(record.created_ms),
                expires_ms: record.as_preview().map(|(_, expires_ms)| expires_ms),
                needed: is_wanted || self.is_baking(&record.id) || handle.pool.requests() > 0,
                version: record.id.version,
            }
        };
        self.0.registry.releases(app).into_iter().map(retained).collect()
    }

    /// How long a release that nothing keeps awake may be without a request, given how long it has been.
    fn sleeps_after_ms(&self, handle: &ReleaseHandle, idle_for_ms: u64) -> u64 {
        let idle_timeout_ms = self.0.parts.config.switching.idle_timeout_ms;
        let app = &handle.pool.release().app;
        let wanted = self.wanted(app);
        let is_warmer = |other: &Arc<ReleaseHandle>| {
            other.pool.has_instance()
                && other.pool.idle_ms() < idle_for_ms
                && !wanted.iter().any(|one| Arc::ptr_eq(one, other))
        };
        let warmer = self.0.registry.releases(app).iter().filter(|other| is_warmer(other)).count();
        if warmer < WARM_MAX { idle_timeout_ms } else { idle_timeout_ms.min(WARM_IDLE_MS) }
    }

    /// Whether users are sent to a release.
    pub(super) fn gets_requests(&self, handle: &Arc<ReleaseHandle>) -> bool {
        let app = handle.id().app;
        let gets = [self.0.registry.live(&app), self.candidate(&app)];
        gets.iter().flatten().any(|one| Arc::ptr_eq(one, handle))
    }

    /// Whether a release is one of those that keep their workers without requests. What a bake goes back to is one.
    pub(super) fn is_wanted(&self, handle: &Arc<ReleaseHandle>) -> bool {
        let id = handle.id();
        self.wanted(&id.app).iter().any(|one| Arc::ptr_eq(one, handle)) || self.is_baking(&id)
    }

    /// Those that users get, and the one that a rollback would go to.
    fn wanted(&self, app: &AppName) -> Vec<Arc<ReleaseHandle>> {
        let Some(live) = self.0.registry.live(app) else { return Vec::new() };
        let standby = self.earlier(app, &live.id().version);
        let standby =
            standby.and_then(|version| self.0.registry.release(&ReleaseId::new(app.clone(), version)));
        [Some(live), self.candidate(app), standby].into_iter().flatten().collect()
    }

    /// Removes one release that is not live.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn remove(&self, release: ReleaseId) -> Result<(), ReleaseError> {
        let app = release.app.clone();
        self.find(&release)?;
        let switching = self.0.registry.switching(&app);
        let held = switching.lock().await;
        // It may have been removed meanwhile, and another one of the same name uploaded.
        let handle = self.find(&release)?;
        if self.0.registry.live(&app).is_some_and(|live| Arc::ptr_eq(&live, &handle)) {
            return Err(ReleaseError::Refused(format!(
                "`{release}` is live; promote another version first, or remove the whole app"
            )));
        }
        if self.gets_requests(&handle) {
            return Err(ReleaseError::Refused(format!(
                "`{release}` has a share of the users; promote another version or roll back first"
            )));
        }
        if handle.pool.has_instance() {
            self.check_engine(&release).await?;
        }
        let recorded = release.clone();
        self.stored("removing the release", move |store| store.delete_release(&recorded)).await?;
        noted(&app, self.republish_routes(&app, |registry| registry.remove(&release)).await);
        // It gets no new requests, so a rollback need not wait for its last ones.
        drop(held);
        self.forget_release(&handle, false).await;
        Ok(())
    }

    /// Ends the worker of a release that is in no table any more, and removes what only it had.
    pub(super) async fn forget_release(&self, handle: &Arc<ReleaseHandle>, with_app: bool) {
        // Before its last requests end: another release may have its name by then.
        self.0.parts.telemetry.metrics.forget(handle.pool.series());
        self.scale_to_zero(handle, Event::Removed { with_app }).await;
        self.0.rooms.leave(&handle.id());
        self.forget_bundle(handle.record().digest).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_begins_where_there_was_no_place_before() {
        let names = |text: &str| text.split(' ').map(|name| name.parse().unwrap()).collect::<Vec<AppName>>();
        let order = |first: &str| from(Some(&first.parse().unwrap()), names("a b c"));
        assert_eq!(from(None, names("a b c")), names("a b c"));
        assert_eq!(order("b"), names("b c a"));
        assert_eq!(order("bb"), names("c a b"), "it was removed");
        assert_eq!(order("d"), names("a b c"));
        assert!(from(None, Vec::new()).is_empty());
    }
}

//! Releases that are of no use any more: put to sleep, expired, removed.

use super::lifecycle::Event;
use super::quiesce::ChangeGate;
use super::registry::Registry;
use super::release_handle::ReleaseHandle;
use super::removal::Remover;
use super::retention::{self, Retained};
use super::supervisor::WorkerSupervisor;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use vitrine_core::clock::Clock;
use vitrine_core::config::Config;
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::handover::Predecessor;
use vitrine_core::id::{AppName, ReleaseId, Version};
use vitrine_core::limits::{
    AGE_GRACE_MS, CANDIDATE_GRACE_MS, PATROL_INTERVAL_MS, PATROL_TASKS_MAX, WARM_IDLE_MS, WARM_MAX,
};
use vitrine_core::telemetry::error_chain;

/// What is under way for an app, or, without one, for workers that could not be stopped before.
type UnderWay = BTreeMap<Option<AppName>, JoinHandle<()>>;

/// What it is time for.
enum Due {
    Remove(Arc<ReleaseHandle>),
    Sleep(Arc<ReleaseHandle>),
    Rest(Arc<ReleaseHandle>),
    /// It has too few instances, too many, or some with earlier limits.
    Scale(Arc<ReleaseHandle>),
    /// Snapshots of releases that sleep.
    Pack(AppName),
}

/// Goes round every so often for as long as the host runs; not before the last request of a predecessor, which may be served by
/// any of these workers. What takes its time for one app holds up no other.
pub(super) async fn run(host: Weak<Reaper>) {
    let Some(predecessor) = host.upgrade().map(|reaper| reaper.predecessor.clone()) else { return };
    predecessor.gone().await;
    let begun = Instant::now();
    let mut rounds = tokio::time::interval(Duration::from_millis(PATROL_INTERVAL_MS));
    let mut under_way = UnderWay::new();
    let mut first = None;
    loop {
        rounds.tick().await;
        let Some(reaper) = host.upgrade() else { return };
        under_way.retain(|_, task| !task.is_finished());
        if !under_way.contains_key(&None)
            && reaper.supervisor.0.own_workers.has_unstopped()
            && let Some(turn) = reaper.turns.take().await
        {
            let reaper = Arc::clone(&reaper);
            let ending = async move {
                let _turn = turn;
                reaper.supervisor.end_again().await;
            };
            under_way.insert(None, tokio::spawn(ending));
        }
        let by_age = begun.elapsed() >= Duration::from_millis(AGE_GRACE_MS);
        reaper.drop_due(by_age, &mut under_way).await;
        for app in from(first.take().as_ref(), reaper.registry.names()) {
            let Some(turn) = reaper.turns.take().await else { return };
            let key = Some(app);
            let Some(app) = key.as_ref().filter(|_| !under_way.contains_key(&key)) else { continue };
            let due = reaper.due(app, by_age);
            if !due.is_empty() && under_way.len() >= PATROL_TASKS_MAX {
                first.get_or_insert_with(|| app.clone());
            } else if !due.is_empty() {
                let reaper = Arc::clone(&reaper);
                let doing = async move {
                    let _turn = turn;
                    for due in due {
                        reaper.carry_out_due(due, by_age).await;
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

/// See the module.
#[derive(Debug)]
pub(super) struct Reaper {
    pub registry: Arc<Registry>,
    pub config: Arc<Config>,
    pub clock: Clock,
    pub turns: ChangeGate,
    pub predecessor: Predecessor,
    pub supervisor: WorkerSupervisor,
    pub remover: Remover,
}

impl Reaper {
    /// Begins to drop the removed apps whose time is over.
    async fn drop_due(&self, by_age: bool, under_way: &mut UnderWay) {
        for removed in self.remover.removed_due(by_age) {
            let key = Some(removed.record.app.clone());
            let Some(turn) = self.turns.take().await else { return };
            if !under_way.contains_key(&key) && under_way.len() < PATROL_TASKS_MAX {
                let remover = self.remover.clone();
                let dropping = async move {
                    let _turn = turn;
                    remover.purge_behind(&removed).await;
                };
                under_way.insert(key, tokio::spawn(dropping));
            }
        }
    }

    /// What it is time for with the releases of an app. `by_age`: see [`Reaper::expired`].
    fn due(&self, app: &AppName, by_age: bool) -> Vec<Due> {
        let expired = self.expired(app, by_age);
        if let Some(live) = self.registry.live(app) {
            live.window().add(Instant::now(), || live.pool.series().sample());
        }
        let releases = self.registry.releases(app);
        let is_expired = |handle: &&Arc<ReleaseHandle>| expired.contains(&handle.pool.release().version);
        let idle =
            releases.iter().filter(|handle| !is_expired(handle)).filter_map(|handle| self.idle(handle));
        let removed = releases.iter().filter(is_expired).map(Arc::clone).map(Due::Remove);
        let off_scale = releases
            .iter()
            .filter(|handle| self.supervisor.is_off_scale(handle))
            .map(Arc::clone)
            .map(Due::Scale);
        let packed = releases.iter().any(|handle| self.supervisor.may_pack_snapshot(handle));
        removed.chain(idle).chain(off_scale).chain(packed.then(|| Due::Pack(app.clone()))).collect()
    }

    /// Releases of an app that are retained no longer. `by_age`: whether the clock has been believed for long enough to remove what is
    /// old by it.
    fn expired(&self, app: &AppName, by_age: bool) -> Vec<Version> {
        let mut retention = self.config.retention.clone();
        let mut grace_ms = CANDIDATE_GRACE_MS;
        if failpoint::at("retention.grace") == Some(Fault::Skip) {
            grace_ms = 0;
        } else if !by_age {
            retention.days = u32::MAX;
        }
        retention::expired(&self.retained(app), &retention, grace_ms, self.clock.now_ms())
    }

    /// Whether a release had no request for so long that it is time for it to sleep or to rest.
    fn idle(&self, handle: &Arc<ReleaseHandle>) -> Option<Due> {
        // Requests that were held are about to claim the worker that was started for them.
        if handle.waiting.load(std::sync::atomic::Ordering::SeqCst) > 0 {
            return None;
        }
        let switching = &self.config.switching;
        let (idle_for_ms, life) = (handle.pool.idle_ms(), handle.life());
        let sleeps_after_ms = switching.idle_timeout_ms.min(WARM_IDLE_MS);
        let may_sleep = idle_for_ms >= sleeps_after_ms && life.after(Event::Idle).is_ok();
        let may_rest = idle_for_ms >= switching.standby_freeze_ms && life.after(Event::Rested).is_ok();
        if !(may_sleep || may_rest) {
            return None;
        }
        if !self.registry.is_wanted(handle) {
            let sleeps = may_sleep && idle_for_ms >= self.sleeps_after_ms(handle, idle_for_ms);
            return sleeps.then(|| Due::Sleep(Arc::clone(handle)));
        }
        // A frozen worker serves no WebSocket.
        let rests = may_rest
            && handle.pool.in_flight() == 0
            && !self.registry.gets_requests(handle)
            && !self.registry.is_baking(&handle.id());
        rests.then(|| Due::Rest(Arc::clone(handle)))
    }

    async fn carry_out_due(&self, due: Due, by_age: bool) {
        match due {
            Due::Remove(handle) => {
                let ReleaseId { app, version } = handle.id();
                // It may have been promoted meanwhile, or asked for.
                let still = || self.expired(&app, by_age).contains(&version);
                match self.remover.remove_if(&handle, still).await {
                    Ok(true) => {
                        tracing::info!(release = %handle.id(), "a release that was no longer retained is removed")
                    }
                    Ok(false) => {}
                    Err(error) => {
                        tracing::warn!(release = %handle.id(), error = %error_chain(&error), "failed to remove a release");
                    }
                }
            }
            // The steps before, of the same app, may have taken long.
            Due::Sleep(handle) if matches!(self.idle(&handle), Some(Due::Sleep(_))) => {
                tracing::info!(release = %handle.id(), "an idle release goes to sleep");
                self.supervisor.scale_to_zero(&handle, Event::Idle).await;
            }
            Due::Rest(handle) if matches!(self.idle(&handle), Some(Due::Rest(_))) => {
                self.supervisor.freeze_idle(&handle).await;
            }
            Due::Scale(handle) => {
                if let Err(error) = self.supervisor.rescale(&handle).await {
                    tracing::error!(release = %handle.id(), error = %error_chain(&error), "failed to bring a release to its scale");
                }
            }
            Due::Pack(app) => self.supervisor.rest_snapshots(&app).await,
            Due::Sleep(_) | Due::Rest(_) => {}
        }
    }

    fn retained(&self, app: &AppName) -> Vec<Retained> {
        let history = self.registry.history(app);
        let mut left_ms: BTreeMap<&Version, u64> = BTreeMap::new();
        for promotion in history.iter().rev() {
            left_ms.extend(promotion.from.as_ref().map(|from| (from, promotion.at_ms)));
        }
        let wanted = self.registry.wanted(app);
        let retained = |handle: Arc<ReleaseHandle>| {
            let record = handle.record();
            let is_wanted = wanted.iter().any(|one| Arc::ptr_eq(one, &handle));
            let left_ms = left_ms.get(&record.id.version).copied();
            Retained {
                last_ms: retention::last_of_use_ms(record.created_ms, record.promoted_ms, left_ms),
                candidate_since_ms: record.promoted_ms.is_none().then_some(record.created_ms),
                expires_ms: record.as_preview().map(|(_, expires_ms)| expires_ms),
                needed: is_wanted || self.registry.is_baking(&record.id) || handle.pool.requests() > 0,
                version: record.id.version,
            }
        };
        self.registry.releases(app).into_iter().map(retained).collect()
    }

    /// How long a release that nothing keeps awake may be without a request, given how long it has been.
    fn sleeps_after_ms(&self, handle: &ReleaseHandle, idle_for_ms: u64) -> u64 {
        let idle_timeout_ms = self.config.switching.idle_timeout_ms;
        let app = &handle.pool.release().app;
        let wanted = self.registry.wanted(app);
        let is_warmer = |other: &Arc<ReleaseHandle>| {
            other.pool.has_instance()
                && other.pool.idle_ms() < idle_for_ms
                && !wanted.iter().any(|one| Arc::ptr_eq(one, other))
        };
        let warmer = self.registry.releases(app).iter().filter(|other| is_warmer(other)).count();
        if warmer < WARM_MAX { idle_timeout_ms } else { idle_timeout_ms.min(WARM_IDLE_MS) }
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

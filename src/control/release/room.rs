//! Room for workers of releases that no user depends on: previews, candidates, releases that were live long ago.
//!
//! What users get, what a deployment needs and what a rollback would go to is always started. All else has a number of places, for
//! each app and for the host. A release that finds none gets that of the release whose last request is longest ago. One release of
//! an app that is uploaded to be live next has a place whatever else is busy.

use super::ReleaseError;
use super::lifecycle::Event;
use super::release_handle::ReleaseHandle;
use super::supervisor::WorkerSupervisor;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use vitrine_core::id::{AppName, ReleaseId};
use vitrine_core::limits::{ROOM_POLL_MS, UPLOAD_ROOM_MS};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Rooms(Mutex<Taken>);

/// Rooms that are taken, but for those of workers that run.
#[derive(Debug, Default)]
struct Taken {
    /// Releases that have room and no worker yet.
    starting: BTreeSet<ReleaseId>,
    /// The release that has the place which its app always has for what is to be live next.
    next: BTreeMap<AppName, ReleaseId>,
}

/// Room for a worker that is being started.
#[derive(Debug)]
pub(super) struct Room<'a> {
    rooms: &'a Rooms,
    release: ReleaseId,
}

impl Rooms {
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A release that is removed leaves its place.
    pub(super) fn leave(&self, release: &ReleaseId) {
        let mut taken = self.lock();
        if taken.next.get(&release.app) == Some(release) {
            taken.next.remove(&release.app);
        }
    }
}

impl Taken {
    /// Gives a release the place that its app always has for what is to be live next, if no other `has_room` there.
    fn take_next(&mut self, release: &ReleaseId, has_room: impl FnOnce(&Self, &ReleaseId) -> bool) -> bool {
        if let Some(other) = self.next.get(&release.app)
            && other != release
            && has_room(self, other)
        {
            return false;
        }
        self.next.insert(release.app.clone(), release.clone());
        true
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.rooms.lock().starting.remove(&self.release);
    }
}

impl WorkerSupervisor {
    /// Makes room for the worker of a release, which it has until the room is dropped or the worker is there. Others may go to
    /// sleep for it. `uploaded` is whether it is being taken in.
    ///
    /// # Errors
    /// [`ReleaseError::Quota`] when all of them are busy.
    pub(super) async fn make_room(
        &self,
        handle: &Arc<ReleaseHandle>,
        uploaded: bool,
    ) -> Result<Room<'_>, ReleaseError> {
        let mut asked = BTreeSet::new();
        // What users depend on waits for none of the others.
        while self.is_guest(handle) {
            let Some(guest) = self.take_room(handle, uploaded, &asked)? else { break };
            tracing::info!(release = %guest.id(), room_for = %handle.id(), "a release goes to sleep to make room");
            asked.insert(guest.id());
            self.make_way(&guest).await;
        }
        Ok(Room { rooms: &self.0.rooms, release: handle.id() })
    }

    /// Takes room for the worker of a release; where there is none, gives the release that is to sleep for it, which is none of those
    /// that were `asked`.
    fn take_room(
        &self,
        handle: &Arc<ReleaseHandle>,
        uploaded: bool,
        asked: &BTreeSet<ReleaseId>,
    ) -> Result<Option<Arc<ReleaseHandle>>, ReleaseError> {
        let (config, id) = (&self.0.config, handle.id());
        let (of_app, of_host) =
            (config.quota.workers as usize, config.quota.host_workers(config.worker.memory_mb));
        // One looks for room at a time.
        let mut taken = self.0.rooms.lock();
        let guests = self.guests(&id);
        let starts = |one: &&ReleaseId| **one != id && guests.iter().all(|guest| guest.id() != **one);
        let count = guests.len() + taken.starting.iter().filter(starts).count();
        let same_app = |release: &ReleaseId| release.app == id.app;
        let in_app = guests.iter().filter(|guest| same_app(&guest.id())).count()
            + taken.starting.iter().filter(starts).filter(|one| same_app(one)).count();
        let (app_is_full, host_is_full) = (in_app >= of_app, count >= of_host);
        if !app_is_full && !host_is_full {
            taken.starting.insert(id);
            return Ok(None);
        }
        let idle = guests.iter().filter(|guest| {
            (!app_is_full || same_app(&guest.id())) && !asked.contains(&guest.id()) && may_sleep(guest)
        });
        if let Some(guest) = idle.max_by_key(|guest| guest.pool.idle_ms()) {
            return Ok(Some(Arc::clone(guest)));
        }
        let to_be_live = |one: &ReleaseHandle| !one.had_users() && one.record().preview.is_none();
        let has_room = |taken: &Taken, other: &ReleaseId| {
            let runs = |guest: &Arc<ReleaseHandle>| guest.id() == *other && to_be_live(guest);
            taken.starting.contains(other) || guests.iter().any(runs)
        };
        if uploaded && to_be_live(handle) && taken.take_next(&id, has_room) {
            taken.starting.insert(id);
            return Ok(None);
        }
        Err(full(&id, app_is_full.then_some(in_app), count))
    }

    /// As [`WorkerSupervisor::make_room`] for a release that is taken in. Those that have room may be done with their requests soon: this waits
    /// for it for [`UPLOAD_ROOM_MS`] at most.
    ///
    /// # Errors
    /// [`ReleaseError::Quota`] when all of them are busy still.
    pub(super) async fn room_for_upload(
        &self,
        handle: &Arc<ReleaseHandle>,
    ) -> Result<Room<'_>, ReleaseError> {
        let end = Instant::now() + Duration::from_millis(UPLOAD_ROOM_MS);
        loop {
            match self.make_room(handle, true).await {
                Err(ReleaseError::Quota(_)) if Instant::now() < end => {
                    tokio::time::sleep(Duration::from_millis(ROOM_POLL_MS)).await;
                }
                made => return made,
            }
        }
    }

    /// Releases with a worker, of those that have to share the room, but this one.
    fn guests(&self, but: &ReleaseId) -> Vec<Arc<ReleaseHandle>> {
        let entries = self.0.registry.entries().into_iter();
        entries.filter(|handle| self.takes_room(handle) && handle.id() != *but).collect()
    }

    /// Releases that no user depends on and that have nothing to do.
    pub(super) fn idle_guests(&self, but: &ReleaseId) -> Vec<Arc<ReleaseHandle>> {
        self.guests(but).into_iter().filter(|guest| may_sleep(guest)).collect()
    }

    fn takes_room(&self, handle: &Arc<ReleaseHandle>) -> bool {
        handle.pool.has_instance() && self.is_guest(handle)
    }

    /// Whether no user depends on a release.
    fn is_guest(&self, handle: &Arc<ReleaseHandle>) -> bool {
        !self.0.registry.is_wanted(handle) && !self.0.registry.is_baking(&handle.id())
    }
}

/// Whether a release has nothing to do. One that is being started or stopped is left alone.
fn may_sleep(guest: &ReleaseHandle) -> bool {
    guest.pool.requests() == 0
        && guest.waiting.load(Ordering::SeqCst) == 0
        && guest.boot.is_free()
        && guest.life().after(Event::Idle).is_ok()
}

fn full(release: &ReleaseId, in_app: Option<usize>, count: usize) -> ReleaseError {
    ReleaseError::Quota(match in_app {
        Some(in_app) => format!(
            "there is no room for a worker of `{release}`: its app has {in_app} beside what its users get, which is the bound \
             (`quota.workers` in vitrine.toml), and all of them are busy; try again, or remove some"
        ),
        None => format!(
            "there is no room for a worker of `{release}`: this host has {count} beside what users get, which is the bound \
             (`quota.workers_mb` in vitrine.toml), and all of them are busy; try again, or remove some"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_release_of_an_app_has_the_place_of_what_is_to_be_live_next() {
        let mut taken = Taken::default();
        let of = |release: &str| release.parse::<ReleaseId>().unwrap();
        assert!(taken.take_next(&of("shop@v2"), |_, _| unreachable!()));
        assert!(taken.take_next(&of("blog@v2"), |_, _| unreachable!()), "another app");
        assert!(taken.take_next(&of("shop@v2"), |_, _| true), "it has it already");
        assert!(!taken.take_next(&of("shop@v3"), |_, other| *other == of("shop@v2")));
        // Previews and what wakes have places of the others: only the one that has this place counts.
        assert!(taken.take_next(&of("shop@v3"), |_, other| *other == of("shop@preview")));
        let rooms = Rooms(Mutex::new(taken));
        for left in ["shop@v2", "shop@v3", "blog@v2"] {
            rooms.leave(&of(left));
        }
        assert!(rooms.lock().next.is_empty());
    }
}

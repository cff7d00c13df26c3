//! The order in which workers are started.
//!
//! Every start takes a place first, whatever it is for: there are as many as the machine can boot at once, and one more for what users
//! get. A start that finds none waits, and a place that gets free goes to the most urgent of those that wait, among equals to the one
//! that came first.

use super::ReleaseError;
use super::lifecycle::State;
use super::release_handle::ReleaseHandle;
use super::supervisor::WorkerSupervisor;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;
use vitrine_core::limits::{BOOT_MS_EXPECTED, BOOTS_QUEUED_MAX, RETRY_AFTER_S, RETRY_AFTER_S_MAX};

/// How urgent a start is, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// Users had its worker until a moment ago.
    Replaced,
    /// A request for a live release is held.
    LiveAwaited,
    /// Its app has no other release that serves its users.
    Live,
    /// An operator waits for a release that users had before: most likely to go back to it.
    Returning,
    /// An operator waits for a release that no user had.
    Asked,
    /// A request is held: visitors of what is not live.
    Awaited,
    /// It is to be warm if somebody comes.
    Spare,
}

impl Urgency {
    /// Whether users wait for it, or would. Starts that hang until their deadline must not keep these from a place.
    fn is_for_users(self) -> bool {
        self <= Self::Returning
    }
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// Too many wait already, or none got free in time.
    Busy {
        /// When it is worth trying again, in seconds.
        retry_after_s: u64,
    },
    /// The host ends: nothing is started any more.
    Closed,
}

/// See the module.
#[derive(Debug)]
pub(super) struct BootQueue {
    places: usize,
    reserve: usize,
    state: Mutex<Queue>,
}

#[derive(Debug)]
struct Queue {
    free: usize,
    waiting: Vec<Waiting>,
    next: u64,
    closed: bool,
    /// How long a place is kept, as a moving average in milliseconds.
    kept_ms: u64,
}

struct Waiting {
    number: u64,
    /// Asked when a place gets free: a release may become more urgent while it waits.
    urgency: Box<dyn Fn() -> Urgency + Send>,
    tell: oneshot::Sender<BootPlace>,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiting").field("number", &self.number).finish_non_exhaustive()
    }
}

/// The right to start one worker; free again when dropped.
#[derive(Debug)]
pub(super) struct BootPlace {
    queue: Arc<BootQueue>,
    since: Instant,
}

impl Drop for BootPlace {
    fn drop(&mut self) {
        let kept_ms = self.since.elapsed().as_millis() as u64;
        {
            let mut state = self.queue.lock();
            state.free += 1;
            state.kept_ms = (7 * state.kept_ms + kept_ms) / 8;
        }
        self.queue.hand_out();
    }
}

impl BootQueue {
    /// A queue with this many places, and others in reserve for what users get.
    pub(super) fn new(places: usize, reserve: usize) -> Arc<Self> {
        let (waiting, next, closed, kept_ms) = (Vec::new(), 0, false, BOOT_MS_EXPECTED);
        let state = Queue { free: places + reserve, waiting, next, closed, kept_ms };
        Arc::new(Self { places, reserve, state: Mutex::new(state) })
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place no longer than `patience`.
    ///
    /// # Errors
    /// See [`NoPlace`].
    pub(super) async fn place(
        self: &Arc<Self>,
        urgency: impl Fn() -> Urgency + Send + 'static,
        patience: Duration,
    ) -> Result<BootPlace, NoPlace> {
        let granted = {
            let mut state = self.lock();
            state.waiting.retain(|waiting| !waiting.tell.is_closed());
            if state.closed {
                return Err(NoPlace::Closed);
            }
            if state.waiting.len() >= BOOTS_QUEUED_MAX {
                return Err(self.busy(&state));
            }
            state.next += 1;
            let (tell, granted) = oneshot::channel();
            let number = state.next;
            state.waiting.push(Waiting { number, urgency: Box::new(urgency), tell });
            granted
        };
        self.hand_out();
        match tokio::time::timeout(patience, granted).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) => Err(NoPlace::Closed),
            Err(_) => Err(self.busy(&self.lock())),
        }
    }

    /// When it is worth trying again: about when those that wait now have their places.
    pub(super) fn retry_after_s(&self) -> u64 {
        self.delay_s(&self.lock())
    }

    fn busy(&self, state: &Queue) -> NoPlace {
        NoPlace::Busy { retry_after_s: self.delay_s(state) }
    }

    fn delay_s(&self, state: &Queue) -> u64 {
        let turns = state.waiting.len().div_ceil(self.places) as u64;
        (turns * state.kept_ms).div_ceil(1_000).clamp(RETRY_AFTER_S, RETRY_AFTER_S_MAX)
    }

    /// Gives no place any more: those that wait are told so.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.waiting.clear();
    }

    /// Gives free places to those that wait. Also for when one of them may have become more urgent: the reserve may be free for it.
    pub(super) fn hand_out(self: &Arc<Self>) {
        loop {
            let (place, tell) = {
                let mut state = self.lock();
                state.waiting.retain(|waiting| !waiting.tell.is_closed());
                if state.free == 0 {
                    return;
                }
                let ranked = state.waiting.iter().enumerate();
                let ranked = ranked.map(|(at, waiting)| ((waiting.urgency)(), waiting.number, at));
                let Some((urgency, _, at)) = ranked.min() else { return };
                if state.free <= self.reserve && !urgency.is_for_users() {
                    return;
                }
                let tell = state.waiting.swap_remove(at).tell;
                state.free -= 1;
                (BootPlace { queue: Arc::clone(self), since: Instant::now() }, tell)
            };
            // A start that was given up just now returns its place by that.
            let _ = tell.send(place);
        }
    }
}

/// Boots at once: one a processor, and no more than half of the memory holds when each takes all that a worker may.
pub(super) fn places(cores: usize, memory_bytes: u64, worker_mb: u64) -> usize {
    let fitting = memory_bytes / 2 / (worker_mb << 20).max(1);
    usize::try_from(fitting).unwrap_or(usize::MAX).min(cores).max(1)
}

/// [`places`] of this machine.
pub(super) fn places_here(worker_mb: u64) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory_bytes = nix::sys::sysinfo::sysinfo().map_or(u64::MAX, |info| info.ram_total());
    places(cores, memory_bytes, worker_mb)
}

impl WorkerSupervisor {
    /// How urgent a start of this release is now.
    fn urgency(&self, handle: &Arc<ReleaseHandle>, insist: bool) -> Urgency {
        let awaited = handle.waiting.load(Ordering::SeqCst) > 0;
        if handle.life().state() == State::Live || self.0.registry.gets_requests(handle) {
            return match awaited {
                _ if handle.has_served() => Urgency::Replaced,
                true => Urgency::LiveAwaited,
                false => Urgency::Live,
            };
        }
        if insist || handle.is_insisted_on() {
            return if handle.had_users() { Urgency::Returning } else { Urgency::Asked };
        }
        if awaited { Urgency::Awaited } else { Urgency::Spare }
    }

    /// Waits for the right to start a worker of this release. The caller holds `handle.boot`.
    ///
    /// # Errors
    /// [`ReleaseError::Queued`]: nothing was tried.
    pub(super) async fn boot_place(
        &self,
        handle: &Arc<ReleaseHandle>,
        insist: bool,
        patience: Duration,
    ) -> Result<BootPlace, ReleaseError> {
        let (supervisor, ranked) = (self.clone(), Arc::clone(handle));
        let place = self.0.boots.place(move || supervisor.urgency(&ranked, insist), patience).await;
        place.map_err(|no_place| {
            let retry_after_s = match no_place {
                NoPlace::Busy { retry_after_s } => retry_after_s,
                NoPlace::Closed => RETRY_AFTER_S,
            };
            ReleaseError::Queued { release: handle.id(), retry_after_s }
        })
    }
}

#[cfg(test)]
mod tests;

//! A request for a release that sleeps: held until its worker is up.

use super::quiesce::ChangePermit;
use super::release_handle::ReleaseHandle;
use super::room::Room;
use super::supervisor::WorkerSupervisor;
use super::{ReleaseError, WakeError};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use vitrine_core::id::ReleaseId;
use vitrine_core::limits::{RETRY_AFTER_S, ROOM_POLL_MS, WAKE_DEADLINE_MS, WAKE_HELD_MAX};
use vitrine_core::telemetry::error_chain;
use vitrine_proxy::pool::Pool;

/// A boot that is under way for the sake of requests, or the last one. Requests that come meanwhile wait for it.
#[derive(Debug, Default)]
pub(super) struct Activation(Mutex<Option<watch::Receiver<Woken>>>);

const WAKE_DEADLINE: Duration = Duration::from_millis(WAKE_DEADLINE_MS);

/// How a boot ended; `None` while it is under way.
type Woken = Option<Result<(), WakeError>>;

impl Activation {
    /// The boot that is under way, or what `begin` starts.
    fn join(&self, begin: impl FnOnce() -> watch::Receiver<Woken>) -> watch::Receiver<Woken> {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match latest.as_ref().filter(|woken| woken.borrow().is_none() && woken.has_changed().is_ok()) {
            Some(under_way) => under_way.clone(),
            None => latest.insert(begin()).clone(),
        }
    }
}

/// One request that is held.
struct Held<'a>(&'a AtomicUsize);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl WorkerSupervisor {
    /// See [`Releases::wake`](super::Releases::wake).
    pub(super) async fn wake(&self, release: &ReleaseId) -> Result<Arc<Pool>, WakeError> {
        let handle =
            self.0.registry.release(release).ok_or_else(|| WakeError::Failed("it was removed".into()))?;
        let waiting = handle.waiting.fetch_add(1, Ordering::SeqCst);
        let _held = Held(&handle.waiting);
        let busy = || WakeError::Busy { retry_after_s: self.0.boots.retry_after_s() };
        if waiting >= WAKE_HELD_MAX {
            return Err(busy());
        }
        let mut woken = handle.activation.join(|| self.begin_to_wake(&handle));
        let ended = tokio::select! {
            biased;
            // An operator may have started it while this one still waited for room, or for its turn.
            () = handle.pool.open() => return Ok(Arc::clone(&handle.pool)),
            ended = tokio::time::timeout(WAKE_DEADLINE, woken.wait_for(Option::is_some)) => ended,
        };
        let ended = ended.map_err(|_| busy())?.ok().and_then(|woken| woken.clone());
        // The sender ends without a word only when its task panicked.
        ended.unwrap_or_else(|| Err(WakeError::Failed("its start broke off".into())))?;
        Ok(Arc::clone(&handle.pool))
    }

    /// Boots in a task of its own: the client that caused it may go away, the others still wait.
    fn begin_to_wake(&self, handle: &Arc<ReleaseHandle>) -> watch::Receiver<Woken> {
        let (tell, woken) = watch::channel(None);
        let (supervisor, handle) = (self.clone(), Arc::clone(handle));
        // The request that asks is on another thread; a boot is the control plane's.
        self.0.control.spawn(async move {
            let Some((_turn, _room)) = supervisor.room_in_time(&handle).await else {
                tell.send_replace(Some(Err(WakeError::Busy { retry_after_s: RETRY_AFTER_S })));
                return;
            };
            let result = supervisor.ensure_worker(&handle, WAKE_DEADLINE, false).await;
            let result = result.map_err(|error| {
                let release = handle.id();
                tracing::error!(%release, error = %error_chain(&error), "failed to start the worker of a sleeping release");
                match error {
                    ReleaseError::Unservable { reason, .. } => WakeError::Failed(reason),
                    ReleaseError::Queued { retry_after_s, .. } => WakeError::Busy { retry_after_s },
                    other => WakeError::Failed(other.to_string()),
                }
            });
            tell.send_replace(Some(result));
        });
        woken
    }

    /// A turn, and room for a worker. Those that have room may be done with their requests soon: as long as requests are held this waits
    /// for it, without a turn meanwhile. `None` when there is no room in time, or another host serves the next try.
    async fn room_in_time(&self, handle: &Arc<ReleaseHandle>) -> Option<(ChangePermit, Room<'_>)> {
        let end = Instant::now() + WAKE_DEADLINE;
        loop {
            let turn = self.0.turns.permit().await?;
            match self.make_room(handle, false).await {
                Ok(room) => return Some((turn, room)),
                Err(ReleaseError::Quota(_))
                    if Instant::now() < end && handle.waiting.load(Ordering::SeqCst) > 0 =>
                {
                    drop(turn);
                    tokio::time::sleep(Duration::from_millis(ROOM_POLL_MS)).await;
                }
                Err(error) => {
                    tracing::warn!(release = %handle.id(), error = %error_chain(&error), "a sleeping release found no room to start its worker");
                    return None;
                }
            }
        }
    }
}

//! A request for a release that sleeps: held until its worker is up.

use super::entry::Entry;
use super::{ReleaseError, Releases, WakeError};
use crate::id::ReleaseId;
use crate::limits::{WAKE_DEADLINE_MS, WAKE_HELD_MAX};
use crate::pool::Pool;
use crate::telemetry::causes;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// A boot that is under way for the sake of requests, or the last one. Everybody who comes meanwhile waits for it.
#[derive(Debug, Default)]
pub struct Waking(Mutex<Option<watch::Receiver<Woken>>>);

/// How a boot ended; `None` while it is under way.
type Woken = Option<Result<(), WakeError>>;

impl Waking {
    /// The boot that is under way, or what `begin` starts.
    fn join(
        &self,
        begin: impl FnOnce() -> Result<watch::Receiver<Woken>, WakeError>,
    ) -> Result<watch::Receiver<Woken>, WakeError> {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match latest.as_ref().filter(|woken| woken.borrow().is_none() && woken.has_changed().is_ok()) {
            Some(under_way) => Ok(under_way.clone()),
            None => Ok(latest.insert(begin()?).clone()),
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

impl Releases {
    /// Starts the worker of a sleeping release and waits until it serves. Coalesced and bounded.
    ///
    /// # Errors
    /// See [`WakeError`].
    pub async fn wake(&self, release: &ReleaseId) -> Result<Arc<Pool>, WakeError> {
        let entry = self.0.book.release(release).ok_or_else(|| WakeError::Failed("it was removed".into()))?;
        let waiting = entry.held.fetch_add(1, Ordering::SeqCst);
        let _held = Held(&entry.held);
        if waiting >= WAKE_HELD_MAX {
            return Err(WakeError::Busy);
        }
        let mut woken = entry.waking.join(|| self.begin_to_wake(&entry))?;
        let ended = woken.wait_for(Option::is_some).await.ok().and_then(|woken| woken.clone());
        // The sender ends without a word only when its task panicked.
        ended.unwrap_or_else(|| Err(WakeError::Failed("its start broke off".into())))?;
        Ok(Arc::clone(&entry.pool))
    }

    /// Boots in a task of its own: the client that caused it may go away, the others still wait. The task keeps its
    /// place among those that boot until it is done.
    fn begin_to_wake(&self, entry: &Arc<Entry>) -> Result<watch::Receiver<Woken>, WakeError> {
        let place = Arc::clone(&self.0.wakes).try_acquire_owned().map_err(|_| WakeError::Busy)?;
        let (tell, woken) = watch::channel(None);
        let (releases, entry) = (self.clone(), Arc::clone(entry));
        // The request that asks is on another thread; a boot is the control plane's.
        self.0.control.spawn(async move {
            let _place = place;
            let Some(_turn) = releases.0.turns.take().await else {
                // Another host serves its next try.
                tell.send_replace(Some(Err(WakeError::Busy)));
                return;
            };
            let result = releases.ensure_worker(&entry, Duration::from_millis(WAKE_DEADLINE_MS), false).await;
            let result = result.map_err(|error| {
                let release = entry.id();
                tracing::error!(%release, error = %causes(&error), "a sleeping release did not wake");
                match error {
                    ReleaseError::Unservable { reason, .. } => WakeError::Failed(reason),
                    other => WakeError::Failed(other.to_string()),
                }
            });
            tell.send_replace(Some(result));
        });
        Ok(woken)
    }
}

//! A request for a release that sleeps: held until its worker is up.

use super::{ReleaseError, Releases, WakeError};
use crate::id::ReleaseId;
use crate::limits::{WAKE_DEADLINE_MS, WAKE_HELD_MAX};
use crate::pool::Pool;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

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
        let deadline = Duration::from_millis(WAKE_DEADLINE_MS);
        let woken = if waiting == 0 {
            // The first one wakes it, in a task of its own: its client may go away, the others still wait.
            let _place = self.0.wakes.try_acquire().map_err(|_| WakeError::Busy)?;
            let (releases, entry) = (self.clone(), Arc::clone(&entry));
            let waking = tokio::spawn(async move { releases.ensure_worker(&entry, deadline).await });
            waking.await.map_err(|error| WakeError::Failed(error.to_string()))?
        } else {
            self.ensure_worker(&entry, deadline).await
        };
        match woken {
            Ok(()) => Ok(Arc::clone(&entry.pool)),
            Err(error) => {
                tracing::error!(%release, error = %super::boot::chain(&error), "a sleeping release did not wake");
                Err(match error {
                    ReleaseError::Unservable { reason, .. } => WakeError::Failed(reason),
                    other => WakeError::Failed(other.to_string()),
                })
            }
        }
    }
}

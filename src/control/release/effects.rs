//! Executes the effects that the state machine of a release ([`Lifecycle`](super::lifecycle::Lifecycle)) returns.
//!
//! Events that start, stop, freeze or promote are told by the holder of `handle.boot`; only the loss of a worker may
//! come in between.

use super::ReleaseError;
use super::lifecycle::{Effect, Event, Illegal};
use super::lock_order::Rank;
use super::release_handle::ReleaseHandle;
use super::supervisor::WorkerSupervisor;
use std::sync::Arc;
use std::time::Duration;
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::limits::{FREEZE_TIMEOUT_MS, LOST_PATIENCE_MS, START_FAILURES_MAX};
use vitrine_core::telemetry::error_chain;
use vitrine_proxy::worker::WorkerError;

/// What an effect gave: the event that it led to, and why if that is a failure.
type Gave = (Option<Event>, Result<(), ReleaseError>);

impl WorkerSupervisor {
    /// Tells a release what happened, and carries out what follows until nothing more does. `deadline` is for a start.
    ///
    /// # Errors
    /// [`ReleaseError::Refused`] when it can't happen to a release that stands where this one does, and what made a start
    /// fail.
    pub(super) async fn apply(
        &self,
        handle: &Arc<ReleaseHandle>,
        event: Event,
        deadline: Duration,
    ) -> Result<(), ReleaseError> {
        let mut result = Ok(());
        let mut next = Some(event);
        while let Some(event) = next.take() {
            let effects = handle.happens(event).map_err(|illegal| refused(handle, illegal))?;
            for effect in effects {
                let (follows, gave) = self.execute(handle, *effect, deadline).await;
                next = follows;
                result = gave.and(result);
            }
        }
        result
    }

    async fn execute(&self, handle: &Arc<ReleaseHandle>, effect: Effect, deadline: Duration) -> Gave {
        match effect {
            Effect::Start => match self.boot(handle, deadline).await {
                Ok(()) => (Some(Event::Ready), Ok(())),
                Err(error) => {
                    handle.set_failure(Some(error_chain(&error)));
                    (Some(Event::StartFailed), Err(error))
                }
            },
            Effect::Stop => {
                self.discard(handle).await;
                (None, Ok(()))
            }
            Effect::Drain => {
                let left = match failpoint::at("sleep.drain") {
                    Some(Fault::Skip) => 0,
                    _ => handle.pool.drain(self.drain_timeout()).await,
                };
                if left > 0 {
                    tracing::warn!(release = %handle.id(), in_flight = left, "requests were cut at the end of the drain");
                }
                (Some(Event::Drained), Ok(()))
            }
            Effect::Settle => {
                self.settle(handle);
                (None, Ok(()))
            }
            Effect::Freeze => (self.freeze(handle).await, Ok(())),
            Effect::Thaw => (Some(self.thaw(handle).await), Ok(())),
        }
    }

    /// Makes sure that a release has a worker that serves. A call that comes while another starts it waits for that one; an operator,
    /// who insists, makes that start as urgent as their own. `deadline` is for its start, once it has a place; the wait for that has as
    /// long again.
    pub(super) async fn ensure_worker(
        &self,
        handle: &Arc<ReleaseHandle>,
        deadline: Duration,
        insist: bool,
    ) -> Result<(), ReleaseError> {
        if handle.pool.is_ready()
            || failpoint::at("switch.ready") == Some(Fault::Skip) && handle.pool.has_instance()
        {
            return Ok(());
        }
        let _insisting = insist.then(|| handle.insist());
        if insist {
            self.0.boots.hand_out();
        }
        let _boot = handle.boot.lock().await;
        self.ensure_locked(handle, deadline, insist).await
    }

    /// As [`WorkerSupervisor::ensure_worker`], for a caller that holds `handle.boot`.
    pub(super) async fn ensure_locked(
        &self,
        handle: &Arc<ReleaseHandle>,
        deadline: Duration,
        insist: bool,
    ) -> Result<(), ReleaseError> {
        if handle.pool.has_instance()
            && !handle.pool.one_ready(deadline.min(Duration::from_millis(LOST_PATIENCE_MS))).await
        {
            // They were being started again by their supervisors, in vain, or they hang. Their watchers wait as long.
            self.apply(handle, Event::Lost, deadline).await?;
        }
        let insist =
            insist || handle.may_be_tried_again() || failpoint::at("starts.give_up") == Some(Fault::Skip);
        if handle.life().is_given_up() && !insist {
            return Err(given_up(handle));
        }
        // One that serves needs nothing, and one that is frozen is thawed: it may be gone after that.
        if handle.pool.has_instance() {
            self.apply(handle, Event::Wanted { insist }, deadline).await?;
        }
        if !handle.pool.has_instance() {
            self.check_engine(&handle.id()).await?;
            let _place = self.boot_place(handle, insist, deadline).await?;
            self.apply(handle, Event::Wanted { insist }, deadline).await?;
        }
        Ok(())
    }

    /// Drains a release's worker and stops it, if `event` allows it; the release is retained and sleeps.
    pub(super) async fn scale_to_zero(&self, handle: &Arc<ReleaseHandle>, event: Event) {
        let _boot = handle.boot.lock().await;
        self.scale_to_zero_locked(handle, event).await;
    }

    /// Drains and stops the worker of an idle release for one that is about to be started.
    pub(super) async fn make_way(&self, guest: &Arc<ReleaseHandle>) {
        let _boot = guest.boot.lock_as(Rank::Guest).await;
        self.scale_to_zero_locked(guest, Event::Idle).await;
    }

    async fn scale_to_zero_locked(&self, handle: &Arc<ReleaseHandle>, event: Event) {
        // A release that was promoted or removed meanwhile must not sleep.
        if handle.life().after(event).is_ok()
            && let Err(error) = self.apply(handle, event, Duration::ZERO).await
        {
            tracing::error!(release = %handle.id(), error = %error_chain(&error), "failed to put a release to sleep");
        }
    }

    /// Freezes a standby that has no requests.
    pub(super) async fn freeze_idle(&self, handle: &Arc<ReleaseHandle>) {
        let _boot = handle.boot.lock().await;
        if handle.life().after(Event::Rested).is_ok()
            && let Err(error) = self.apply(handle, Event::Rested, Duration::ZERO).await
        {
            tracing::error!(release = %handle.id(), error = %error_chain(&error), "failed to freeze an idle standby");
        }
    }

    async fn freeze(&self, handle: &Arc<ReleaseHandle>) -> Option<Event> {
        if !handle.pool.has_instance() {
            return Some(Event::Lost);
        }
        // Claims are refused first: a request that comes now waits for this to end, and thaws it.
        if !handle.pool.freeze() {
            return Some(Event::Thawed);
        }
        if failpoint::at("freeze.send") == Some(Fault::Skip) {
            return None;
        }
        if let Err(error) = self.freeze_each(handle, true).await {
            tracing::warn!(release = %handle.id(), error = %error_chain(&error), "failed to freeze a standby");
            return Some(self.thaw(handle).await);
        }
        tracing::info!(release = %handle.id(), "an idle standby is frozen");
        None
    }

    async fn thaw(&self, handle: &Arc<ReleaseHandle>) -> Event {
        match self.freeze_each(handle, false).await {
            Ok(()) if handle.pool.has_instance() => {
                handle.pool.thaw();
                Event::Thawed
            }
            Ok(()) => Event::Lost,
            Err(error) => {
                tracing::warn!(release = %handle.id(), error = %error_chain(&error), "failed to thaw a frozen worker");
                Event::Lost
            }
        }
    }

    /// Freezes the instances of a release, or thaws them. Those that do not answer are stopped, unless it is the last one that does not:
    /// that is an error, as having none is.
    async fn freeze_each(&self, handle: &ReleaseHandle, frozen: bool) -> Result<(), WorkerError> {
        let timeout = Duration::from_millis(FREEZE_TIMEOUT_MS);
        let instances = handle.pool.instances();
        let each =
            instances.iter().map(|one| async move { (one, one.worker().freeze(frozen, timeout).await) });
        for (instance, answered) in futures_util::future::join_all(each).await {
            let Err(error) = answered else { continue };
            match handle.pool.remove(instance.id()) {
                Some(instance) => self.stop_behind(instance),
                None => return Err(error),
            }
        }
        Ok(())
    }

    /// Requests of a release that lost its users, or some of them, finish by themselves, because its worker stays; only what is
    /// still there when the drain is over is worth a line. WebSockets are told to come back: they get what users get now.
    pub(super) fn settle(&self, handle: &Arc<ReleaseHandle>) {
        handle.pool.leave();
        let (timeout, handle) = (self.drain_timeout(), Arc::clone(handle));
        tokio::spawn(async move {
            let left = handle.pool.wait_idle(timeout).await;
            if left > 0 {
                tracing::warn!(release = %handle.id(), in_flight = left, "a replaced release still has requests");
            }
        });
    }

    fn drain_timeout(&self) -> Duration {
        Duration::from_millis(self.0.config.switching.drain_timeout_ms)
    }
}

/// An illegal event, as the answer to its caller.
pub(super) fn refused(handle: &ReleaseHandle, illegal: Illegal) -> ReleaseError {
    ReleaseError::Refused(format!("`{}`: {illegal}; look at `vitrine status` and try again", handle.id()))
}

fn given_up(handle: &ReleaseHandle) -> ReleaseError {
    let failure = handle.failure().unwrap_or_default();
    let reason = format!(
        "its last {START_FAILURES_MAX} starts failed and it is not started again for a while; \
         `vitrine promote` tries at once ({failure})"
    );
    ReleaseError::Unservable { release: handle.id(), reason, log: Vec::new(), diagnosis: Box::default() }
}

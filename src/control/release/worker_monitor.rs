//! A worker that is lost is replaced.
//!
//! A render process that dies is its supervisor's business and comes back behind the same sockets. Here is what
//! remains: a container or process that is gone, one that does not come back in time, and one that hangs.

use super::lifecycle::Event;
use super::release_handle::ReleaseHandle;
use super::supervisor::{WorkerSupervisor, Workers};
use super::{ReleaseError, health_check, warm_failure};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::id::InstanceId;
use vitrine_core::limits::{
    ENGINE_AWAITED_MS, HUNG_PATIENCE_MS, LOST_PATIENCE_MS, REPLACE_BOOT_DEADLINE_MS, REPLACE_PAUSE_MS,
    REPLACE_PAUSE_MS_MAX, SERVED_WELL_MS,
};
use vitrine_core::telemetry::{Replacement, error_chain};
use vitrine_proxy::pool::Instance;
use vitrine_proxy::worker::{Worker, WorkerState};
use vitrine_wire::LogLevel;

/// Watches an instance from now on.
pub(super) fn watch(supervisor: &WorkerSupervisor, handle: &Arc<ReleaseHandle>, instance: &Arc<Instance>) {
    health_check::watch(supervisor, handle, instance);
    let mut state = instance.worker().state();
    let instance = instance.id().clone();
    let (host, handle) = (Arc::downgrade(&supervisor.0), Arc::downgrade(handle));
    tokio::spawn(async move {
        let mut served_since = Instant::now();
        // The channel closes when the last holder drops the worker: there is nothing to watch any more.
        while state.changed().await.is_ok() {
            let reason = match *state.borrow_and_update() {
                WorkerState::Lost => Replacement::Gone,
                WorkerState::Hung => Replacement::Hung,
                WorkerState::Discarded => return,
                _ => continue,
            };
            if reason == Replacement::Gone
                && let Some(handle) = handle.upgrade()
            {
                handle.note_crash();
            }
            let served_well = served_since.elapsed() >= Duration::from_millis(SERVED_WELL_MS);
            let serves = |one: &Arc<Instance>| *one.id() != instance && one.worker().is_ready();
            let has_others =
                handle.upgrade().is_some_and(|handle| handle.pool.instances().iter().any(serves));
            let patience_ms = match reason {
                // It was silent for long enough, and others serve: what waits for it is to go to them.
                Replacement::Hung if has_others => 0,
                Replacement::Hung => HUNG_PATIENCE_MS,
                _ => LOST_PATIENCE_MS,
            };
            let ready = |state: &WorkerState| matches!(state, WorkerState::Ready(_));
            let is_back =
                comes_back(&host, &instance, &mut state, ready, Duration::from_millis(patience_ms)).await;
            if let (Some(host), Some(handle)) = (host.upgrade(), handle.upgrade()) {
                host.app_logs.note(&handle.id(), LogLevel::Error, what_happened(reason, is_back).into());
            }
            if is_back {
                served_since = Instant::now();
                if let (Some(host), Some(handle), WorkerState::Ready(ready)) =
                    (host.upgrade(), handle.upgrade(), &*state.borrow())
                    && let Some(instance) = handle.pool.instance(&instance)
                {
                    let failed = ready.warm_failure.as_ref().map(|failure| failure.message.clone());
                    warm_failure::note(&WorkerSupervisor(host), &handle, instance.worker(), failed);
                }
                continue;
            }
            let (Some(host), Some(handle)) = (host.upgrade(), handle.upgrade()) else { return };
            tokio::spawn(replace(WorkerSupervisor(host), handle, instance, reason, served_well));
            return;
        }
    });
}

/// What the log of an app says of its worker.
const fn what_happened(reason: Replacement, is_back: bool) -> &'static str {
    match (reason, is_back) {
        (Replacement::Hung, true) => "the worker answered no ping for a while; it answers again",
        (Replacement::Hung, false) => "the worker answers no ping; another is started in its place",
        (_, true) => {
            "the render process ended, and was started again; its requests got `crashed` or were asked again"
        }
        (_, false) => "the worker ended; another is started in its place while users need it",
    }
}

/// Ends when a worker that boots is lost and does not come back. Nothing else would tell so before the boot's deadline.
pub(super) async fn lost_in_boot(supervisor: &WorkerSupervisor, worker: &Worker) {
    let (host, instance) = (Arc::downgrade(&supervisor.0), &worker.identity().instance);
    let mut state = worker.state();
    let lost = |state: &WorkerState| matches!(state, WorkerState::Lost);
    let patience = Duration::from_millis(LOST_PATIENCE_MS);
    while state.wait_for(lost).await.is_ok() {
        if !comes_back(&host, instance, &mut state, |state| !lost(state), patience).await {
            return;
        }
    }
}

/// Whether a worker that is lost or hangs is `back` before patience ends; at once `false` when the engine knows that it is gone.
async fn comes_back(
    host: &Weak<Workers>,
    instance: &InstanceId,
    state: &mut watch::Receiver<WorkerState>,
    back: impl FnMut(&WorkerState) -> bool,
    patience: Duration,
) -> bool {
    tokio::select! {
        came = tokio::time::timeout(patience, state.wait_for(back)) => matches!(came, Ok(Ok(_))),
        () = gone(host, instance) => false,
    }
}

/// Ends when the engine says that the instance does not run. An engine that hangs says nothing: patience decides then.
async fn gone(host: &Weak<Workers>, instance: &InstanceId) {
    loop {
        let Some(inner) = host.upgrade() else { return };
        if let Ok(list) = inner.engine.list().await
            && !list.iter().any(|info| info.instance == *instance && info.running)
        {
            return;
        }
        drop(inner);
        tokio::time::sleep(Duration::from_millis(REPLACE_PAUSE_MS)).await;
    }
}

/// Starts another worker in the place of one that is gone, while it is wanted and until its starts failed too often. The
/// first try is immediate if the old one served well.
async fn replace(
    supervisor: WorkerSupervisor,
    handle: Arc<ReleaseHandle>,
    lost: InstanceId,
    reason: Replacement,
    served_well: bool,
) {
    if failpoint::at("keep.replace") == Some(Fault::Skip) {
        return;
    }
    let deadline = Duration::from_millis(REPLACE_BOOT_DEADLINE_MS);
    let mut pause_ms = if served_well { 0 } else { REPLACE_PAUSE_MS };
    {
        let Some(_turn) = supervisor.0.turns.take().await else { return };
        // Others of the release serve meanwhile: what waits for this one goes to them at once, whatever is being started.
        let left = handle.pool.remove(&lost).map(|instance| supervisor.stop_behind(instance));
        let _boot = handle.boot.lock().await;
        let left =
            left.or_else(|| handle.pool.remove(&lost).map(|instance| supervisor.stop_behind(instance)));
        if left.is_none() && handle.pool.instance(&lost).is_none() {
            // Somebody replaced it, or it was put to sleep.
            return;
        }
        tracing::warn!(release = %handle.id(), instance = %lost, "a worker is gone");
        supervisor.0.metrics.replacement(&handle.id().app, reason);
        if left.is_none() && supervisor.apply(&handle, Event::Lost, deadline).await.is_err() {
            return;
        }
    }
    // A release that is not needed now sleeps, and a request wakes it.
    while supervisor.0.registry.is_wanted(&handle) || handle.waiting.load(Ordering::SeqCst) > 0 {
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        let Some(_turn) = supervisor.0.turns.take().await else { return };
        pause_ms = (pause_ms * 2).clamp(REPLACE_PAUSE_MS, REPLACE_PAUSE_MS_MAX);
        match supervisor.ensure_scale(&handle, deadline).await {
            Ok(()) => return,
            Err(error) => {
                if matches!(error, ReleaseError::EngineAway { .. }) {
                    // It is asked, not loaded: the app is back soon after it.
                    pause_ms = ENGINE_AWAITED_MS;
                }
                tracing::error!(release = %handle.id(), error = %error_chain(&error), "failed to replace a lost worker");
                if handle.pool.is_ready() {
                    // Others of it serve: the patrol tries again.
                    return;
                }
            }
        }
        if handle.life().is_given_up() {
            tracing::error!(release = %handle.id(), "a release failed to start repeatedly; it is not started again");
            let message =
                "starts of a worker failed again and again; none is tried any more before a promotion".into();
            supervisor.0.app_logs.note(&handle.id(), LogLevel::Error, message);
            return;
        }
    }
}

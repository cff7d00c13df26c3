//! An accepted release whose warm or health path failed when its worker started. It serves what it can: what its pages lack is around
//! it, and users of its other pages need none of that. The failure is logged, counted and shown, and the paths are asked for again
//! until they answer.

use super::ReleaseError;
use super::diagnosis::Diagnosis;
use super::health_check::{self, FailedCheck};
use super::lifecycle::State;
use super::release_handle::ReleaseHandle;
use super::supervisor::{WorkerSupervisor, Workers};
use std::sync::{Arc, Weak};
use std::time::Duration;
use vitrine_core::id::InstanceId;
use vitrine_core::limits::{UNWELL_PAUSE_MS, UNWELL_PAUSE_MS_MAX};
use vitrine_proxy::worker::Worker;
use vitrine_wire::LogLevel;

/// Takes note of what failed of the paths of a worker that serves from now on.
pub(super) fn note(
    supervisor: &WorkerSupervisor,
    handle: &Arc<ReleaseHandle>,
    worker: &Arc<Worker>,
    failed: Option<String>,
) {
    let instance = worker.identity().instance.clone();
    let was_well = handle.set_unwell(&instance, failed.clone());
    let Some(reason) = failed else { return };
    tracing::warn!(release = %handle.id(), reason, "a release serves although a check at its start failed");
    supervisor.0.metrics.warm_failure(&handle.id().app);
    let message = format!("{reason}; the release was good before, so it serves, and is asked again");
    supervisor.0.app_logs.note(&handle.id(), LogLevel::Warn, message);
    if was_well {
        tokio::spawn(ask_again(Arc::downgrade(&supervisor.0), Arc::downgrade(handle), instance));
    }
}

/// Asks for the paths until all answer, or the worker is its release's no more.
async fn ask_again(host: Weak<Workers>, handle: Weak<ReleaseHandle>, instance: InstanceId) {
    let mut pause_ms = UNWELL_PAUSE_MS;
    loop {
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        pause_ms = (pause_ms * 2).min(UNWELL_PAUSE_MS_MAX);
        let (Some(host), Some(handle)) = (host.upgrade(), handle.upgrade()) else { return };
        // A render process that was started again since may have answered well.
        let (Some(unwell), Some(_)) = (handle.pool.instance(&instance), handle.unwell()) else { return };
        let worker = unwell.worker();
        if !worker.is_ready() || handle.life().state() == State::Frozen {
            continue;
        }
        match health_check::every_path(&handle, worker, &host.config.domain).await {
            Ok(()) => {
                handle.amend_unwell(&instance, None);
                let message = "the warm and health paths that failed at the start answer now";
                host.app_logs.note(&handle.id(), LogLevel::Info, message.into());
                return;
            }
            Err(FailedCheck { reason, .. }) => {
                handle.amend_unwell(&instance, Some(reason));
            }
        }
    }
}

impl WorkerSupervisor {
    /// Refuses to make a release live that users never had and whose paths still fail: it was started for a request, on easier terms.
    ///
    /// # Errors
    /// [`ReleaseError::Unservable`].
    pub(super) async fn refuse_unwell(&self, handle: &Arc<ReleaseHandle>) -> Result<(), ReleaseError> {
        if handle.had_users() || handle.unwell().is_none() {
            return Ok(());
        }
        let Some(unwell) = handle.pool.instances().into_iter().next() else { return Ok(()) };
        let (worker, instance) = (unwell.worker(), unwell.id());
        let Err(FailedCheck { reason, answer }) =
            health_check::every_path(handle, worker, &self.0.config.domain).await
        else {
            handle.amend_unwell(instance, None);
            return Ok(());
        };
        let found = Diagnosis { answer, ..Diagnosis::default() };
        Err(self.not_up(handle, reason, Vec::new(), found).await)
    }
}

//! A release that is marked as bad and is promoted again: it answers by its own name while the hooks before traffic look at it.

use crate::release::Releases;
use crate::release::release_handle::ReleaseHandle;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use vitrine_core::config::HookStage;
use vitrine_core::telemetry::error_chain;

/// Ends the trial also where the promotion is broken off.
struct Trial<'a>(&'a ReleaseHandle);

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        self.0.on_trial.store(false, Ordering::SeqCst);
    }
}

impl Releases {
    /// Runs the hooks before traffic. They have the release's own host name to look at.
    pub(super) async fn with_own_name<T>(
        &self,
        handle: &Arc<ReleaseHandle>,
        hooks: impl Future<Output = T>,
    ) -> T {
        let is_before = |stage| stage == HookStage::BeforeTraffic;
        let any = self.0.parts.config.hook.iter().any(|hook| is_before(hook.stage));
        if !any || self.0.registry.bad(&handle.id()).is_none() {
            return hooks.await;
        }
        let trial = Trial(handle);
        handle.on_trial.store(true, Ordering::SeqCst);
        self.show(handle).await;
        let passed = hooks.await;
        drop(trial);
        self.show(handle).await;
        passed
    }

    /// Publishes what the release may answer now.
    pub(super) async fn show(&self, handle: &ReleaseHandle) {
        if let Err(error) = self.republish_routes(&handle.id().app, |_| ()).await {
            tracing::warn!(release = %handle.id(), error = %error_chain(&error), "after what a release may answer changed");
        }
    }
}

//! A release that is marked as bad and is promoted again: it answers by its own name while the hooks before traffic look at it.

use super::Deployer;
use crate::release::release_handle::ReleaseHandle;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use vitrine_core::config::HookStage;

/// Ends the trial also where the promotion is broken off.
struct Trial<'a>(&'a ReleaseHandle);

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        self.0.on_trial.store(false, Ordering::SeqCst);
    }
}

impl Deployer {
    /// Runs the hooks before traffic. They have the release's own host name to look at.
    pub(super) async fn with_own_name<T>(
        &self,
        handle: &Arc<ReleaseHandle>,
        hooks: impl Future<Output = T>,
    ) -> T {
        let is_before = |stage| stage == HookStage::BeforeTraffic;
        let any = self.config.hook.iter().any(|hook| is_before(hook.stage));
        if !any || self.registry.bad(&handle.id()).is_none() {
            return hooks.await;
        }
        let trial = Trial(handle);
        handle.on_trial.store(true, Ordering::SeqCst);
        self.publisher.show(handle).await;
        let passed = hooks.await;
        drop(trial);
        self.publisher.show(handle).await;
        passed
    }
}

//! A release that is marked as bad and is promoted again: it answers by its own name while the hooks before traffic look at it.

use crate::release::Releases;
use crate::release::entry::Entry;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use vitrine_core::config::HookStage;
use vitrine_core::telemetry::causes;

/// Ends the trial also where the promotion is broken off.
struct Trial<'a>(&'a Entry);

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        self.0.on_trial.store(false, Ordering::SeqCst);
    }
}

impl Releases {
    /// Runs the hooks before traffic. They have the release's own host name to look at.
    pub(super) async fn with_own_name<T>(&self, entry: &Arc<Entry>, hooks: impl Future<Output = T>) -> T {
        let is_before = |stage| stage == HookStage::BeforeTraffic;
        let any = self.0.parts.config.hook.iter().any(|hook| is_before(hook.stage));
        if !any || self.0.book.bad(&entry.id()).is_none() {
            return hooks.await;
        }
        let trial = Trial(entry);
        entry.on_trial.store(true, Ordering::SeqCst);
        self.show(entry).await;
        let passed = hooks.await;
        drop(trial);
        self.show(entry).await;
        passed
    }

    /// Publishes what the release may answer now.
    pub(super) async fn show(&self, entry: &Entry) {
        if let Err(error) = self.publish_anew(&entry.id().app, |_| ()).await {
            tracing::warn!(release = %entry.id(), error = %causes(&error), "after what a release may answer changed");
        }
    }
}

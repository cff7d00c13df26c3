//! Bundles and logs that an earlier host left and no release or app has.

use super::adopt::Recovery;
use super::orphans::names;
use std::fs;
use vitrine_core::id::AppName;
use vitrine_core::telemetry::error_chain;

impl Recovery {
    /// Removes bundles that no release names: of an upload that was not recorded any more. Before anything is taken in.
    pub(super) async fn sweep_bundles(&self) {
        let bundles = self.records.bundles();
        let in_use = self.records.stored("looking for bundles in use", |store| store.digests()).await;
        let (in_use, stored) = match (in_use, bundles.list().await) {
            (Ok(in_use), Ok(stored)) => (in_use, stored),
            (Err(error), _) => return tracing::warn!(error = %error_chain(&error), "no bundle is removed"),
            (_, Err(error)) => return tracing::warn!(error = %error_chain(&error), "no bundle is removed"),
        };
        for digest in stored.into_iter().filter(|digest| !in_use.contains(digest)) {
            tracing::warn!(digest = %digest.short(), "a bundle without a release is removed");
            if let Err(error) = bundles.remove(digest).await {
                tracing::warn!(digest = %digest.short(), error = %error_chain(&error), "failed to remove a bundle");
            }
        }
    }

    /// Removes the logs of unknown apps: a host that ended right after it dropped an app may have left its log, and the next app of
    /// that name would show it. Before anything is taken in.
    pub(super) async fn sweep_logs(&self) {
        let folder = self.records.layout().logs();
        let listed = tokio::task::spawn_blocking(move || fs::read_dir(folder).map(names)).await;
        let apps: Vec<AppName> = match listed {
            Ok(Ok(apps)) => apps,
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => return,
            Ok(Err(error)) => return tracing::warn!(%error, "failed to list logs; none is removed"),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        let registry = &self.registry;
        for app in apps.iter().filter(|app| !registry.knows(app) && registry.removed(app).is_none()) {
            tracing::warn!(%app, "the log of an unknown app is removed");
            self.app_logs.forget(app);
        }
    }
}

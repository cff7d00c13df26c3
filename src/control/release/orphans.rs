//! What an earlier host left behind and no release has: bundles, logs, workers, folders of sockets.

use super::Releases;
use std::fs;
use std::str::FromStr;
use vitrine_core::id::{AppName, InstanceId};
use vitrine_core::telemetry::error_chain;

impl Releases {
    /// Removes bundles that no release names: of an upload that was not recorded any more. Before anything is taken in.
    pub(super) async fn sweep_bundles(&self) {
        let bundles = self.0.parts.store.bundles();
        let in_use = self.stored("looking for bundles in use", |store| store.digests()).await;
        let (in_use, stored) = match (in_use, bundles.list().await) {
            (Ok(in_use), Ok(stored)) => (in_use, stored),
            (Err(error), _) => return tracing::warn!(error = %error_chain(&error), "no bundle is removed"),
            (_, Err(error)) => return tracing::warn!(error = %error_chain(&error), "no bundle is removed"),
        };
        for digest in stored.into_iter().filter(|digest| !in_use.contains(digest)) {
            tracing::warn!(digest = %digest.short(), "a bundle without a release is removed");
            if let Err(error) = bundles.remove(digest).await {
                tracing::warn!(digest = %digest.short(), error = %error_chain(&error), "it could not be removed");
            }
        }
    }

    /// Removes the logs of unknown apps: a host that ended right after it dropped an app may have left its log, and the next app of
    /// that name would show it. Before anything is taken in.
    pub(super) async fn sweep_logs(&self) {
        let folder = self.0.parts.store.layout().logs();
        let listed = tokio::task::spawn_blocking(move || fs::read_dir(folder).map(names)).await;
        let apps: Vec<AppName> = match listed {
            Ok(Ok(apps)) => apps,
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => return,
            Ok(Err(error)) => return tracing::warn!(%error, "no log is removed"),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        let registry = &self.0.registry;
        for app in apps.iter().filter(|app| !registry.knows(app) && registry.removed(app).is_none()) {
            tracing::warn!(%app, "the log of an unknown app is removed");
            self.0.app_logs.forget(app);
        }
    }

    /// Ends every worker that is left of this host: also those of removed releases that are just being stopped, or could not be
    /// before.
    pub(super) async fn end_all(&self) {
        match self.0.parts.engine.list().await {
            Ok(listed) => {
                for info in listed {
                    self.end(&info.instance).await;
                }
            }
            Err(error) => {
                tracing::warn!(error = %error_chain(&error), "workers can't be listed; some may be left running");
            }
        }
    }

    /// Ends workers of this host that no release has recorded, and removes the folders of those that ended with it.
    pub(super) async fn end_orphans(&self) {
        let listed = match self.0.parts.engine.list().await {
            Ok(listed) => listed,
            Err(error) => {
                tracing::warn!(error = %error_chain(&error), "workers can't be listed; orphans are left alone");
                return;
            }
        };
        let run = self.0.parts.store.layout().run();
        let folders: Vec<InstanceId> = fs::read_dir(&run).map(names).unwrap_or_default();
        // Read last: a worker that was started after both lists were made is in neither.
        let ours = self.0.own_workers.started();
        for info in listed.iter().filter(|info| !ours.contains(&info.instance)) {
            tracing::warn!(instance = %info.instance, release = %info.release, "an orphaned worker is ended");
            self.end(&info.instance).await;
        }
        for instance in folders.iter().filter(|instance| !ours.contains(instance)) {
            // The engine has removed those of the workers that it ended.
            if let Err(error) = fs::remove_dir_all(run.join(instance.as_str()))
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(%instance, %error, "the folder of a worker that ended could not be removed");
            }
        }
    }
}

/// The entries of a folder whose names can be parsed.
fn names<T: FromStr>(entries: fs::ReadDir) -> Vec<T> {
    entries.filter_map(|handle| handle.ok()?.file_name().to_str()?.parse().ok()).collect()
}

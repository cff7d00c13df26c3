//! Workers that no release has: those that an earlier host left behind, with the folders of their sockets, and all at the end of this one.

use super::supervisor::WorkerSupervisor;
use std::fs;
use std::str::FromStr;
use vitrine_core::id::InstanceId;
use vitrine_core::telemetry::error_chain;

impl WorkerSupervisor {
    /// Ends every worker that is left of this host: also those of removed releases that are just being stopped, or could not be
    /// before.
    pub(super) async fn end_all(&self) {
        match self.0.engine.list().await {
            Ok(listed) => {
                for info in listed {
                    self.end(&info.instance).await;
                }
            }
            Err(error) => {
                tracing::warn!(error = %error_chain(&error), "failed to list workers; some may be left running");
            }
        }
    }

    /// Ends workers of this host that no release has recorded, and removes the folders of those that ended with it.
    pub(super) async fn end_orphans(&self) {
        let listed = match self.0.engine.list().await {
            Ok(listed) => listed,
            Err(error) => {
                tracing::warn!(error = %error_chain(&error), "failed to list workers; orphans are left alone");
                return;
            }
        };
        let run = self.0.records.layout().run();
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
                tracing::warn!(%instance, %error, "failed to remove the folder of an ended worker");
            }
        }
    }
}

/// The entries of a folder whose names can be parsed.
pub(super) fn names<T: FromStr>(entries: fs::ReadDir) -> Vec<T> {
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

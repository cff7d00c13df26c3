//! The snapshot that a release's isolates start from. It is taken in a throw-away worker before the first real one, and belongs
//! to the bundle: every release of it, and every restart, uses the same. One that may hold random numbers belongs to its app as
//! well: another tenant with the same bundle would know them.

use super::entry::Entry;
use super::{ReleaseError, Releases};
use std::sync::Arc;
use std::time::Duration;
use vitrine_core::id::{AppName, Digest, InstanceId};
use vitrine_core::limits::SNAPSHOT_TIMEOUT_MS;
use vitrine_core::telemetry::causes;
use vitrine_proxy::worker::{SnapshotError, take_snapshot};
use vitrine_store::SnapshotRecord;
use vitrine_wire::{ModuleScopeRead, SnapshotRequest};

impl Releases {
    /// What the isolates of a release start from, found or made. `None` is evaluation: the bundle wants no snapshot, can't have
    /// one, or none could be made now.
    pub(super) async fn snapshot(&self, entry: &Arc<Entry>, deadline: Duration) -> Option<Digest> {
        if !self.0.parts.take_snapshots || !entry.bundle.manifest.snapshot.wanted {
            return None;
        }
        if let Some(SnapshotRecord::Refused { .. }) = entry.snapshot() {
            return None;
        }
        entry.map_snapshot();
        let bundles = self.0.parts.store.bundles();
        let record = match bundles.unpacked_snapshot(entry.bundle.digest, private_to(entry)).await {
            Some(record) => record,
            None => self.take_snapshot(entry, deadline).await?,
        };
        entry.set_snapshot(Some(record.clone()));
        match record {
            SnapshotRecord::Taken { sha256, .. } => Some(sha256),
            SnapshotRecord::Refused { .. } => None,
        }
    }

    /// A worker said that it can't use the snapshot, which is of another build or damaged: the next boot makes a new one.
    pub(super) async fn forget_snapshot(&self, entry: &Arc<Entry>) {
        tracing::warn!(release = %entry.id(), "the snapshot is of no use to this worker and is made again at the next boot");
        entry.set_snapshot(None);
        self.0.parts.store.bundles().forget_snapshot(entry.bundle.digest).await;
    }

    /// Whether the snapshot of a release is unpacked for no worker. One that users are sent to has a worker soon if it has none now.
    pub(super) fn may_pack_snapshot(&self, entry: &Arc<Entry>) -> bool {
        entry.may_map_snapshot() && !entry.pool.has_instance() && !self.is_wanted(entry)
    }

    /// Packs the snapshots of an app's releases that have no worker any more, unless a worker is just being started: then it is
    /// done the next time.
    pub(super) async fn rest_snapshots(&self, app: &AppName) {
        for entry in self.0.book.releases(app) {
            let digest = entry.bundle.digest;
            if !self.may_pack_snapshot(&entry) {
                continue;
            }
            let Ok(_nothing_starts) = self.0.mapping.try_write() else { return };
            let is_mapped = |one: &Arc<Entry>| one.bundle.digest == digest && one.pool.has_instance();
            if !self.0.book.entries().iter().any(is_mapped) {
                entry.unmap_snapshot();
                self.0.parts.store.bundles().rest_snapshot(digest).await;
            }
        }
    }

    async fn take_snapshot(&self, entry: &Arc<Entry>, deadline: Duration) -> Option<SnapshotRecord> {
        let instance = self.new_instance();
        // Half of the time is left for the worker that serves, whatever happens here.
        let bound = (deadline / 2).min(Duration::from_millis(SNAPSHOT_TIMEOUT_MS));
        let begun = tokio::time::Instant::now();
        let taken = tokio::time::timeout(bound, self.in_throw_away_worker(entry, &instance)).await;
        // It holds nothing that is worth a grace.
        self.end_within(&instance, 0).await;
        let bundles = self.0.parts.store.bundles();
        let took_ms = begun.elapsed().as_millis() as u64;
        let kept = match taken {
            Ok(Ok(Ok(file))) => bundles.keep_snapshot(entry.bundle.digest, private_to(entry), file).await,
            Ok(Ok(Err(error @ SnapshotError::Worker(_)))) => {
                tracing::warn!(release = %entry.id(), error = %causes(&error), "no snapshot was taken");
                return None;
            }
            // It may as well have been killed for want of memory: the next host tries again.
            Ok(Ok(Err(error @ SnapshotError::Ended))) => {
                return Some(SnapshotRecord::Refused { reason: causes(&error) });
            }
            Ok(Ok(Err(error))) => {
                let refused = SnapshotRecord::Refused { reason: causes(&error) };
                bundles.note_snapshot(entry.bundle.digest, private_to(entry), refused).await
            }
            // What ails the engine is told by the start of the real worker.
            Ok(Err(_)) => return None,
            Err(_) => {
                tracing::warn!(release = %entry.id(), took_ms, "no snapshot was taken in time");
                return None;
            }
        };
        match kept {
            Ok(record) => {
                tracing::info!(release = %entry.id(), took_ms, snapshot = ?record, "the app's snapshot");
                Some(record)
            }
            Err(error) => {
                tracing::warn!(release = %entry.id(), error = %causes(&error), "the snapshot could not be kept");
                None
            }
        }
    }

    async fn in_throw_away_worker(
        &self,
        entry: &Arc<Entry>,
        instance: &InstanceId,
    ) -> Result<Result<Vec<u8>, SnapshotError>, ReleaseError> {
        let spec = self.start_spec(entry, instance, None);
        let release = spec.release.clone();
        let engine_error = |source| ReleaseError::Engine { release, source };
        self.0.parts.engine.start(spec).await.map_err(engine_error)?;
        let manifest = &entry.bundle.manifest;
        let request = SnapshotRequest {
            settings: entry.settings(&self.0.parts.config.domain),
            env_names: manifest.env.clone(),
            harmless: manifest.snapshot.harmless.clone(),
        };
        let identity = self.identity(entry, instance, entry.record().spec_hash);
        let lines_per_s = request.settings.limits.log_lines_per_s;
        let logs = self.0.journal.sink(&entry.id().app, lines_per_s);
        Ok(self.among_requests(async move { take_snapshot(&identity, request, &*logs).await }).await)
    }
}

/// The app that alone may use a release's snapshot, if not every app of the same bundle may.
fn private_to(entry: &Entry) -> Option<AppName> {
    let harmless = &entry.bundle.manifest.snapshot.harmless;
    harmless.contains(&ModuleScopeRead::Randomness).then(|| entry.id().app)
}

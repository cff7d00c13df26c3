//! The snapshot that a release's isolates start from. It is taken in a throw-away worker before the first real one, and belongs
//! to the bundle: every release of it, and every restart, uses the same. One that may hold random numbers belongs to its app as
//! well: another tenant with the same bundle would know them.

use super::ReleaseError;
use super::release_handle::ReleaseHandle;
use super::supervisor::WorkerSupervisor;
use std::sync::Arc;
use std::time::Duration;
use vitrine_core::id::{AppName, Digest, InstanceId};
use vitrine_core::limits::SNAPSHOT_TIMEOUT_MS;
use vitrine_core::telemetry::error_chain;
use vitrine_proxy::worker::{SnapshotError, take_snapshot};
use vitrine_store::SnapshotRecord;
use vitrine_wire::{ModuleScopeRead, SnapshotRequest};

impl WorkerSupervisor {
    /// What the isolates of a release start from, found or made. `None` is evaluation: the bundle wants no snapshot, can't have
    /// one, or none could be made now.
    pub(super) async fn snapshot(&self, handle: &Arc<ReleaseHandle>, deadline: Duration) -> Option<Digest> {
        if !self.0.take_snapshots || !handle.bundle.manifest.snapshot.wanted {
            return None;
        }
        if let Some(SnapshotRecord::Refused { .. }) = handle.snapshot() {
            return None;
        }
        handle.map_snapshot();
        let bundles = self.0.records.bundles();
        let record = match bundles.unpacked_snapshot(handle.bundle.digest, private_to(handle)).await {
            Some(record) => record,
            None => self.take_snapshot(handle, deadline).await?,
        };
        handle.set_snapshot(Some(record.clone()));
        match record {
            SnapshotRecord::Taken { sha256, .. } => Some(sha256),
            SnapshotRecord::Refused { .. } => None,
        }
    }

    /// A worker said that it can't use the snapshot, which is of another build or damaged: the next boot makes a new one.
    pub(super) async fn forget_snapshot(&self, handle: &Arc<ReleaseHandle>) {
        tracing::warn!(release = %handle.id(), "the worker can't use the snapshot; the next boot takes a new one");
        handle.set_snapshot(None);
        self.0.records.bundles().forget_snapshot(handle.bundle.digest).await;
    }

    /// Whether the snapshot of a release is unpacked for no worker. One that users are sent to has a worker soon if it has none now.
    pub(super) fn may_pack_snapshot(&self, handle: &Arc<ReleaseHandle>) -> bool {
        handle.may_map_snapshot() && !handle.pool.has_instance() && !self.0.registry.is_wanted(handle)
    }

    /// Packs the snapshots of an app's releases that have no worker any more, unless a worker is just being started: then it is
    /// done the next time.
    pub(super) async fn rest_snapshots(&self, app: &AppName) {
        for handle in self.0.registry.releases(app) {
            let digest = handle.bundle.digest;
            if !self.may_pack_snapshot(&handle) {
                continue;
            }
            let Some(_nothing_starts) = self.0.mapping.try_write() else { return };
            let is_mapped = |one: &Arc<ReleaseHandle>| one.bundle.digest == digest && one.pool.has_instance();
            if !self.0.registry.entries().iter().any(is_mapped) {
                handle.unmap_snapshot();
                self.0.records.bundles().rest_snapshot(digest).await;
            }
        }
    }

    async fn take_snapshot(&self, handle: &Arc<ReleaseHandle>, deadline: Duration) -> Option<SnapshotRecord> {
        let mut worker =
            ThrowAway { supervisor: self, instance: self.0.own_workers.new_instance(), runs: true };
        // Half of the time is left for the worker that serves, whatever happens here.
        let bound = (deadline / 2).min(Duration::from_millis(SNAPSHOT_TIMEOUT_MS));
        let begun = tokio::time::Instant::now();
        let taken = tokio::time::timeout(bound, self.in_throw_away_worker(handle, &worker.instance)).await;
        // It holds nothing that is worth a grace.
        self.end_within(&worker.instance, 0).await;
        worker.runs = false;
        let bundles = self.0.records.bundles();
        let took_ms = begun.elapsed().as_millis() as u64;
        let kept = match taken {
            Ok(Ok(Ok(file))) => bundles.keep_snapshot(handle.bundle.digest, private_to(handle), file).await,
            Ok(Ok(Err(error @ SnapshotError::Worker(_)))) => {
                tracing::warn!(release = %handle.id(), error = %error_chain(&error), "no snapshot was taken");
                return None;
            }
            // It may as well have been killed for want of memory: the next host tries again.
            Ok(Ok(Err(error @ SnapshotError::Ended))) => {
                return Some(SnapshotRecord::Refused { reason: error_chain(&error) });
            }
            Ok(Ok(Err(error))) => {
                let refused = SnapshotRecord::Refused { reason: error_chain(&error) };
                bundles.note_snapshot(handle.bundle.digest, private_to(handle), refused).await
            }
            // What ails the engine is told by the start of the real worker.
            Ok(Err(_)) => return None,
            Err(_) => {
                tracing::warn!(release = %handle.id(), took_ms, "no snapshot was taken in time");
                return None;
            }
        };
        match kept {
            Ok(record) => {
                tracing::info!(release = %handle.id(), took_ms, snapshot = ?record, "the app's snapshot");
                Some(record)
            }
            Err(error) => {
                tracing::warn!(release = %handle.id(), error = %error_chain(&error), "failed to store the snapshot");
                None
            }
        }
    }

    async fn in_throw_away_worker(
        &self,
        handle: &Arc<ReleaseHandle>,
        instance: &InstanceId,
    ) -> Result<Result<Vec<u8>, SnapshotError>, ReleaseError> {
        let spec = self.start_spec(handle, instance, None);
        let release = spec.release.clone();
        let engine_error = |source| ReleaseError::Engine { release, source };
        self.0.engine.start(spec).await.map_err(engine_error)?;
        let manifest = &handle.bundle.manifest;
        let request = SnapshotRequest {
            settings: handle.settings(&self.0.config.domain),
            env_names: manifest.env.clone(),
            harmless: manifest.snapshot.harmless.clone(),
        };
        let identity = self.identity(handle, instance, handle.record().spec_hash);
        let lines_per_s = request.settings.limits.log_lines_per_s;
        let logs = self.0.app_logs.sink(&handle.id().app, lines_per_s);
        Ok(self.among_requests(async move { take_snapshot(&identity, request, &*logs).await }).await)
    }
}

/// A worker that takes a snapshot. It ends with this: the boot that it is for may be given up meanwhile.
struct ThrowAway<'a> {
    supervisor: &'a WorkerSupervisor,
    instance: InstanceId,
    runs: bool,
}

impl Drop for ThrowAway<'_> {
    fn drop(&mut self) {
        if self.runs {
            let (supervisor, instance) = (self.supervisor.clone(), self.instance.clone());
            self.supervisor.0.control.spawn(async move { supervisor.end_within(&instance, 0).await });
        }
    }
}

/// The app that alone may use a release's snapshot, if not every app of the same bundle may.
fn private_to(handle: &ReleaseHandle) -> Option<AppName> {
    let harmless = &handle.bundle.manifest.snapshot.harmless;
    harmless.contains(&ModuleScopeRead::Randomness).then(|| handle.id().app)
}

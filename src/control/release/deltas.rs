//! Deltas of a release's files against those of the releases that were live before it (RFC 9842), made beside everything else: nobody
//! waits for them, and a release without them is served as before.

use super::installed_bundles::InstalledBundles;
use super::records::Records;
use super::registry::Registry;
use super::release_handle::ReleaseHandle;
use std::cmp::Reverse;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use tokio::sync::{Semaphore, oneshot};
use vitrine_bundle::{BundleError, Installed};
use vitrine_core::config::Config;
use vitrine_core::limits::DELTA_RELEASES_MAX;
use vitrine_core::telemetry::error_chain;

/// See the module. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct DeltaMaker {
    registry: Arc<Registry>,
    records: Records,
    installed: InstalledBundles,
    is_on: bool,
    /// One release at a time: the other cores render.
    turn: Arc<Semaphore>,
}

impl DeltaMaker {
    pub(super) fn new(
        config: &Config,
        registry: &Arc<Registry>,
        records: &Records,
        installed: &InstalledBundles,
    ) -> Self {
        Self {
            registry: Arc::clone(registry),
            records: records.clone(),
            installed: installed.clone(),
            is_on: config.edge.deltas,
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    /// Begins with those of a release that was just taken in. Previews have few visitors.
    pub(super) fn begin(&self, handle: &Arc<ReleaseHandle>) {
        if !self.is_on || handle.record().preview.is_some() {
            return;
        }
        let (this, handle) = (self.clone(), Arc::clone(handle));
        tokio::spawn(async move {
            if let Err(error) = this.make(&handle).await {
                tracing::warn!(release = %handle.id(), error = %error_chain(&error), "failed to make the deltas of a release; its files are sent whole");
            }
        });
    }

    async fn make(&self, handle: &Arc<ReleaseHandle>) -> Result<(), BundleError> {
        let Ok(_turn) = self.turn.acquire().await else { return Ok(()) };
        let before = self.before(handle);
        if before.is_empty() {
            return Ok(());
        }
        let made = self.records.layout().stage();
        let result = self.make_aside(handle, before, made.clone()).await;
        // No bundle is removed meanwhile.
        let _kept = self.installed.keep().await;
        let is_there = self.registry.still_there(handle).is_ok();
        let handle = Arc::clone(handle);
        let taking_in = tokio::task::spawn_blocking(move || {
            let taken_in = match is_there && made.is_dir() {
                true => handle.deltas.take_in(&made, &handle.dir),
                false => Ok(()),
            };
            let _ = std::fs::remove_dir_all(made);
            taken_in
        });
        // Otherwise the host ends.
        let taken_in = taking_in.await.unwrap_or(Ok(()));
        result.and(taken_in)
    }

    /// On a thread of its own: the end of the host does not wait for it.
    async fn make_aside(
        &self,
        handle: &Arc<ReleaseHandle>,
        before: Vec<Arc<ReleaseHandle>>,
        into: PathBuf,
    ) -> Result<(), BundleError> {
        let (done, is_done) = oneshot::channel();
        let of = Arc::clone(handle);
        let started = thread::Builder::new().name("deltas".into()).spawn(move || {
            let before: Vec<Installed<'_>> =
                before.iter().map(|handle| (&*handle.bundle, &handle.dir)).collect();
            let _ = done.send(of.deltas.make((&of.bundle, &of.dir), &before, &into));
        });
        if let Err(error) = started {
            tracing::warn!(%error, "the thread that makes deltas can't be started");
        }
        // One that panicked has said so.
        is_done.await.unwrap_or(Ok(()))
    }

    /// Those whose files visitors may have, what was live last first.
    fn before(&self, handle: &Arc<ReleaseHandle>) -> Vec<Arc<ReleaseHandle>> {
        let mut before: Vec<(u64, Arc<ReleaseHandle>)> = self
            .registry
            .releases(&handle.id().app)
            .into_iter()
            .filter(|other| other.bundle.digest != handle.bundle.digest)
            .filter(|other| self.registry.bad(&other.id()).is_none())
            .filter_map(|other| Some((other.record().promoted_ms?, other)))
            .collect();
        before.sort_by_key(|(promoted_ms, _)| Reverse(*promoted_ms));
        before.truncate(DELTA_RELEASES_MAX);
        before.into_iter().map(|(_, other)| other).collect()
    }
}

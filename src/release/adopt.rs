//! After a start: what is recorded, which workers still run, which must be booted.
//!
//! Workers are adopted through their sockets, by the instance that is recorded, without asking the engine: a host
//! whose Docker hangs still serves what runs.

use super::entry::{Entry, spec_hash};
use super::life::{Event, Life};
use super::{ReleaseError, Releases, keep};
use crate::bundle::{Bundle, BundleDir};
use crate::config::Isolation;
use crate::failpoint::{self, Fault};
use crate::id::{AppName, InstanceId, Version};
use crate::limits::{ADOPT_TIMEOUT_MS, ORPHANS_AGAIN_MS, REPLACE_BOOT_DEADLINE_MS};
use crate::store::{Promotion, ReleaseRecord, ReleaseState};
use crate::telemetry::causes;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

impl Releases {
    pub(super) async fn adopt(&self) -> Result<(), ReleaseError> {
        let parts = &self.0.parts;
        let epoch = self.stored("reading the epoch", |store| store.epoch()).await?;
        self.0.book.set_epoch(epoch);
        self.0.book.hold_names(self.stored("reading the names", |store| store.held_names()).await?);
        for app in self.stored("reading the apps", |store| store.apps()).await? {
            self.load_app(&app).await?;
        }
        self.sweep_bundles().await;
        let mut adopted = BTreeSet::new();
        // Processes end with the host that started them.
        let adoptable = parts.engine.isolation() == Isolation::Container || !parts.predecessor.is_there();
        for entry in self.0.book.entries() {
            if adoptable {
                adopted.extend(self.adopt_worker(&entry).await);
            } else {
                entry.update(|record| record.instance = None);
            }
        }
        self.boot_live().await;
        for app in self.0.book.names() {
            self.resume(&app).await?;
        }
        self.publish();
        let releases = self.clone();
        tokio::spawn(async move {
            if let Some(_turn) = releases.0.turns.take().await {
                releases.boot_standby().await;
            }
            // Its last requests may be served by workers that are nobody's now.
            releases.0.parts.predecessor.gone().await;
            let Some(turn) = releases.0.turns.take().await else { return };
            releases.end_orphans(&adopted).await;
            drop(turn);
            // What still runs from an earlier build is known by now, and nobody waits for it.
            if let Err(error) = releases.0.parts.engine.prune().await {
                tracing::warn!(error = %causes(&error), "old worker images are left alone");
            }
            tokio::time::sleep(Duration::from_millis(ORPHANS_AGAIN_MS)).await;
            if let Some(_turn) = releases.0.turns.take().await {
                releases.end_orphans(&adopted).await;
            }
        });
        Ok(())
    }

    async fn load_app(&self, app: &AppName) -> Result<(), ReleaseError> {
        self.0.book.add_app(app);
        let of = app.clone();
        let (records, live, history, split) = self
            .stored("reading the releases", move |store| {
                Ok((store.releases(&of)?, store.live(&of)?, store.history(&of)?, store.split(&of)?))
            })
            .await?;
        let mut loaded = Vec::new();
        for record in undo_replaced(records) {
            loaded.extend(self.load_bundle(record).await);
        }
        let retained = loaded.iter().map(|(record, ..)| record.id.version.clone()).collect();
        let live = live.map(|live| live_or_earlier(app, live, &history, &retained));
        // Newest first in the store, and the book adds in front.
        for (record, dir, bundle) in loaded.into_iter().rev() {
            let is_live = live.as_ref() == Some(&record.id.version);
            let life = Life::recorded(is_live, record.promoted_ms.is_some());
            self.load_release(record, life, dir, bundle).await;
        }
        self.0.book.restore(app, live, history);
        if failpoint::at("split.restore") != Some(Fault::Skip) {
            self.0.book.set_split(app, split);
        }
        Ok(())
    }

    /// A release with its bundle; `None` when it is undone, or when its bundle can't be had. One release that can be neither
    /// loaded nor undone keeps no app from being served: it is left out, and the next start looks at it again.
    async fn load_bundle(&self, record: ReleaseRecord) -> Option<(ReleaseRecord, BundleDir, Bundle)> {
        let (id, digest) = (record.id.clone(), record.digest);
        if record.state == ReleaseState::Pending {
            // Its deploy was never acknowledged, or that of its successor was not finished.
            tracing::warn!(release = %id, "what an unfinished deploy left is removed");
            let undone = id.clone();
            let undoing =
                self.stored("undoing the release", move |store| store.delete_release(&undone)).await;
            match undoing {
                Ok(()) => self.forget_bundle(digest).await,
                Err(error) => {
                    tracing::error!(release = %id, error = %causes(&error), "it can't be removed and is left out");
                }
            }
            return None;
        }
        match self.0.parts.store.bundles().ensure(digest).await {
            Ok((dir, bundle)) => Some((record, dir, bundle)),
            Err(error) => {
                tracing::error!(release = %id, error = %causes(&error), "a release without its bundle");
                None
            }
        }
    }

    async fn load_release(&self, mut record: ReleaseRecord, life: Life, dir: BundleDir, bundle: Bundle) {
        let config = &self.0.parts.config;
        let limits = super::decide::limits(&bundle.manifest.limits, &config.limits, config.worker.cpus);
        // The operator may have changed limits since: a worker of the old ones is then no longer this release's.
        record.spec_hash = spec_hash(&record, &bundle, &limits, config);
        let snapshot = self.0.parts.store.bundles().snapshot(record.digest).await;
        let entry = Entry::new(record, life, Arc::new(bundle), dir, &config.limits, config.worker.cpus);
        entry.set_snapshot(snapshot);
        self.0.book.add(entry);
    }

    async fn adopt_worker(&self, entry: &Arc<Entry>) -> Option<InstanceId> {
        let instance = entry.record().instance?;
        let env = match self.env_of(entry).await {
            Ok(env) => env,
            Err(error) => {
                tracing::error!(release = %entry.id(), %instance, error = %causes(&error), "not adopted");
                return None;
            }
        };
        let adopting = async {
            let worker = self.connect(entry, &instance, env).await?;
            let timeout = Duration::from_millis(ADOPT_TIMEOUT_MS);
            worker.ready(timeout).await?;
            // The host before this one may have frozen it.
            worker.freeze(false, timeout).await?;
            Ok::<_, crate::worker::WorkerError>(worker)
        };
        match adopting.await {
            Ok(worker) => {
                entry.happens(Event::Adopted).inspect_err(|illegal| tracing::error!(%illegal)).ok()?;
                entry.pool.set_worker(Some(Arc::clone(&worker)));
                keep::watch(self, entry, &worker);
                tracing::info!(release = %entry.id(), %instance, "a running worker was adopted");
                Some(instance)
            }
            Err(error) => {
                tracing::info!(release = %entry.id(), %instance, error = %causes(&error), "not adopted");
                None
            }
        }
    }

    /// Releases that users get and that have no worker are booted before anything is served.
    async fn boot_live(&self) {
        for app in self.0.book.names() {
            for entry in [self.0.book.live(&app), self.candidate(&app)].into_iter().flatten() {
                self.boot_for_start(&entry).await;
            }
        }
    }

    /// The releases that a rollback would go to are warm again soon after.
    async fn boot_standby(&self) {
        for entry in self.0.book.entries() {
            if self.is_wanted(&entry) {
                self.boot_for_start(&entry).await;
            }
        }
    }

    async fn boot_for_start(&self, entry: &Arc<Entry>) {
        let deadline = Duration::from_millis(REPLACE_BOOT_DEADLINE_MS);
        if let Err(error) = self.ensure_worker(entry, deadline, false).await {
            tracing::error!(release = %entry.id(), error = %causes(&error),
                "a release has no worker; its next request tries again");
        }
    }
}

/// A preview that another one of the same name was to replace is undone like a deploy that did not end. Newest first.
fn undo_replaced(mut records: Vec<ReleaseRecord>) -> Vec<ReleaseRecord> {
    let mut names = BTreeSet::new();
    for record in records.iter_mut().filter(|record| record.state == ReleaseState::Ready) {
        let name = record.as_preview().map(|(name, _)| name.clone());
        if name.is_some_and(|name| !names.insert(name)) {
            record.state = ReleaseState::Pending;
        }
    }
    records
}

/// What is live, or, when its bundle can't be had, the release that a rollback from it would go to.
fn live_or_earlier(
    app: &AppName,
    live: Version,
    history: &[Promotion],
    retained: &BTreeSet<Version>,
) -> Version {
    if retained.contains(&live) {
        return live;
    }
    let earlier = super::decide::rollback_target(history, &live, retained);
    let serves = earlier.as_ref().map(tracing::field::display);
    tracing::error!(%app, %live, serves, "the bundle of the live release can't be had: deploy it again, under another --version");
    earlier.unwrap_or(live)
}

//! Releases that are of no use any more: put to sleep, expired, removed.

use super::decide::{self, Retained};
use super::entry::Entry;
use super::life::Event;
use super::{Inner, ReleaseError, Releases};
use crate::failpoint::{self, Fault};
use crate::id::{AppName, ReleaseId, Version};
use crate::limits::{AGE_GRACE_MS, PATROL_INTERVAL_MS};
use crate::telemetry::causes;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::Instant;

/// Goes round every so often for as long as the host runs; not before the last request of a predecessor, which may be served by
/// any of these workers.
pub async fn patrol(host: Weak<Inner>) {
    let Some(predecessor) = host.upgrade().map(|inner| inner.parts.predecessor.clone()) else { return };
    predecessor.gone().await;
    let begun = Instant::now();
    let mut rounds = tokio::time::interval(Duration::from_millis(PATROL_INTERVAL_MS));
    loop {
        rounds.tick().await;
        let Some(inner) = host.upgrade() else { return };
        let releases = Releases(inner);
        if let Some(_turn) = releases.0.turns.take().await {
            releases.end_again().await;
        }
        for app in releases.0.book.names() {
            let Some(_turn) = releases.0.turns.take().await else { return };
            releases.patrol_app(&app, begun.elapsed() >= Duration::from_millis(AGE_GRACE_MS)).await;
        }
    }
}

impl Releases {
    /// `by_age`: whether the clock has been believed for long enough to remove what is old by it.
    async fn patrol_app(&self, app: &AppName, by_age: bool) {
        let mut retention = self.0.parts.config.retention.clone();
        if !by_age && failpoint::at("retention.grace") != Some(Fault::Skip) {
            retention.days = u32::MAX;
        }
        let now_ms = self.0.parts.clock.now_ms();
        let entries = self.0.book.releases(app);
        let retained: Vec<Retained> = entries.iter().map(|entry| self.retained(entry)).collect();
        for version in decide::expired(&retained, &retention, now_ms) {
            let release = ReleaseId::new(app.clone(), version);
            tracing::info!(%release, "a release is no longer retained");
            if let Err(error) = self.remove(app.clone(), Some(release.version.clone())).await {
                tracing::warn!(%release, error = %causes(&error), "a release could not be removed");
            }
        }
        let switching = &self.0.parts.config.switching;
        let (idle_ms, freeze_ms) = (switching.idle_timeout_ms, switching.standby_freeze_ms);
        if let Some(live) = self.0.book.live(app) {
            let sample = || self.0.parts.telemetry.metrics.sample(&live.id());
            live.window().add(tokio::time::Instant::now(), sample);
        }
        for entry in entries {
            // Requests that were held are about to claim the worker that was started for them.
            let awaited = entry.held.load(std::sync::atomic::Ordering::SeqCst) > 0;
            let life = entry.life();
            if awaited {
                continue;
            }
            if !self.is_wanted(&entry) {
                if entry.pool.idle_ms() >= idle_ms && life.after(Event::Idle).is_ok() {
                    tracing::info!(release = %entry.id(), "an idle release goes to sleep");
                    self.put_to_sleep(&entry, Event::Idle).await;
                }
            } else if !self.gets_requests(&entry)
                && !self.is_baking(&entry.id())
                && entry.pool.idle_ms() >= freeze_ms
                && life.after(Event::Rested).is_ok()
            {
                self.let_rest(&entry).await;
            }
        }
    }

    fn retained(&self, entry: &Arc<Entry>) -> Retained {
        let record = entry.record();
        let history = self.0.book.history(&record.id.app);
        let left = history.iter().find(|one| one.from.as_ref() == Some(&record.id.version));
        Retained {
            last_ms: left.map(|left| left.at_ms).max(record.promoted_ms).unwrap_or(record.created_ms),
            expires_ms: record.as_preview().map(|(_, expires_ms)| expires_ms),
            needed: self.is_wanted(entry) || self.is_baking(&record.id) || entry.pool.in_flight() > 0,
            version: record.id.version,
        }
    }

    /// Whether users are sent to a release.
    pub(super) fn gets_requests(&self, entry: &Arc<Entry>) -> bool {
        let app = entry.id().app;
        let gets = [self.0.book.live(&app), self.candidate(&app)];
        gets.iter().flatten().any(|one| Arc::ptr_eq(one, entry))
    }

    /// Whether a release keeps its worker without requests: those that users get, and the one that a rollback would go to.
    pub(super) fn is_wanted(&self, entry: &Arc<Entry>) -> bool {
        let id = entry.id();
        let Some(live) = self.0.book.live(&id.app) else { return false };
        let live_version = live.id().version;
        let earlier = self.had_users(&id.app);
        let standby = decide::rollback_target(&self.0.book.history(&id.app), &live_version, &earlier);
        self.gets_requests(entry) || standby == Some(id.version)
    }

    /// Removes one release that is not live, or the whole app.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn remove(&self, app: AppName, version: Option<Version>) -> Result<(), ReleaseError> {
        let Some(version) = version else { return self.remove_app(app).await };
        let release = ReleaseId::new(app.clone(), version);
        self.find(&release)?;
        let switching = self.0.book.switching(&app);
        let held = switching.lock().await;
        // Who removed it meanwhile may have been followed by another of the same name.
        let entry = self.find(&release)?;
        if self.0.book.live(&app).is_some_and(|live| Arc::ptr_eq(&live, &entry)) {
            return Err(ReleaseError::Refused(format!(
                "`{release}` is live; promote another version first, or remove the whole app"
            )));
        }
        if self.gets_requests(&entry) {
            return Err(ReleaseError::Refused(format!(
                "`{release}` has a share of the users; promote another version or roll back first"
            )));
        }
        if entry.record().instance.is_some() {
            self.check_engine(&release).await?;
        }
        let recorded = release.clone();
        self.stored("removing the release", move |store| store.delete_release(&recorded)).await?;
        noted(&app, self.publish_anew(|book| book.remove(&release)).await);
        // Nobody gets it any more: a rollback need not wait for its last requests.
        drop(held);
        self.forget_release(&entry, false).await;
        Ok(())
    }

    async fn remove_app(&self, app: AppName) -> Result<(), ReleaseError> {
        if !self.0.book.knows(&app) {
            return Err(ReleaseError::NoApp(app));
        }
        let switching = self.0.book.switching(&app);
        let held = switching.lock().await;
        let entries = self.0.book.releases(&app);
        if let Some(runs) = entries.iter().find(|entry| entry.record().instance.is_some()) {
            self.check_engine(&runs.id()).await?;
        }
        let recorded = app.clone();
        self.stored("removing the app", move |store| store.remove_app(&recorded)).await?;
        noted(&app, self.publish_anew(|book| book.remove_app(&app)).await);
        drop(held);
        for entry in entries {
            self.forget_release(&entry, true).await;
        }
        self.0.journal.forget(&app);
        Ok(())
    }

    /// Ends the worker of a release that is in no table any more, and removes what only it had.
    async fn forget_release(&self, entry: &Arc<Entry>, with_app: bool) {
        self.put_to_sleep(entry, Event::Removed { with_app }).await;
        self.0.parts.telemetry.metrics.forget(&entry.id());
        self.forget_bundle(entry.record().digest).await;
    }
}

/// A removal that is recorded is done, whether the change of the table was counted or not.
fn noted(app: &AppName, counted: Result<(), ReleaseError>) {
    if let Err(error) = counted {
        tracing::warn!(%app, error = %causes(&error), "a removal is not counted");
    }
}

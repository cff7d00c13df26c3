//! What is known of apps and releases while the host runs. The store is the truth; this is its copy with what can't be
//! stored: releases in use, locks.

mod claims;
mod roles;

pub(super) use claims::{Reserved, Unclaimed};

use super::deployment::Deployment;
use super::labels::{self, Claim};
use super::lock_order::{Lock, Rank};
use super::release_handle::ReleaseHandle;
use super::removal::Removed;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use vitrine_bundle::Scale;
use vitrine_core::id::{AppName, ReleaseId, Version, release_label};
use vitrine_core::limits::{DEPLOYMENTS_KEPT_MAX, PROMOTIONS_KEPT_MAX};
use vitrine_store::{BadMark, Pardon, Promotion, PromotionKind, SplitRecord};

/// One app.
#[derive(Debug)]
struct App {
    live: Option<Version>,
    /// Newest first.
    history: Arc<Vec<Promotion>>,
    /// Newest first.
    releases: Vec<Arc<ReleaseHandle>>,
    /// What a share of its users gets instead of the live release.
    split: Option<SplitRecord>,
    /// How many instances an operator wants.
    scale: Option<Scale>,
    /// Newest first.
    deployments: VecDeque<Arc<Deployment>>,
    /// The deploy, among those that went live, that was begun last.
    newest_deploy: Option<(u64, Version)>,
    /// Releases that are or were marked as bad.
    bad: BTreeMap<Version, BadMark>,
    /// Held while the live release changes.
    switching: Lock,
    /// Held while a value of the environment changes.
    configuring: Lock,
}

impl Default for App {
    fn default() -> Self {
        Self {
            live: None,
            history: Arc::default(),
            releases: Vec::new(),
            split: None,
            scale: None,
            deployments: VecDeque::new(),
            newest_deploy: None,
            bad: BTreeMap::new(),
            switching: Lock::new(Rank::Live),
            configuring: Lock::new(Rank::Values),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    apps: BTreeMap<AppName, App>,
    /// What is being uploaded.
    claims: Vec<Claim>,
    /// Uploads under way whose app was removed meanwhile: they are refused at their end.
    revoked: BTreeSet<ReleaseId>,
    /// Names of apps that were removed: no other app's release gets what is below them.
    held: BTreeSet<AppName>,
    /// Apps that were removed and can be restored.
    removed: BTreeMap<AppName, Removed>,
    epoch: u64,
}

impl State {
    /// Whether an app has its name, and the labels below it, for itself.
    fn holds_name(&self, name: &str) -> bool {
        self.apps.get(name).is_some_and(|app| !app.releases.is_empty()) || self.held.contains(name)
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Registry(Mutex<State>);

impl Registry {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every app.
    pub(super) fn names(&self) -> Vec<AppName> {
        self.lock().apps.keys().cloned().collect()
    }

    /// Whether there is such an app.
    pub(super) fn knows(&self, app: &AppName) -> bool {
        self.lock().apps.contains_key(app)
    }

    /// Whether an app has a release.
    pub(super) fn has_releases(&self, app: &AppName) -> bool {
        self.lock().apps.get(app).is_some_and(|app| !app.releases.is_empty())
    }

    /// Makes room for an app; not for one that was removed and is kept.
    pub(super) fn add_app(&self, app: &AppName) {
        let mut state = self.lock();
        if !state.removed.contains_key(app) {
            state.apps.entry(app.clone()).or_default();
        }
    }

    /// Makes room for an app that is restored, with the lock for changing what is live.
    pub(super) fn add_restored(&self, app: &AppName, switching: Lock) {
        self.lock().apps.entry(app.clone()).or_default().switching = switching;
    }

    /// Forgets an app; gives the releases that it had until now. Its uploads under way are refused from now on.
    pub(super) fn remove_app(&self, app: &AppName) -> Vec<Arc<ReleaseHandle>> {
        let mut state = self.lock();
        let State { claims, revoked, .. } = &mut *state;
        let under_way = claims.iter().filter(|claim| claim.release.app == *app);
        revoked.extend(under_way.map(|claim| claim.release.clone()));
        state.apps.remove(app).map(|app| app.releases).unwrap_or_default()
    }

    /// An app that was removed and is kept.
    pub(super) fn removed(&self, app: &AppName) -> Option<Removed> {
        self.lock().removed.get(app).cloned()
    }

    /// Every such app, by name.
    pub(super) fn all_removed(&self) -> Vec<Removed> {
        self.lock().removed.values().cloned().collect()
    }

    /// Keeps removed apps.
    pub(super) fn keep_removed(&self, removed: impl IntoIterator<Item = Removed>) {
        let removed = removed.into_iter().map(|one| (one.record.app.clone(), one));
        self.lock().removed.extend(removed);
    }

    /// An app is kept no longer. A later removal of an app of this name stays.
    pub(super) fn forget_removed(&self, removed: &Removed) {
        let (mut state, app) = (self.lock(), &removed.record.app);
        if state.removed.get(app).is_some_and(|one| one.leaving.is(&removed.leaving)) {
            state.removed.remove(app);
        }
    }

    /// Holds the names of apps that were removed.
    pub(super) fn hold_names(&self, names: impl IntoIterator<Item = AppName>) {
        self.lock().held.extend(names);
    }

    /// Holds the name of a removed app no longer.
    pub(super) fn free_name(&self, app: &AppName) {
        self.lock().held.remove(app);
    }

    /// The label of a release or a preview of an app; none when it belongs to another app, which came later.
    pub(super) fn label(&self, app: &AppName, name: &Version) -> Option<String> {
        let label = release_label(app, name);
        let state = self.lock();
        let holds = |name: &str| name == app.as_str() || state.holds_name(name);
        (labels::owner(&label, holds) == Some(app.as_str())).then_some(label)
    }

    /// Releases of an app, newest first.
    pub(super) fn releases(&self, app: &AppName) -> Vec<Arc<ReleaseHandle>> {
        self.lock().apps.get(app).map(|app| app.releases.clone()).unwrap_or_default()
    }

    /// Every release.
    pub(super) fn entries(&self) -> Vec<Arc<ReleaseHandle>> {
        self.lock().apps.values().flat_map(|app| app.releases.clone()).collect()
    }

    /// One release.
    pub(super) fn release(&self, id: &ReleaseId) -> Option<Arc<ReleaseHandle>> {
        self.releases(&id.app).into_iter().find(|handle| *handle.pool.release() == *id)
    }

    /// Whether a rollback has left a version since it was live.
    pub(super) fn is_rolled_back(&self, app: &AppName, version: &str) -> bool {
        let releases = self.releases(app);
        let of_version = releases.iter().find(|handle| handle.pool.release().version.as_str() == version);
        of_version.is_some_and(|handle| handle.record().rolled_back)
    }

    /// The release that a preview's name leads to.
    pub(super) fn preview(&self, app: &AppName, name: &Version) -> Option<Arc<ReleaseHandle>> {
        self.releases(app).into_iter().find(|handle| handle.record().preview.as_ref() == Some(name))
    }

    /// Adds a release as the newest of its app.
    pub(super) fn add(&self, handle: Arc<ReleaseHandle>) {
        self.lock().apps.entry(handle.id().app).or_default().releases.insert(0, handle);
    }

    /// As [`Registry::add`], for a release that holds a [`Reservation`](claims::Reservation), unless its app was removed since that began. Gives whether
    /// the release is added.
    pub(super) fn take_in(&self, handle: &Arc<ReleaseHandle>) -> bool {
        let (mut state, id) = (self.lock(), handle.id());
        if state.revoked.contains(&id) || state.removed.contains_key(&id.app) {
            return false;
        }
        state.apps.entry(id.app).or_default().releases.insert(0, Arc::clone(handle));
        true
    }

    /// Whether the app of an upload that is under way was removed since that began.
    pub(super) fn is_revoked(&self, id: &ReleaseId) -> bool {
        self.lock().revoked.contains(id)
    }

    /// Forgets a release.
    pub(super) fn remove(&self, id: &ReleaseId) {
        if let Some(app) = self.lock().apps.get_mut(&id.app) {
            app.releases.retain(|handle| *handle.pool.release() != *id);
            app.bad.remove(&id.version);
        }
    }

    /// The live release of an app.
    pub(super) fn live(&self, app: &AppName) -> Option<Arc<ReleaseHandle>> {
        let state = self.lock();
        let app = state.apps.get(app)?;
        let live = app.live.as_ref()?;
        app.releases.iter().find(|handle| handle.pool.release().version == *live).cloned()
    }

    /// Promotions of an app, newest first.
    pub(super) fn history(&self, app: &AppName) -> Arc<Vec<Promotion>> {
        self.lock().apps.get(app).map(|app| Arc::clone(&app.history)).unwrap_or_default()
    }

    /// What a share of an app's users gets instead of the live release.
    pub(super) fn split(&self, app: &AppName) -> Option<SplitRecord> {
        self.lock().apps.get(app)?.split.clone()
    }

    /// Takes a recorded share over.
    pub(super) fn set_split(&self, app: &AppName, split: Option<SplitRecord>) {
        if let Some(app) = self.lock().apps.get_mut(app) {
            app.split = split;
        }
    }

    /// How many instances an operator wants of an app.
    pub(super) fn scale(&self, app: &AppName) -> Option<Scale> {
        self.lock().apps.get(app)?.scale
    }

    /// Takes a recorded number over.
    pub(super) fn set_scale(&self, app: &AppName, scale: Option<Scale>) {
        if let Some(app) = self.lock().apps.get_mut(app) {
            app.scale = scale;
        }
    }

    /// Deployments of an app, newest first.
    pub(super) fn deployments(&self, app: &AppName) -> Vec<Arc<Deployment>> {
        self.lock().apps.get(app).map(|app| app.deployments.iter().cloned().collect()).unwrap_or_default()
    }

    /// Adds a deployment as the newest of its app, and forgets the oldest that is over.
    pub(super) fn add_deployment(&self, deployment: &Arc<Deployment>) {
        let mut state = self.lock();
        let Some(app) = state.apps.get_mut(&deployment.release.app) else { return };
        app.deployments.push_front(Arc::clone(deployment));
        if app.deployments.len() > DEPLOYMENTS_KEPT_MAX {
            let over = app.deployments.iter().rposition(|one| one.standing().progress.is_over());
            over.map(|at| app.deployments.remove(at));
        }
    }

    /// The deploy, among those that went live, that was begun last.
    pub(super) fn newest_deploy(&self, app: &AppName) -> Option<(u64, Version)> {
        self.lock().apps.get(app)?.newest_deploy.clone()
    }

    /// A deploy went live.
    pub(super) fn set_newest_deploy(&self, release: &ReleaseId, number: Option<u64>) {
        let Some(number) = number else { return };
        if let Some(app) = self.lock().apps.get_mut(&release.app)
            && app.newest_deploy.as_ref().is_none_or(|(newest, _)| *newest < number)
        {
            app.newest_deploy = Some((number, release.version.clone()));
        }
    }

    /// Why a release is marked as bad, if it is.
    pub(super) fn bad(&self, release: &ReleaseId) -> Option<String> {
        let mark = self.mark(release)?;
        mark.pardon.is_none().then_some(mark.reason)
    }

    /// Why a release was marked as bad, and the actor that made it live all the same.
    pub(super) fn pardoned(&self, release: &ReleaseId) -> Option<(String, Pardon)> {
        let BadMark { reason, pardon } = self.mark(release)?;
        Some((reason, pardon?))
    }

    fn mark(&self, release: &ReleaseId) -> Option<BadMark> {
        self.lock().apps.get(&release.app)?.bad.get(&release.version).cloned()
    }

    /// Marks a release as bad, or notes that it is so no longer.
    pub(super) fn set_bad(&self, release: &ReleaseId, mark: BadMark) {
        if let Some(app) = self.lock().apps.get_mut(&release.app) {
            app.bad.insert(release.version.clone(), mark);
        }
    }

    /// Sets what is live after a start.
    pub(super) fn restore(&self, app: &AppName, live: Option<Version>, history: Vec<Promotion>) {
        if let Some(app) = self.lock().apps.get_mut(app) {
            app.live = live;
            app.history = Arc::new(history);
        }
    }

    /// Takes a recorded promotion over; gives the release that was live before.
    pub(super) fn promoted(&self, app: &AppName, promotion: Promotion) -> Option<Arc<ReleaseHandle>> {
        let before = self.live(app);
        let mut state = self.lock();
        state.epoch = state.epoch.max(promotion.epoch);
        if let Some(app) = state.apps.get_mut(app) {
            app.live = Some(promotion.version.clone());
            if promotion.kind != PromotionKind::Reconfigure {
                app.split = None;
            }
            let history = Arc::make_mut(&mut app.history);
            history.insert(0, promotion);
            history.truncate(PROMOTIONS_KEPT_MAX as usize);
        }
        before
    }

    /// The lock for changing what is live, and for removing the app. An unknown app has none: the lock is then the caller's own, who
    /// looks again with the lock held.
    pub(super) fn switching(&self, app: &AppName) -> Lock {
        let own = self.lock().apps.get(app).map(|app| app.switching.clone());
        own.unwrap_or_else(|| Lock::new(Rank::Live))
    }

    /// The lock for changing values of its environment, as [`Registry::switching`].
    pub(super) fn configuring(&self, app: &AppName) -> Lock {
        let own = self.lock().apps.get(app).map(|app| app.configuring.clone());
        own.unwrap_or_else(|| Lock::new(Rank::Values))
    }

    /// Epoch of the last change.
    pub(super) fn epoch(&self) -> u64 {
        self.lock().epoch
    }

    /// Takes over the epoch of a recorded change.
    pub(super) fn set_epoch(&self, epoch: u64) {
        let mut state = self.lock();
        state.epoch = state.epoch.max(epoch);
    }
}

#[cfg(test)]
pub(super) mod tests;

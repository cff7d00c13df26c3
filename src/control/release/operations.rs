//! The operations of [`Releases`]: most are one call of the type that carries it out.

use super::{
    AppSummary, AppView, AppsPage, CacheStats, CacheWhy, CachedPage, ChangePermit, EnvChange, EnvView,
    ExplainedRoute, Inner, Parts, PromoteOptions, PurgeWish, Quiesced, Records, ReleaseError, ReleaseView,
    Releases, RemoveOptions, RemovedView, RendersGreen, RequestToExplain, RoutingView, Switched, Tail,
    UploadOptions, Uploaded, WakeError, reaper,
};
use std::sync::Arc;
use std::time::Duration;
use vitrine_bundle::{Bundle, BundleDir, Scale};
use vitrine_cache::Cache;
use vitrine_core::config::Isolation;
use vitrine_core::id::{AppName, Digest, ReleaseId, Version};
use vitrine_engine::EngineError;
use vitrine_proxy::pool::Pool;
use vitrine_proxy::route::guard::Guard;
use vitrine_proxy::route::split::Weight;
use vitrine_proxy::worker::OwnOrigin;
use vitrine_store::{EnvEdit, EnvScope, Store};

/// The host's own: start, end, upgrade.
impl Releases {
    /// Loads what is recorded, adopts the workers that still run, and publishes the first route table. A request for a release that
    /// has no worker yet starts one and waits for it, and operators may change everything from now on.
    ///
    /// # Errors
    /// [`ReleaseError::Store`].
    pub async fn open(parts: Parts) -> Result<Self, ReleaseError> {
        let records = Records::new(parts.store.clone()).by_host();
        let releases = Self(Arc::new(Inner::compose(&parts)), records);
        releases.0.routing.load(&releases.1).await?;
        releases.0.recovery.adopt().await?;
        Ok(releases)
    }

    /// The same control plane, with its changes recorded through this handle of the store: as its actor's.
    #[must_use]
    pub fn through(&self, store: Store) -> Self {
        Self(Arc::clone(&self.0), Records::new(store))
    }

    /// Boots the live releases that have no worker, goes on with what an earlier host began, and keeps everything in order from
    /// then on. Once. A release that can't be booted is logged and tried again.
    pub async fn bring_up(&self) {
        self.0.recovery.finish_start().await;
        tokio::spawn(reaper::run(Arc::downgrade(&self.0.reaper)));
        tokio::spawn(self.0.routing.clone().keep_fresh());
        self.0.supervisor.report_metrics();
    }

    /// Tells where users reach the edge, for the URLs in views.
    pub fn set_public(&self, public: (&'static str, u16)) {
        self.0.urls.set_public(public);
    }

    /// Names what answers apps' calls to themselves.
    pub fn answer_own(&self, edge: Arc<dyn OwnOrigin>) {
        self.0.supervisor.answer_own(edge);
    }

    /// Names what renders pages of releases before users get them.
    pub fn render_green_by(&self, renderer: Arc<dyn RendersGreen>) {
        self.0.green.set(renderer);
    }

    /// The password of releases that users never got.
    #[must_use]
    pub fn guard(&self) -> Option<Arc<Guard>> {
        self.0.urls.guard()
    }

    /// Whether every live release has a worker that serves; the reason otherwise.
    ///
    /// # Errors
    /// The first live release without a worker.
    pub fn ready(&self) -> Result<(), String> {
        for app in self.0.registry.names() {
            let Some(live) = self.0.registry.live(&app) else { continue };
            if !live.pool.is_ready() {
                return Err(format!("{} has no worker that serves", live.id()));
            }
        }
        Ok(())
    }

    /// Stops every worker: the end of a host that does not leave them running.
    pub async fn stop_workers(&self) {
        self.0.supervisor.stop_all().await;
    }

    /// A turn for a change that is asked for; none when another host has taken over.
    pub async fn turn(&self) -> Option<ChangePermit> {
        self.0.turns.permit().await
    }

    /// Ends the workers that a successor started and left when it failed.
    pub async fn sweep_after_failure(&self) {
        self.0.supervisor.end_orphans().await;
    }

    /// Lets the control plane rest, once what is under way is done; nothing if that takes longer than `patience`.
    pub async fn pause(&self, patience: Duration) -> Option<Quiesced> {
        self.0.turns.pause(patience).await
    }

    /// Starts the worker of a sleeping release and waits until it serves, for [`WAKE_DEADLINE_MS`](vitrine_core::limits::WAKE_DEADLINE_MS) at most. Coalesced and bounded.
    ///
    /// # Errors
    /// See [`WakeError`].
    pub async fn wake(&self, release: &ReleaseId) -> Result<Arc<Pool>, WakeError> {
        self.0.supervisor.wake(release).await
    }
}

/// The cache.
impl Releases {
    /// The cache of pages and of what apps fetch, if there is one.
    #[must_use]
    pub fn cache(&self) -> Option<&Arc<Cache>> {
        self.0.cache.cache.as_ref()
    }

    /// Purges what it holds of an app.
    ///
    /// # Errors
    /// [`ReleaseError::NoApp`], [`ReleaseError::Purge`], [`ReleaseError::Store`]: purged, and not on the record.
    pub async fn purge_cache(&self, app: &AppName, wish: &PurgeWish) -> Result<(), ReleaseError> {
        self.0.cache.purge(&self.1, app, wish).await
    }

    /// Why it holds a page, or does not.
    ///
    /// # Errors
    /// [`ReleaseError::NoApp`].
    pub fn why_cached(&self, app: &AppName, page: &CachedPage) -> Result<CacheWhy, ReleaseError> {
        self.0.cache.why(app, page)
    }

    /// What it does for an app.
    ///
    /// # Errors
    /// [`ReleaseError::NoApp`].
    pub fn cache_stats(&self, app: &AppName) -> Result<CacheStats, ReleaseError> {
        self.0.cache.stats(app)
    }
}

/// What is looked at.
impl Releases {
    /// Lines of an app's log, and those to come.
    ///
    /// # Errors
    /// [`ReleaseError::NoApp`], [`ReleaseError::LogBusy`].
    pub async fn logs(&self, app: &AppName, follow: bool) -> Result<Tail, ReleaseError> {
        if !self.0.registry.knows(app) {
            return Err(self.0.registry.no_app(app));
        }
        Ok(self.0.app_logs.tail(app, follow).await?)
    }

    /// One app.
    ///
    /// # Errors
    /// [`ReleaseError::NoApp`], [`ReleaseError::NoReleases`].
    pub fn app(&self, app: &AppName) -> Result<AppView, ReleaseError> {
        self.0.views.app(app)
    }

    /// One release.
    ///
    /// # Errors
    /// [`ReleaseError::NoApp`], [`ReleaseError::NoRelease`].
    pub fn release(&self, id: &ReleaseId) -> Result<ReleaseView, ReleaseError> {
        self.0.views.release(id)
    }

    /// Whether a release is a preview that users never got.
    ///
    /// # Errors
    /// [`ReleaseError::NoApp`], [`ReleaseError::NoRelease`].
    pub fn is_preview(&self, id: &ReleaseId) -> Result<bool, ReleaseError> {
        self.0.views.is_preview(id)
    }

    /// Apps that have a release.
    pub fn apps(&self, page: &AppsPage, may_be_shown: impl Fn(&AppName) -> bool) -> Vec<AppView> {
        self.0.views.apps(page, may_be_shown)
    }

    /// As [`Releases::apps`], without what each release is like.
    pub fn app_summaries(&self, page: &AppsPage, may_be_shown: impl Fn(&AppName) -> bool) -> Vec<AppSummary> {
        self.0.views.app_summaries(page, may_be_shown)
    }

    /// What an operator is to know if the first release of this app has just taken the bare domain, or host names of releases, from
    /// other apps. They are named if they `may_be_shown`.
    #[must_use]
    pub fn names_lost_to(&self, app: &AppName, may_be_shown: impl Fn(&AppName) -> bool) -> Vec<String> {
        let apex = self.0.views.apex_lost_to(app, &may_be_shown);
        apex.into_iter().chain(self.0.views.labels_lost_to(app, &may_be_shown)).collect()
    }

    /// Which kind of workers there are.
    #[must_use]
    pub fn isolation(&self) -> Isolation {
        self.0.supervisor.0.engine.isolation()
    }

    /// Whether what runs workers answers.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn check_engine(&self) -> Result<(), EngineError> {
        self.0.supervisor.0.engine.check().await
    }

    /// Whether a rollback has left this version since it was live.
    #[must_use]
    pub fn is_rolled_back(&self, app: &AppName, version: &str) -> bool {
        self.0.registry.is_rolled_back(app, version)
    }

    /// Apps that were removed and can be restored, by name.
    #[must_use]
    pub fn removed_apps(&self, may_be_shown: impl Fn(&AppName) -> bool) -> Vec<RemovedView> {
        self.0.remover.removed_apps(may_be_shown)
    }

    /// The release that a version or a preview's name leads to; what is unknown stays as it is.
    #[must_use]
    pub fn named(&self, release: ReleaseId) -> ReleaseId {
        self.0.registry.named(release)
    }

    /// What the switch of this epoch did, if it is remembered.
    pub fn switched_in(&self, app: &AppName, epoch: u64) -> Option<Switched> {
        self.0.switcher.switched_in(app, epoch)
    }

    /// What the change of this epoch did that gave a release a share of the users.
    pub fn shared_in(&self, release: ReleaseId, weight: u8, epoch: u64) -> Switched {
        self.0.switcher.shared_in(release, weight, epoch)
    }

    /// Whether an unfinished deployment needs a release: it is its own, or the one to go back to.
    #[must_use]
    pub fn is_baking(&self, id: &ReleaseId) -> bool {
        self.0.registry.is_baking(id)
    }

    /// Number and version of the deploy, among those that went live, that was begun last.
    #[must_use]
    pub fn newest_deploy(&self, app: &AppName) -> Option<(u64, Version)> {
        self.0.registry.newest_deploy(app)
    }

    /// Names (and plain values) of an app's environment: what the next release or preview gets, and what the live release still
    /// has of an earlier revision.
    ///
    /// # Errors
    /// [`ReleaseError::NoApp`].
    pub async fn env(&self, app: &AppName, scope: EnvScope) -> Result<Vec<EnvView>, ReleaseError> {
        self.0.environment.env(app, scope).await
    }
}

/// Routing rules.
impl Releases {
    /// The rules in force.
    ///
    /// # Errors
    /// See [`RoutingError`](super::RoutingError).
    pub fn routing(&self) -> Result<RoutingView, ReleaseError> {
        self.0.routing.view()
    }

    /// Sets rules in the place of those in force, as one change.
    ///
    /// # Errors
    /// See [`RoutingError`](super::RoutingError); nothing has changed then.
    pub async fn set_routing(&self, text: String) -> Result<(), ReleaseError> {
        self.0.routing.set(&self.1, text).await
    }

    /// Undoes the newest rules that were set.
    ///
    /// # Errors
    /// See [`RoutingError`](super::RoutingError); nothing has changed then.
    pub async fn undo_routing(&self) -> Result<(), ReleaseError> {
        self.0.routing.undo(&self.1).await
    }

    /// Undoes all rules that were set.
    ///
    /// # Errors
    /// See [`RoutingError`](super::RoutingError); nothing has changed then.
    pub async fn reset_routing(&self) -> Result<(), ReleaseError> {
        self.0.routing.reset(&self.1).await
    }

    /// Which rule decides a request, and why those before it do not.
    ///
    /// # Errors
    /// See [`RoutingError`](super::RoutingError).
    pub fn explain_route(&self, request: &RequestToExplain) -> Result<ExplainedRoute, ReleaseError> {
        self.0.routing.explain(request)
    }
}

/// What is changed.
impl Releases {
    /// A deploy begins: gives its number. One that begins later has a larger one, also after a restart.
    #[must_use]
    pub fn begin_deploy(&self) -> u64 {
        self.0.deployer.begin_deploy()
    }

    /// Takes a checked bundle in: stores it, boots its worker, warms it. The staging folder is moved from when the bundle
    /// is new, and otherwise left to the caller.
    ///
    /// # Errors
    /// See [`ReleaseError`]; nothing is stored then and the version stays free.
    pub async fn upload(
        &self,
        app: AppName,
        version: Option<Version>,
        staged: (BundleDir, Bundle),
        options: UploadOptions,
    ) -> Result<Uploaded, ReleaseError> {
        self.0.uploader.through(&self.1).upload(app, version, staged, options).await
    }

    /// Whether [`Releases::upload`] would take this in now, as far as its name, its content and the quota go. `may_promote` is whether its
    /// sender may decide what users get. Holds nothing: the upload looks again.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn check_upload(
        &self,
        release: ReleaseId,
        preview: Option<Version>,
        digest: Digest,
        bytes: u64,
        may_promote: bool,
    ) -> Result<(), ReleaseError> {
        self.0.uploader.through(&self.1).check_upload(release, preview, digest, bytes, may_promote).await
    }

    /// Makes a release live; boots it first if it sleeps. Returns once persisted and swapped; the bake goes on behind.
    ///
    /// # Errors
    /// See [`ReleaseError`]; nothing has changed then. A deploy is refused when one that began later went live, or when its
    /// release is marked as bad.
    pub async fn promote(
        &self,
        release: ReleaseId,
        options: PromoteOptions,
    ) -> Result<Switched, ReleaseError> {
        self.0.deployer.through(&self.1).promote(release, options).await
    }

    /// Gives a release a share of the users, or changes its share; boots it first if it sleeps. Returns once persisted and
    /// swapped. A plain promotion or a rollback ends it.
    ///
    /// # Errors
    /// See [`ReleaseError`]; refused while another release has a share, or without a live one to share with.
    pub async fn promote_weighted(
        &self,
        release: ReleaseId,
        weight: Weight,
        options: PromoteOptions,
    ) -> Result<Switched, ReleaseError> {
        self.0.switcher.through(&self.1).promote_weighted(release, weight, options).await
    }

    /// Makes an earlier release live: `to`, or the newest earlier live one that was not itself rolled back from. While another
    /// release has a share of the users, that is the live one, and the other is rolled back from.
    ///
    /// # Errors
    /// See [`ReleaseError`]; `from` that is not live is refused.
    pub async fn rollback(
        &self,
        app: AppName,
        to: Option<Version>,
        from: Option<Version>,
    ) -> Result<Switched, ReleaseError> {
        self.0.switcher.through(&self.1).rollback(app, to, from).await
    }

    /// Removes one release that is not live.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn remove(&self, release: ReleaseId) -> Result<(), ReleaseError> {
        self.0.remover.through(&self.1).remove(release).await
    }

    /// Removes a release that the upload of this deploy took in, unless another caller was told since that it is there, or its name is
    /// another release's by now. Gives whether it is removed.
    ///
    /// # Errors
    /// As [`Releases::remove`].
    pub async fn undo_upload(&self, release: &ReleaseId, deploy: u64) -> Result<bool, ReleaseError> {
        self.0.remover.through(&self.1).undo_upload(release, deploy).await
    }

    /// Removes an app. It is kept for [`REMOVED_KEPT_MS`](vitrine_core::limits::REMOVED_KEPT_MS), unless `how` says otherwise; its name stays held for it, or is free with
    /// `free_name`. One that was removed before can be dropped for good.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn remove_app(&self, app: AppName, how: RemoveOptions) -> Result<(), ReleaseError> {
        self.0.remover.through(&self.1).remove_app(app, how).await
    }

    /// Brings a removed app back with its releases, values and history; the release that was live is live again. Where its deployment was
    /// on its way, that goes on as after a start of the host: its bake begins anew. A worker that does not come up is logged and is no
    /// error: requests start it again.
    ///
    /// # Errors
    /// See [`ReleaseError`]; the app is kept as it was then.
    pub async fn restore_app(&self, app: AppName) -> Result<AppView, ReleaseError> {
        self.0.recovery.through(&self.1).restore_app(app).await
    }

    /// Sets how many instances an app has, whatever its bundles ask for, or leaves it to them again; returns once its releases have
    /// them. The number is kept even where a start fails: the patrol tries again.
    ///
    /// # Errors
    /// [`ReleaseError::NoApp`], [`ReleaseError::Refused`] above what the host allows; what made a start fail.
    pub async fn set_scale(&self, app: &AppName, scale: Option<Scale>) -> Result<(), ReleaseError> {
        self.0.supervisor.set_scale(&self.1, app, scale).await
    }

    /// Changes values. When a release is live that reads one of them, a new release of the same bundle with the new values is booted
    /// and made live; a share of the users that another release has stays, and so does a bake. Values of previews are for those that
    /// come.
    ///
    /// # Errors
    /// See [`ReleaseError`]; the values are as before then. Values may be set before the first release, so only
    /// unsetting one of an unknown app is [`ReleaseError::NoApp`].
    pub async fn change_env(
        &self,
        app: AppName,
        scope: EnvScope,
        change: EnvEdit,
    ) -> Result<EnvChange, ReleaseError> {
        self.0.environment.through(&self.1).change_env(app, scope, change).await
    }
}

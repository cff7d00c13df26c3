//! Deployments carried out: the caller waits for the stages up to the switch, the rest goes on in the background.

use super::bake::{Stability, Verdict, judge};
use super::{Deployment, Event, Work, hooks};
use crate::release::environment::Before;
use crate::release::release_handle::ReleaseHandle;
use crate::release::{DeployPhase, PromoteOptions, ReleaseError, Releases, ShareView, Switched};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use vitrine_core::config::HookStage;
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::id::{AppName, Digest, ReleaseId, Version};
use vitrine_core::limits::{BAKE_EXTENSIONS_MAX, BAKE_TICK_MS};
use vitrine_core::telemetry::{Figures, error_chain};
use vitrine_store::PromotionKind;

/// How a bake ended.
enum Baked {
    Passed,
    Failed(String),
    /// It waits for a person, or the deployment is over.
    Left,
}

impl Releases {
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
        let handle = self.find_content(&release, options.digest)?;
        self.refuse_deploy(&release, options.deploy)?;
        match self.is_live(&handle) {
            true => self.stay_live(&handle, options).await,
            false => self.deploy(handle, None, options).await,
        }
    }

    /// A release, which must have this content if one is asked for.
    pub(in crate::release) fn find_content(
        &self,
        release: &ReleaseId,
        digest: Option<Digest>,
    ) -> Result<Arc<ReleaseHandle>, ReleaseError> {
        let handle = self.find(release)?;
        let existing = handle.record().digest;
        match digest {
            Some(digest) if digest != existing => Err(ReleaseError::Refused(format!(
                "`{release}` has other content ({existing}) than what was to be promoted ({digest}): its name was given to another \
                 release"
            ))),
            _ => Ok(handle),
        }
    }

    /// Makes a release live in the place of this one, and of no other.
    pub(in crate::release) async fn promote_after(
        &self,
        handle: &Arc<ReleaseHandle>,
        live: &Arc<ReleaseHandle>,
        boot_deadline: Duration,
    ) -> Result<Switched, ReleaseError> {
        let options = PromoteOptions { boot_deadline, deploy: None, digest: None, observer: None };
        self.deploy(Arc::clone(handle), Some(live), options).await
    }

    /// It is live already. An operator who promotes it says that it is good: no other has a share of its users then, and its
    /// deployment waits no longer.
    async fn stay_live(
        &self,
        handle: &Arc<ReleaseHandle>,
        options: PromoteOptions,
    ) -> Result<Switched, ReleaseError> {
        let release = handle.id();
        self.ensure_worker(handle, options.boot_deadline, true).await?;
        let switching = self.0.registry.switching(&release.app);
        let _switching = switching.lock().await;
        self.still_live(handle)?;
        self.refuse_deploy(&release, options.deploy)?;
        self.went_live(&release, options.deploy);
        if options.deploy.is_none() {
            self.pardon(handle).await;
            self.approve(handle);
        }
        match self.0.registry.split(&release.app) {
            Some(_) => self.switch(handle, PromotionKind::Promote, None).await,
            None => Ok(self.switched(&release, Some(release.version.clone()), self.0.registry.epoch())),
        }
    }

    /// Carries a deployment out; what comes after the switch goes on behind.
    async fn deploy(
        &self,
        handle: Arc<ReleaseHandle>,
        after: Option<&Arc<ReleaseHandle>>,
        options: PromoteOptions,
    ) -> Result<Switched, ReleaseError> {
        let release = handle.id();
        let previous = self.0.registry.live(&release.app).map(|live| live.id().version);
        let begun_ms = self.0.parts.clock.now_ms();
        let deployment = Arc::new(Deployment::pending(release, previous, options.deploy, begun_ms));
        self.0.registry.add_deployment(&deployment);
        let mut before = None;
        let mut switched = self.run_until_switch(&handle, after, &deployment, &options, &mut before).await;
        self.settle_values(&handle, before).await;
        match &mut switched {
            Err(error) => deployment.happens(Event::Failed, Some(error_chain(error))),
            Ok(switched) => {
                // As the caller's change; the stages behind the switch are the host's own.
                self.pardon(&handle).await;
                if let Some(previous) = deployment.standing().previous {
                    switched.bake_time_ms = self.0.parts.config.deploy.bake_time_ms;
                    switched.baked_against = Some(previous.to_string());
                }
                let releases = self.by_host();
                tokio::spawn(async move { releases.finish_in_background(&handle, &deployment).await });
            }
        }
        switched
    }

    /// Whether a deploy comes too late, or brings what is known to be bad. An operator's own promotion may do both.
    fn refuse_deploy(&self, release: &ReleaseId, deploy: Option<u64>) -> Result<(), ReleaseError> {
        let Some(number) = deploy else { return Ok(()) };
        if failpoint::at("deploy.order") == Some(Fault::Skip) {
            return Ok(());
        }
        if let Some((newest, version)) = self.0.registry.newest_deploy(&release.app)
            && newest > number
        {
            return Err(ReleaseError::Superseded { release: release.clone(), by: version });
        }
        match self.0.registry.bad(release) {
            None => Ok(()),
            Some(reason) => Err(ReleaseError::Refused(format!(
                "`{release}` is marked as bad ({reason}); deploy another version, or take the mark off with \
                 `vitrine promote {} {}`",
                release.app, release.version
            ))),
        }
    }

    /// Goes through the stages up to the switch. `before` is what the release ran with until its promotion gave it other values.
    async fn run_until_switch(
        &self,
        handle: &Arc<ReleaseHandle>,
        after: Option<&Arc<ReleaseHandle>>,
        deployment: &Arc<Deployment>,
        options: &PromoteOptions,
        before: &mut Option<Before>,
    ) -> Result<Switched, ReleaseError> {
        let release = handle.id();
        let entered = |phase| options.observer.iter().for_each(|observer| observer.entered(phase));
        loop {
            let standing = deployment.standing();
            match standing.progress.work() {
                Some(Work::Start) => {
                    *before = self.ready_for_users(handle, options.boot_deadline).await?;
                    self.refuse_unwell(handle).await?;
                }
                Some(Work::HooksBeforeTraffic) => {
                    entered(DeployPhase::Hooks);
                    let call = self.call(deployment, HookStage::BeforeTraffic);
                    let hooks = hooks::run(&self.0.parts.config.hook, &call);
                    self.with_own_name(handle, hooks).await.map_err(ReleaseError::Refused)?;
                }
                Some(Work::Shift) => {
                    entered(DeployPhase::Switching);
                    let switching = self.0.registry.switching(&release.app);
                    let _switching = switching.lock().await;
                    self.refuse_deploy(&release, deployment.number)?;
                    if let Some(after) = after {
                        self.still_live(after)?;
                    }
                    if self.is_live(handle) {
                        let text = format!("another promotion made `{release}` live meanwhile");
                        return Err(ReleaseError::Refused(text));
                    }
                    let (previous, baseline) = self.compared_with(&release.app, after);
                    deployment.replaces(previous, baseline);
                    let record = deployment.shifted_record(self.0.registry.newest_deploy(&release.app));
                    let kind = match after {
                        Some(_) => PromotionKind::Reconfigure,
                        None => PromotionKind::Promote,
                    };
                    let mut switched = self.switch(handle, kind, Some(record)).await?;
                    switched.share = self.0.registry.split(&release.app).map(ShareView::from);
                    self.went_live(&release, deployment.number);
                    deployment.happens(Event::Passed, None);
                    return Ok(switched);
                }
                _ => {}
            }
            deployment.happens(Event::Passed, None);
            if deployment.standing().progress.is_over() {
                self.refuse_deploy(&release, deployment.number)?;
                let by = self
                    .0
                    .registry
                    .live(&release.app)
                    .map_or(release.version.clone(), |live| live.id().version);
                return Err(ReleaseError::Superseded { release, by });
            }
        }
    }

    /// The release that one is compared with that is about to become live, and its figures. Where only the values of `after` are
    /// changed while that one bakes, the bake goes on: it is what `after` is compared with.
    fn compared_with(&self, app: &AppName, after: Option<&Arc<ReleaseHandle>>) -> (Option<Version>, Figures) {
        let bakes = |after: &Arc<ReleaseHandle>| {
            let of_it = self.0.registry.deployments(app).into_iter().find(|one| one.release == after.id())?;
            let standing = of_it.standing();
            let bakes = standing.progress.has_shifted() && !standing.progress.is_over();
            (bakes && standing.previous.is_some()).then_some((standing.previous, standing.baseline))
        };
        after.and_then(bakes).unwrap_or_else(|| {
            let live = self.0.registry.live(app);
            let baseline = live.as_ref().map(|live| self.recent_figures(live)).unwrap_or_default();
            (live.map(|live| live.id().version), baseline)
        })
    }

    /// The deploy of this number is where users are: those that began before it and have not come to their switch end where they
    /// are.
    fn went_live(&self, release: &ReleaseId, number: Option<u64>) {
        self.0.registry.set_newest_deploy(release, number);
        for one in self.0.registry.deployments(&release.app) {
            let progress = one.standing().progress;
            let earlier = one.number.zip(number).is_some_and(|(one, this)| one < this);
            if earlier && !progress.has_shifted() && !progress.is_over() {
                one.happens(Event::Superseded, Some(format!("`{}` went live", release.version)));
            }
        }
    }

    pub(super) fn is_live(&self, handle: &Arc<ReleaseHandle>) -> bool {
        self.0.registry.live(&handle.id().app).is_some_and(|live| Arc::ptr_eq(&live, handle))
    }

    /// A person says that the live release is good: its deployment waits no longer.
    fn approve(&self, handle: &Arc<ReleaseHandle>) {
        let id = handle.id();
        let waiting = self
            .0
            .registry
            .deployments(&id.app)
            .into_iter()
            .find(|one| one.release == id && one.standing().waits && !one.standing().progress.is_over());
        if let Some(deployment) = waiting {
            let (releases, handle) = (self.by_host(), Arc::clone(handle));
            deployment.note("an operator promoted it again while it waited".into(), false);
            tokio::spawn(async move {
                releases.after_bake(&deployment).await;
                releases.finish_in_background(&handle, &deployment).await;
            });
        }
    }

    /// Goes through the stages after the switch, and back if one of them fails.
    pub(in crate::release) async fn finish_in_background(
        &self,
        handle: &Arc<ReleaseHandle>,
        deployment: &Arc<Deployment>,
    ) {
        if !self.is_going_back(deployment) {
            self.pardon(handle).await;
        }
        loop {
            match deployment.standing().progress.work() {
                Some(Work::HooksAfterTraffic) => {
                    let call = self.call(deployment, HookStage::AfterTraffic);
                    match hooks::run(&self.0.parts.config.hook, &call).await {
                        Ok(()) => deployment.happens(Event::Passed, None),
                        Err(why) => deployment.happens(Event::Failed, Some(why)),
                    }
                }
                Some(Work::Bake) => match self.bake(handle, deployment).await {
                    Baked::Passed => self.after_bake(deployment).await,
                    Baked::Failed(why) => deployment.happens(Event::Failed, Some(why)),
                    Baked::Left => break,
                },
                _ if self.is_going_back(deployment) => {
                    // Not while the folder is lent; after a hand-over the other host sees it through.
                    let Some(_turn) = self.0.turns.take().await else { return };
                    self.go_back(handle, deployment).await;
                    break;
                }
                _ if deployment.standing().progress.is_over() => break,
                _ => deployment.happens(Event::Passed, None),
            }
        }
        let standing = deployment.standing();
        tracing::info!(release = %deployment.release, stage = ?standing.progress.stage, status = ?standing.progress.status,
            reason = standing.reason, "a deployment");
        self.record(deployment).await;
    }

    async fn after_bake(&self, deployment: &Arc<Deployment>) {
        let call = self.call(deployment, HookStage::AfterBake);
        match hooks::run(&self.0.parts.config.hook, &call).await {
            Ok(()) => deployment.happens(Event::Passed, None),
            Err(why) => deployment.happens(Event::Failed, Some(why)),
        }
    }

    /// Compares the release with the one before it until there is a verdict, or a person is needed.
    async fn bake(&self, handle: &Arc<ReleaseHandle>, deployment: &Arc<Deployment>) -> Baked {
        let rule = &self.0.parts.config.deploy;
        let bake_time = Duration::from_millis(rule.bake_time_ms);
        if bake_time.is_zero() || !deployment.standing().progress.has_previous {
            return Baked::Passed;
        }
        let (id, series, begun) = (handle.id(), handle.pool.series(), Instant::now());
        let before = series.sample();
        let mut end = begun + bake_time;
        let mut extensions = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(BAKE_TICK_MS)).await;
            let standing = deployment.standing();
            if standing.progress.work() != Some(Work::Bake) {
                return Baked::Left;
            }
            let green = series.sample().since(&before);
            let stability = Stability {
                crashes: handle.crashes_since(begun),
                start_failed: handle.life().failed_starts() > 0,
            };
            let over = Instant::now() >= end;
            let verdict = match failpoint::at("bake.judge") {
                Some(Fault::Skip) => Verdict::Pass,
                _ => judge(&green, &standing.baseline, stability, rule, over),
            };
            match verdict {
                Verdict::Pass => return Baked::Passed,
                Verdict::Fail(why) => return Baked::Failed(why),
                Verdict::Inconclusive(_) if !over => {}
                Verdict::Inconclusive(why) if extensions < BAKE_EXTENSIONS_MAX => {
                    extensions += 1;
                    end += bake_time;
                    deployment.note(format!("inconclusive, the bake goes on ({extensions}): {why}"), false);
                }
                Verdict::Inconclusive(why) => {
                    let text = format!(
                        "inconclusive, and it waits for you: {why}; `vitrine promote {} {}` keeps it, `vitrine rollback {}` \
                         goes back",
                        id.app, id.version, id.app
                    );
                    deployment.note(text, true);
                    return Baked::Left;
                }
            }
        }
    }

    /// Records how far a deployment has come. That of an app that was removed meanwhile stays recorded as it was before.
    pub(super) async fn record(&self, deployment: &Arc<Deployment>) {
        let known = self.0.registry.deployments(&deployment.release.app);
        if !known.iter().any(|one| Arc::ptr_eq(one, deployment)) {
            return;
        }
        let record = deployment.record(self.0.registry.newest_deploy(&deployment.release.app));
        if let Err(error) =
            self.stored("recording a deployment", move |store| store.set_deployment(&record)).await
        {
            tracing::warn!(release = %deployment.release, error = %error_chain(&error), "a deployment is not recorded");
        }
    }

    /// Takes up the recorded deployment of an app, which counts from now on. Gives it with its release if it is on its way:
    /// [`Releases::go_on`] sees it through.
    pub(in crate::release) async fn load_deployment(
        &self,
        app: &AppName,
    ) -> Result<Option<(Arc<ReleaseHandle>, Arc<Deployment>)>, ReleaseError> {
        let of = app.clone();
        let recorded = self.stored("reading the deployments", move |store| store.deployment(&of)).await?;
        let Some(record) = recorded else { return Ok(None) };
        if let Some((number, version)) = record.newest_deploy.clone() {
            // The clock may have been set back since.
            self.0.last_deploy.fetch_max(number, Ordering::SeqCst);
            self.0.registry.set_newest_deploy(&ReleaseId::new(app.clone(), version), Some(number));
        }
        let deployment = Arc::new(Deployment::recorded(record));
        self.0.registry.add_deployment(&deployment);
        let Some(live) = self.0.registry.live(app) else { return Ok(None) };
        if live.id() != deployment.release {
            deployment.happens(Event::Superseded, None);
            return Ok(None);
        }
        Ok((!deployment.standing().progress.is_over()).then_some((live, deployment)))
    }

    /// Number and version of the deploy, among those that went live, that was begun last.
    #[must_use]
    pub fn newest_deploy(&self, app: &AppName) -> Option<(u64, Version)> {
        self.0.registry.newest_deploy(app)
    }

    /// Goes on with the deployments that an earlier host left on their way.
    pub(in crate::release) fn resume(&self) {
        let left = std::mem::take(&mut *self.0.left_over.lock().unwrap_or_else(PoisonError::into_inner));
        for (live, deployment) in left {
            self.go_on(live, deployment);
        }
    }

    /// Sees a deployment through that was left on its way, unless an operator ended it meanwhile: its bake begins anew.
    pub(in crate::release) fn go_on(&self, live: Arc<ReleaseHandle>, deployment: Arc<Deployment>) {
        if !deployment.standing().progress.is_over() {
            let releases = self.by_host();
            tokio::spawn(async move { releases.finish_in_background(&live, &deployment).await });
        }
    }

    /// Tells the deployments of an app that another release is live: those under way are over. The caller holds the switching
    /// lock.
    pub(in crate::release) fn supersede(&self, live: &ReleaseId, left: &Version, kind: PromotionKind) {
        for one in self.0.registry.deployments(&live.app) {
            let progress = one.standing().progress;
            if one.release == *live || progress.is_over() || !progress.has_shifted() {
                continue;
            }
            let live = &live.version;
            let (event, reason) = match kind {
                PromotionKind::Rollback if *left == one.release.version => {
                    (Event::RolledBackFrom, format!("rolled back to `{live}`"))
                }
                PromotionKind::Reconfigure => (
                    Event::Superseded,
                    format!("its values changed: `{live}` went live and goes on with the bake"),
                ),
                _ => (Event::Superseded, format!("`{live}` went live")),
            };
            one.happens(event, Some(reason));
        }
    }

    /// Whether an unfinished deployment needs a release: it is its own, or the one to go back to.
    #[must_use]
    pub fn is_baking(&self, id: &ReleaseId) -> bool {
        self.0.registry.deployments(&id.app).iter().any(|one| {
            let standing = one.standing();
            !standing.progress.is_over()
                && (one.release == *id || standing.previous.as_ref() == Some(&id.version))
        })
    }

    /// Figures of a release in the last minutes.
    fn recent_figures(&self, handle: &ReleaseHandle) -> Figures {
        handle.pool.series().sample().since(&handle.window().beginning())
    }

    fn call(&self, deployment: &Deployment, stage: HookStage) -> hooks::Call {
        let ReleaseId { app, version } = &deployment.release;
        hooks::Call {
            app: app.to_string(),
            version: version.to_string(),
            previous: deployment.standing().previous.map(|version| version.to_string()),
            stage,
            url: self.0.registry.label(app, version).map(|label| self.url(&label)),
        }
    }
}

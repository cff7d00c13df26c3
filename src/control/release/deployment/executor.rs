//! Deployments carried out: the caller waits for the stages up to the switch, the rest goes on in the background.

use super::bake::{Stability, Verdict, judge};
use super::{Deployment, Event, Work, hooks};
use crate::release::green_pages::GreenRenderer;
use crate::release::publisher::RoutePublisher;
use crate::release::quiesce::ChangeGate;
use crate::release::records::Records;
use crate::release::registry::Registry;
use crate::release::release_handle::ReleaseHandle;
use crate::release::supervisor::WorkerSupervisor;
use crate::release::switch::Switcher;
use crate::release::urls::Urls;
use crate::release::values::Before;
use crate::release::{DeployPhase, PromoteOptions, ReleaseError, ShareView, Switched};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use vitrine_core::audit::{self, AuditAction, AuditResult};
use vitrine_core::clock::Clock;
use vitrine_core::config::Config;
use vitrine_core::config::HookStage;
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::id::ReleaseId;
use vitrine_core::limits::{BAKE_EXTENSIONS_MAX, BAKE_TICK_MS};
use vitrine_store::PromotionKind;

/// How a bake ended.
enum Baked {
    Passed,
    Failed(String),
    /// It waits for a person, or the deployment is over.
    Left,
}

/// See the module. Cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::release) struct Deployer {
    pub registry: Arc<Registry>,
    pub records: Records,
    pub config: Arc<Config>,
    pub clock: Clock,
    pub turns: ChangeGate,
    pub urls: Urls,
    pub supervisor: WorkerSupervisor,
    pub publisher: RoutePublisher,
    pub switcher: Switcher,
    pub green: GreenRenderer,
    /// Number of the deploy that began last.
    pub last_deploy: Arc<AtomicU64>,
}

impl Deployer {
    /// The same, with its changes recorded on behalf of another actor.
    pub(in crate::release) fn through(&self, records: &Records) -> Self {
        Self { records: records.clone(), switcher: self.switcher.through(records), ..self.clone() }
    }

    /// See [`Releases::begin_deploy`](crate::release::Releases::begin_deploy).
    pub(in crate::release) fn begin_deploy(&self) -> u64 {
        let now_ms = self.clock.now_ms();
        let next = |last: u64| (last + 1).max(now_ms);
        let before =
            self.last_deploy.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(next(last)));
        next(before.unwrap_or_default())
    }

    /// See [`Releases::promote`](crate::release::Releases::promote).
    pub(in crate::release) async fn promote(
        &self,
        release: ReleaseId,
        options: PromoteOptions,
    ) -> Result<Switched, ReleaseError> {
        let handle = self.registry.find_content(&release, options.digest)?;
        self.registry.refuse_deploy(&release, options.deploy)?;
        match self.registry.is_live(&handle) {
            true => self.stay_live(&handle, options).await,
            false => self.deploy(handle, None, options).await,
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
        self.supervisor.ensure_worker(handle, options.boot_deadline, true).await?;
        let switching = self.registry.switching(&release.app);
        let _switching = switching.lock().await;
        self.registry.still_live(handle)?;
        self.registry.refuse_deploy(&release, options.deploy)?;
        self.registry.went_live(&release, options.deploy);
        if options.deploy.is_none() {
            self.pardon(handle).await;
            self.approve(handle).await?;
        }
        match self.registry.split(&release.app) {
            Some(_) => self.switcher.switch(handle, PromotionKind::Promote, None).await,
            None => {
                Ok(self.switcher.switched(&release, Some(release.version.clone()), self.registry.epoch()))
            }
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
        let previous = self.registry.live(&release.app).map(|live| live.id().version);
        let begun_ms = self.clock.now_ms();
        let deployment = Arc::new(Deployment::pending(release, previous, options.deploy, begun_ms));
        self.registry.add_deployment(&deployment);
        let mut before = None;
        let mut switched = self.run_until_switch(&handle, after, &deployment, &options, &mut before).await;
        self.switcher.values.settle_values(&handle, before).await;
        match &mut switched {
            Err(error) => deployment.happens(Event::Failed, Some(error.for_everybody())),
            Ok(switched) => {
                // As the caller's change; the stages behind the switch are the host's own.
                self.pardon(&handle).await;
                if let Some(previous) = deployment.standing().previous {
                    switched.bake_time_ms = self.config.deploy.bake_time_ms;
                    switched.baked_against = Some(previous.to_string());
                }
                let deployer = self.through(&self.records.by_host());
                tokio::spawn(async move { deployer.finish_in_background(&handle, &deployment).await });
            }
        }
        switched
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
                    *before = self.switcher.values.ready_for_users(handle, options.boot_deadline).await?;
                    self.supervisor.refuse_unwell(handle).await?;
                }
                Some(Work::HooksBeforeTraffic) => {
                    entered(DeployPhase::Hooks);
                    let call = self.call(deployment, HookStage::BeforeTraffic);
                    let hooks = hooks::run(&self.config.hook, &call);
                    self.with_own_name(handle, hooks).await.map_err(ReleaseError::Refused)?;
                }
                Some(Work::Shift) => {
                    entered(DeployPhase::Switching);
                    self.render_green(handle).await?;
                    let switching = self.registry.switching(&release.app);
                    let _switching = switching.lock().await;
                    self.registry.refuse_deploy(&release, deployment.number)?;
                    if let Some(after) = after {
                        self.registry.still_live(after)?;
                    }
                    if self.registry.is_live(handle) {
                        let text = format!("another promotion made `{release}` live meanwhile");
                        return Err(ReleaseError::Refused(text));
                    }
                    let (previous, baseline) = self.registry.compared_with(&release.app, after);
                    deployment.replaces(previous, baseline);
                    let record = deployment.shifted_record(self.registry.newest_deploy(&release.app));
                    let kind = match after {
                        Some(_) => PromotionKind::Reconfigure,
                        None => PromotionKind::Promote,
                    };
                    let mut switched = self.switcher.switch(handle, kind, Some(record)).await?;
                    switched.share = self.registry.split(&release.app).map(ShareView::from);
                    self.registry.went_live(&release, deployment.number);
                    deployment.happens(Event::Passed, None);
                    return Ok(switched);
                }
                _ => {}
            }
            deployment.happens(Event::Passed, None);
            if deployment.standing().progress.is_over() {
                self.registry.refuse_deploy(&release, deployment.number)?;
                let by = self
                    .registry
                    .live(&release.app)
                    .map_or(release.version.clone(), |live| live.id().version);
                return Err(ReleaseError::Superseded { release, by });
            }
        }
    }

    /// A person says that the live release is good: its deployment waits no longer.
    async fn approve(&self, handle: &Arc<ReleaseHandle>) -> Result<(), ReleaseError> {
        let id = handle.id();
        let waiting = self
            .registry
            .deployments(&id.app)
            .into_iter()
            .find(|one| one.release == id && one.standing().waits && !one.standing().progress.is_over());
        let Some(deployment) = waiting else { return Ok(()) };
        let event = audit::Event {
            what: AuditAction::Promote,
            app: Some(id.app),
            version: Some(id.version),
            detail: Some("its bake waited for this".into()),
            came: AuditResult::Done,
        };
        self.records.stored("recording the promotion", move |store| store.record_event(&event)).await?;
        let (deployer, handle) = (self.through(&self.records.by_host()), Arc::clone(handle));
        deployment.note("an operator promoted it again while it waited".into(), false);
        tokio::spawn(async move {
            deployer.after_bake(&deployment).await;
            deployer.finish_in_background(&handle, &deployment).await;
        });
        Ok(())
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
                    match hooks::run(&self.config.hook, &call).await {
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
                    let Some(_turn) = self.turns.take().await else { return };
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
        match hooks::run(&self.config.hook, &call).await {
            Ok(()) => deployment.happens(Event::Passed, None),
            Err(why) => deployment.happens(Event::Failed, Some(why)),
        }
    }

    /// Compares the release with the one before it until there is a verdict, or a person is needed.
    async fn bake(&self, handle: &Arc<ReleaseHandle>, deployment: &Arc<Deployment>) -> Baked {
        let rule = &self.config.deploy;
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

    fn call(&self, deployment: &Deployment, stage: HookStage) -> hooks::Call {
        let ReleaseId { app, version } = &deployment.release;
        hooks::Call {
            app: app.to_string(),
            version: version.to_string(),
            previous: deployment.standing().previous.map(|version| version.to_string()),
            stage,
            url: self.registry.label(app, version).map(|label| self.urls.url(&label)),
        }
    }
}

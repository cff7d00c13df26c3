//! Checks of a worker against its health path: once at its start, and on while it serves users if the operator says so.
//!
//! The rules are [`vitrine_core::health`]'s. The instances of a release are a target group: an unhealthy one gets no requests while enough others
//! are healthy, and where too few are the group fails open. Either way another is started beside it and takes its place. A worker that
//! can't be reached at all is [`super::worker_monitor`]'s business: there is nothing to fail open to.

use super::boot::Terms;
use super::release_handle::ReleaseHandle;
use super::supervisor::{WorkerSupervisor, Workers};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::health::target::Standing;
use vitrine_core::health::target_group::Attributes;
use vitrine_core::health::{Check, ContainerHealth, Probe, Target, TargetState, service, traffic};
use vitrine_core::id::InstanceId;
use vitrine_core::limits::{
    FIRST_CHECK_PAUSE_MS, FIRST_CHECK_TIMEOUT_MS, FIRST_CHECKS_MAX, PATROL_INTERVAL_MS,
    REPLACE_BOOT_DEADLINE_MS, REPLACE_PAUSE_MS, REPLACE_PAUSE_MS_MAX,
};
use vitrine_core::telemetry::{Replacement, error_chain};
use vitrine_proxy::pool::{Checked, Instance, Pool};
use vitrine_proxy::worker::{Piece, Worker};
use vitrine_wire::limits::ANSWER_SHOWN_BYTES_MAX;
use vitrine_wire::{FailedAnswer, Outcome, RequestHead, WorkerLimits};

/// Whether unhealthy instances of a release are asked for pages, because too few are healthy.
fn fails_open(pool: &Pool, attributes: &Attributes) -> bool {
    let instances = pool.instances();
    let states: Vec<TargetState> = instances.iter().filter_map(|one| Some(one.checked().target?.0)).collect();
    traffic::routing(&states, attributes).fails_open && states.contains(&TargetState::Unhealthy)
}

/// Why a new worker is not healthy.
#[derive(Debug)]
pub(super) struct FailedCheck {
    /// What the last answer was.
    pub reason: String,
    /// That answer, if its status is the reason.
    pub answer: Option<FailedAnswer>,
}

/// Asks a new worker for its health path; a few times, because what it calls may not be up yet. A worker of an accepted release is
/// asked again only when its process died of it: gives what failed otherwise.
///
/// # Errors
/// What the last answer was.
pub(super) async fn first(
    handle: &ReleaseHandle,
    worker: &Worker,
    domain: &str,
    terms: Terms,
) -> Result<Option<String>, FailedCheck> {
    let path = &handle.bundle.manifest.health.path;
    if handle.bundle.manifest.warm.contains(path) {
        // Every isolate has rendered it.
        return Ok(None);
    }
    let mut pause_ms = FIRST_CHECK_PAUSE_MS;
    for left in (0..FIRST_CHECKS_MAX).rev() {
        let asked = once(handle, worker, domain, path).await;
        if let Check::Answered(status) = asked.check {
            handle.health_status.store(status, Ordering::Relaxed);
        }
        let Some((what, answer)) = asked.failure(&handle.limits) else { return Ok(None) };
        if terms == Terms::Accepted && asked.ended != Some(Outcome::Crashed) {
            return Ok(Some(format!("The health path {path} failed: {what}")));
        }
        if left == 0 {
            let reason = format!("its health check `{path}` failed {FIRST_CHECKS_MAX} times: {what}");
            return Err(FailedCheck { reason, answer });
        }
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        pause_ms *= 2;
    }
    Ok(None)
}

/// Asks a worker that serves for each of its warm and health paths once.
///
/// # Errors
/// The first that failed.
pub(super) async fn every_path(
    handle: &ReleaseHandle,
    worker: &Worker,
    domain: &str,
) -> Result<(), FailedCheck> {
    let manifest = &handle.bundle.manifest;
    let health = Some(&manifest.health.path).filter(|path| !manifest.warm.contains(path));
    for path in manifest.warm.iter().chain(health) {
        if let Some((what, answer)) = once(handle, worker, domain, path).await.failure(&handle.limits) {
            let kind = if Some(path) == health { "health" } else { "warm" };
            return Err(FailedCheck { reason: format!("The {kind} path {path} failed: {what}"), answer });
        }
    }
    Ok(())
}

async fn once(handle: &ReleaseHandle, worker: &Worker, domain: &str, path: &str) -> Asked {
    ask(handle, worker, domain, path, Duration::from_millis(FIRST_CHECK_TIMEOUT_MS)).await
}

/// Runs the configured checks of an instance for as long as it is its release's.
pub(super) fn watch(supervisor: &WorkerSupervisor, handle: &Arc<ReleaseHandle>, instance: &Arc<Instance>) {
    if failpoint::at("check.watch") == Some(Fault::Skip) {
        return;
    }
    let policy = &supervisor.0.config.health;
    if policy.health_check.is_some() || policy.target_group.is_some() {
        supervisor.0.open_or_close(&handle.pool);
    }
    let watcher = Watcher {
        host: Arc::downgrade(&supervisor.0),
        handle: Arc::downgrade(handle),
        instance: Arc::downgrade(instance),
        started: Instant::now(),
    };
    let suspicions = || instance.worker().suspicions();
    if let Some(check) = &policy.health_check {
        let judge = Judge::Container(ContainerHealth::new(check.rule()));
        let times = (Duration::from_secs(check.interval.into()), Duration::from_secs(check.timeout.into()));
        tokio::spawn(watcher.clone().run(judge, None, times, suspicions()));
    }
    if let Some(group) = &policy.target_group {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        let times =
            (seconds(group.health_check_interval_seconds), seconds(group.health_check_timeout_seconds));
        let judge = Judge::Target(Target::register(group.clone()));
        let path = group.health_check_path.clone();
        tokio::spawn(watcher.run(judge, path, times, suspicions()));
    }
}

enum Judge {
    Container(ContainerHealth),
    Target(Target),
}

impl Judge {
    /// A target that users do not get is unused; one that they get again is new.
    fn stands(&mut self, instance: &Instance, in_use: bool) {
        if let Self::Target(target) = self {
            target.stands(if in_use { Standing::Used } else { Standing::NotInUse });
            let state = target.state();
            instance.set_checked(|checked| checked.target = Some(state));
        }
    }
}

#[derive(Clone)]
struct Watcher {
    host: Weak<Workers>,
    handle: Weak<ReleaseHandle>,
    instance: Weak<Instance>,
    started: Instant,
}

impl Watcher {
    /// Start to start: how long an answer takes does not move the next check. A suspicion brings it forward.
    async fn run(
        self,
        mut judge: Judge,
        path: Option<String>,
        (interval, timeout): (Duration, Duration),
        mut suspicions: tokio::sync::watch::Receiver<u64>,
    ) {
        let mut rounds = tokio::time::interval(interval);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = rounds.tick() => {}
                changed = suspicions.changed() => match changed {
                    Ok(()) => {}
                    Err(_) => return,
                },
            }
            suspicions.borrow_and_update();
            let (Some(host), Some(handle), Some(instance)) =
                (self.host.upgrade(), self.handle.upgrade(), self.instance.upgrade())
            else {
                return;
            };
            let supervisor = WorkerSupervisor(host);
            if handle.pool.instance(instance.id()).is_none() {
                return;
            }
            let in_use = supervisor.0.registry.gets_requests(&handle);
            judge.stands(&instance, in_use);
            if !in_use || !instance.worker().is_ready() {
                drop((supervisor, handle, instance));
                // Its next check is due as soon as users get it.
                tokio::time::sleep(Duration::from_millis(PATROL_INTERVAL_MS)).await;
                rounds.reset_immediately();
                continue;
            }
            let path = path.as_deref().unwrap_or(&handle.bundle.manifest.health.path);
            let begun = Instant::now();
            let Asked { check, .. } =
                ask(&handle, instance.worker(), &supervisor.0.config.domain, path, timeout).await;
            let begun_at = begun - self.started;
            let checked = note(&mut judge, &instance, check, begun_at, begun.elapsed());
            supervisor.0.open_or_close(&handle.pool);
            let target = checked.target.map(|(state, _)| state);
            let grace = supervisor.0.config.health.health_check_grace_period_seconds;
            if service::counts_as_healthy(self.started.elapsed(), checked.container, target) {
                instance.set_ill_before(0);
            } else if service::is_replaced(grace, self.started.elapsed(), checked.container, target) {
                tracing::warn!(release = %handle.id(), ?check, path, "a worker is unhealthy and is replaced");
                let ill = instance.id().clone();
                drop(instance);
                supervisor.replace_beside(&handle, &ill).await;
            }
        }
    }
}

/// What a check says of an instance.
fn note(judge: &mut Judge, instance: &Instance, check: Check, begun: Duration, took: Duration) -> Checked {
    match judge {
        Judge::Container(health) => {
            let passed = matches!(check, Check::Answered(status) if status < 500);
            let status = health.probed(Probe { begun, took, passed });
            instance.set_checked(|checked| checked.container = Some(status))
        }
        Judge::Target(target) => {
            let state = target.checked(check);
            instance.set_checked(|checked| checked.target = Some(state))
        }
    }
}

/// What came of one request.
struct Asked {
    check: Check,
    /// The answer, where its status is above 499.
    answer: Option<FailedAnswer>,
    /// How it ended, where it has no whole answer.
    ended: Option<Outcome>,
}

impl Asked {
    /// What is wrong with it, if anything is.
    fn failure(&self, limits: &WorkerLimits) -> Option<(String, Option<FailedAnswer>)> {
        let what = match self.check {
            Check::Answered(status) if status < 500 => return None,
            Check::Answered(status) => format!("it answered {status}"),
            Check::TimedOut if self.ended == Some(Outcome::CpuLimit) => {
                format!("it used more CPU time than its {} ms (limits.cpu_ms)", limits.cpu_ms)
            }
            Check::TimedOut if self.ended == Some(Outcome::WallLimit) => {
                format!("no answer came within {} ms (limits.wall_ms)", limits.wall_ms)
            }
            Check::TimedOut => format!("no answer came within {FIRST_CHECK_TIMEOUT_MS} ms"),
            Check::Failed | Check::InternalError if self.ended == Some(Outcome::AppError) => {
                "the app failed".into()
            }
            Check::Failed | Check::InternalError => "it broke off".into(),
        };
        Some((what, self.answer.clone()))
    }
}

/// One request over the worker's socket, like any other GET.
async fn ask(handle: &ReleaseHandle, worker: &Worker, domain: &str, path: &str, timeout: Duration) -> Asked {
    let host = handle.settings(domain).host;
    let header = |name: &str, value: String| (name.to_owned(), value.into_bytes().into());
    let head = RequestHead {
        method: "GET".into(),
        url: format!("http://{host}{path}"),
        headers: vec![header("host", host), header("user-agent", "vitrine-health".into())],
        has_body: false,
        upgrade: false,
        // Its lines are told from those of visitors by it.
        request_id: format!("health:{path}"),
        ledger: false,
    };
    let mut shown = Vec::new();
    let asking = async {
        let mut answer = worker.request(head, None).await.map_err(|done| done.outcome)?;
        // The whole body: a render that breaks off half way is no answer.
        while let Some(piece) = answer.body.next().await {
            match piece {
                Piece::End(done) if done.outcome != Outcome::Ok => return Err(done.outcome),
                Piece::Data(data) if answer.head.status >= 500 => {
                    let room = ANSWER_SHOWN_BYTES_MAX - shown.len();
                    shown.extend_from_slice(&data[..data.len().min(room)]);
                }
                _ => {}
            }
        }
        Ok(answer.head.status)
    };
    match tokio::time::timeout(timeout, asking).await {
        Ok(Ok(status)) => {
            let failed = (status >= 500).then(|| FailedAnswer::new(path, status, &shown));
            Asked { check: Check::Answered(status), answer: failed, ended: None }
        }
        Ok(Err(ended @ (Outcome::WallLimit | Outcome::CpuLimit))) => {
            Asked { check: Check::TimedOut, answer: None, ended: Some(ended) }
        }
        Ok(Err(ended)) => Asked { check: Check::Failed, answer: None, ended: Some(ended) },
        Err(_) => Asked { check: Check::TimedOut, answer: None, ended: None },
    }
}

impl Workers {
    /// Whether unhealthy instances get requests follows what the checks say now.
    fn open_or_close(&self, pool: &Pool) {
        let open = fails_open(pool, &self.config.health.target_group_attributes);
        pool.set_fails_open(open);
        self.metrics.fail_open(pool.series(), open);
    }
}

impl WorkerSupervisor {
    /// Starts an instance beside one that is ill, and lets the ill one finish its requests. Where no other comes up, the ill one stays: it
    /// may still answer some.
    async fn replace_beside(&self, handle: &Arc<ReleaseHandle>, ill: &InstanceId) {
        let Some(times) = handle.pool.instance(ill).map(|ill| ill.ill_before()) else { return };
        let pause_ms =
            if times == 0 { 0 } else { (REPLACE_PAUSE_MS << times.min(10)).min(REPLACE_PAUSE_MS_MAX) };
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        let Some(_turn) = self.0.turns.take().await else { return };
        let _boot = handle.boot.lock().await;
        if handle.pool.instance(ill).is_none()
            || !handle.pool.is_ready()
            || !self.0.registry.gets_requests(handle)
        {
            // Somebody replaced it, or users get another release by now.
            return;
        }
        // A replacement that fails its checks would be no improvement.
        match self.start_beside(handle, Duration::from_millis(REPLACE_BOOT_DEADLINE_MS), Terms::Strict).await
        {
            Ok((instance, _)) => {
                self.0.metrics.replacement(&handle.id().app, Replacement::Unhealthy);
                instance.set_ill_before(times + 1);
                self.add_instance(handle, instance, None);
                self.finish_behind(handle.pool.remove(ill).into_iter().collect()).await;
            }
            Err(error) => {
                let error = error_chain(&error);
                tracing::error!(release = %handle.id(), error, "failed to start a worker in place of an unhealthy one");
            }
        }
    }
}

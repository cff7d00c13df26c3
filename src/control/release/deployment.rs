//! A deployment: what making a release live goes through, without effects. Stages and statuses have ECS's names and order.
//!
//! Up to the shift of production traffic a failure stops it and nothing has changed; from then on it is rolled back, if there is
//! something to go back to. A rollback is not a deployment, so none is ever rolled back.

mod auto_rollback;
mod bake;
mod executor;
mod green;
mod hooks;
mod recorded;
#[cfg(test)]
mod tests;
mod trial;

pub(super) use executor::Deployer;
use std::sync::{Mutex, MutexGuard, PoisonError};
use vitrine_core::id::{ReleaseId, Version};
use vitrine_core::telemetry::Figures;
use vitrine_store::{DeploymentRecord, DeploymentStage as Stage, DeploymentStatus as Status};

/// What happens to a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// What the stage is there for is done.
    Passed,
    /// It failed: a check, a start, a hook, the bake.
    Failed,
    /// Another release of the app went live.
    Superseded,
    /// An operator rolls back from it.
    RolledBackFrom,
    /// The way back has begun.
    GoingBack,
    /// The release before it can't be made live again.
    CantGoBack,
}

/// What a stage is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Make sure that its worker serves.
    Start,
    /// Run the hooks before traffic.
    HooksBeforeTraffic,
    /// Make it live.
    Shift,
    /// Run the hooks after traffic.
    HooksAfterTraffic,
    /// Compare it with the release before it, then run the hooks after the bake.
    Bake,
}

/// An event that can't happen to a deployment where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a deployment that is {status:?} at {stage:?} can't take {event:?}")]
pub struct Illegal {
    /// What it is at.
    pub stage: Stage,
    /// How it goes.
    pub status: Status,
    /// The event.
    pub event: Event,
}

/// How far a deployment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it is at; what it was at when it ended.
    pub stage: Stage,
    /// How it goes.
    pub status: Status,
    /// Whether another release was live before it.
    pub has_previous: bool,
}

impl Progress {
    /// One that is about to begin.
    pub const fn pending(has_previous: bool) -> Self {
        Self { stage: Stage::ReconcileService, status: Status::Pending, has_previous }
    }

    /// What is to be done where it stands; nothing when it is over or when the stage is passed without.
    pub const fn work(self) -> Option<Work> {
        match (self.status, self.stage) {
            (Status::InProgress, Stage::ScaleUp) => Some(Work::Start),
            (Status::InProgress, Stage::PostTestTrafficShift) => Some(Work::HooksBeforeTraffic),
            (Status::InProgress, Stage::ProductionTrafficShift) => Some(Work::Shift),
            (Status::InProgress, Stage::PostProductionTrafficShift) => Some(Work::HooksAfterTraffic),
            (Status::InProgress, Stage::BakeTime) => Some(Work::Bake),
            _ => None,
        }
    }

    /// Whether nothing happens to it any more.
    pub const fn is_over(self) -> bool {
        matches!(
            self.status,
            Status::Successful | Status::Stopped | Status::RollbackSuccessful | Status::RollbackFailed
        )
    }

    /// Whether its release was made live by it.
    pub fn has_shifted(self) -> bool {
        self.stage > Stage::ProductionTrafficShift
    }

    /// How far it is after an event.
    ///
    /// # Errors
    /// [`Illegal`].
    pub fn after(self, event: Event) -> Result<Self, Illegal> {
        let with = |status| Ok(Self { status, ..self });
        match (self.status, event) {
            (Status::Pending, Event::Passed) => self.next(),
            (Status::InProgress, Event::Passed) if self.stage == Stage::CleanUp => with(Status::Successful),
            (Status::InProgress, Event::Passed) => self.next(),
            (Status::InProgress, Event::Failed) if self.has_shifted() => match self.has_previous {
                true => with(Status::RollbackRequested),
                false => with(Status::RollbackFailed),
            },
            (Status::Pending | Status::InProgress, Event::Failed) => with(Status::Stopped),
            (Status::InProgress, Event::Superseded) if self.has_shifted() => with(Status::Stopped),
            (Status::Pending | Status::InProgress, Event::Superseded) => with(Status::StopRequested),
            // Whatever it was at ends before it does; what it gave counts no more.
            (Status::StopRequested, Event::Passed | Event::Failed) => with(Status::Stopped),
            (Status::InProgress, Event::RolledBackFrom) if self.has_shifted() => {
                with(Status::RollbackSuccessful)
            }
            (Status::RollbackRequested, Event::GoingBack) => with(Status::RollbackInProgress),
            // By this deployment or by a faster call: users get another release, as they should.
            (
                Status::RollbackRequested | Status::RollbackInProgress,
                Event::Superseded | Event::RolledBackFrom,
            ) => with(Status::RollbackSuccessful),
            (Status::RollbackRequested | Status::RollbackInProgress, Event::CantGoBack) => {
                with(Status::RollbackFailed)
            }
            _ => Err(Illegal { stage: self.stage, status: self.status, event }),
        }
    }

    fn next(self) -> Result<Self, Illegal> {
        let stage = Stage::ALL.into_iter().find(|stage| *stage > self.stage).unwrap_or(self.stage);
        Ok(Self { stage, status: Status::InProgress, ..self })
    }
}

/// One deployment.
#[derive(Debug)]
pub struct Deployment {
    /// What is deployed.
    pub release: ReleaseId,
    /// When it began, in milliseconds since the Unix epoch.
    pub begun_ms: u64,
    /// Its number, if it is a deploy's and not an operator's own promotion.
    pub number: Option<u64>,
    standing: Mutex<Standing>,
}

/// Where a deployment stands, and why.
#[derive(Debug, Clone)]
pub struct Standing {
    /// How far it has come.
    pub progress: Progress,
    /// The release that was live before.
    pub previous: Option<Version>,
    /// Why it is there.
    pub reason: Option<String>,
    /// Whether it waits for a person.
    pub waits: bool,
    /// What the release before it was measured at before the switch.
    pub baseline: Figures,
}

impl Deployment {
    /// One that is about to begin.
    pub fn pending(
        release: ReleaseId,
        previous: Option<Version>,
        number: Option<u64>,
        begun_ms: u64,
    ) -> Self {
        let progress = Progress::pending(previous.is_some());
        let baseline = Figures::default();
        let standing = Standing { progress, previous, reason: None, waits: false, baseline };
        Self { release, begun_ms, number, standing: Mutex::new(standing) }
    }

    /// One that an earlier host recorded.
    pub fn recorded(record: DeploymentRecord) -> Self {
        let DeploymentRecord { release, previous, stage, status, reason, begun_ms, baseline, .. } = record;
        let progress = Progress { stage, status, has_previous: previous.is_some() };
        // Another build may have written more or less of it: it is compared with nothing then.
        let baseline = serde_json::from_str(&baseline).unwrap_or_default();
        let standing = Standing { progress, previous, reason, waits: false, baseline };
        Self { release, begun_ms, number: None, standing: Mutex::new(standing) }
    }

    /// Where it stands.
    pub fn standing(&self) -> Standing {
        self.lock().clone()
    }

    /// Something happened to it. What can't happen where it stands leaves it there: it was superseded a moment before.
    pub fn happens(&self, event: Event, reason: Option<String>) {
        let mut standing = self.lock();
        match standing.progress.after(event) {
            Ok(progress) => {
                standing.progress = progress;
                standing.waits = false;
                standing.reason = reason;
            }
            Err(illegal) => {
                tracing::debug!(release = %self.release, %illegal, "an event of a deployment came late")
            }
        }
    }

    /// Says why it is where it is, and whether it waits for a person.
    pub fn note(&self, reason: String, waits: bool) {
        let mut standing = self.lock();
        standing.reason = Some(reason);
        standing.waits = waits;
    }

    /// What the switch found: the release that was live before, and its figures.
    pub fn replaces(&self, previous: Option<Version>, baseline: Figures) {
        let mut standing = self.lock();
        standing.progress.has_previous = previous.is_some();
        standing.previous = previous;
        standing.baseline = baseline;
    }

    /// As it is recorded where it stands; with the deploy, among those that went live, that was begun last.
    pub fn record(&self, newest_deploy: Option<(u64, Version)>) -> DeploymentRecord {
        let standing = self.standing();
        DeploymentRecord {
            release: self.release.clone(),
            previous: standing.previous,
            stage: standing.progress.stage,
            status: standing.progress.status,
            reason: standing.reason,
            begun_ms: self.begun_ms,
            baseline: serde_json::to_string(&standing.baseline).unwrap_or_default(),
            newest_deploy,
        }
    }

    /// As it is recorded together with its switch, which it is past then.
    pub fn shifted_record(&self, newest_deploy: Option<(u64, Version)>) -> DeploymentRecord {
        let own = self.number.map(|number| (number, self.release.version.clone()));
        let record = self.record(own.or(newest_deploy));
        DeploymentRecord { stage: Stage::PostProductionTrafficShift, ..record }
    }

    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! A container's own health check, and the health of a task with several containers.

use super::{HealthError, within};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// `healthCheck` of a container definition. Times in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct HealthCheck {
    /// Time from one check to the next.
    pub interval: u32,
    /// Time after which a check has failed.
    pub timeout: u32,
    /// Failures in a row that make the container unhealthy.
    pub retries: u32,
    /// Time after the start in which failures do not count; 0 is none.
    pub start_period: u32,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self { interval: 30, timeout: 5, retries: 3, start_period: 0 }
    }
}

impl HealthCheck {
    /// Holds the fields against the ranges that ECS accepts.
    ///
    /// # Errors
    /// [`HealthError::Range`] with the first field that is out of its range.
    pub fn check(&self) -> Result<(), HealthError> {
        within("interval", self.interval, 5, 300)?;
        within("timeout", self.timeout, 2, 60)?;
        within("retries", self.retries, 1, 10)?;
        within("startPeriod", self.start_period, 0, 300)
    }

    /// The rule that its fields say.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        Rule {
            timeout: Duration::from_secs(self.timeout as u64),
            retries: self.retries,
            start_period: Duration::from_secs(self.start_period as u64),
        }
    }
}

/// What decides, of a [`HealthCheck`] or of a faster check of the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// See [`HealthCheck::timeout`].
    pub timeout: Duration,
    /// See [`HealthCheck::retries`].
    pub retries: u32,
    /// See [`HealthCheck::start_period`].
    pub start_period: Duration,
}

/// Status of a container, or of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum HealthStatus {
    /// Its check is being evaluated, or it has none.
    #[default]
    Unknown,
    /// Its last check passed.
    Healthy,
    /// Its check failed as often in a row as `retries` says.
    Unhealthy,
}

impl HealthStatus {
    /// Its name, as ECS writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Healthy => "HEALTHY",
            Self::Unhealthy => "UNHEALTHY",
        }
    }
}

/// One check that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// When it began, since the container's start.
    pub begun: Duration,
    /// How long it took.
    pub took: Duration,
    /// Whether it passed by its own account: exit code 0.
    pub passed: bool,
}

/// The health of one container.
#[derive(Debug, Clone)]
pub struct ContainerHealth {
    rule: Rule,
    status: HealthStatus,
    failures: u32,
}

impl ContainerHealth {
    /// A container that has just started.
    #[must_use]
    pub const fn new(rule: Rule) -> Self {
        Self { rule, status: HealthStatus::Unknown, failures: 0 }
    }

    /// Where it stands.
    #[must_use]
    pub const fn status(&self) -> HealthStatus {
        self.status
    }

    /// Failures in a row that count.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Takes a check's end over. A failure that begins inside `startPeriod` does not count, unless a check has passed
    /// before: from its first success on a container is held to its checks.
    pub fn probed(&mut self, probe: Probe) -> HealthStatus {
        if probe.passed && probe.took <= self.rule.timeout {
            self.failures = 0;
            self.status = HealthStatus::Healthy;
            return self.status;
        }
        let starting = self.status == HealthStatus::Unknown && probe.begun < self.rule.start_period;
        if !starting {
            self.failures = self.failures.saturating_add(1);
            if self.failures >= self.rule.retries {
                self.status = HealthStatus::Unhealthy;
            }
        }
        self.status
    }
}

/// Status of a task: of its essential containers one that is unhealthy decides, then one that is not known.
#[must_use]
pub fn task_status(containers: &[(HealthStatus, bool)]) -> HealthStatus {
    let is = |wanted| containers.iter().any(|(status, essential)| *essential && *status == wanted);
    if is(HealthStatus::Unhealthy) {
        HealthStatus::Unhealthy
    } else if is(HealthStatus::Healthy) && !is(HealthStatus::Unknown) {
        HealthStatus::Healthy
    } else {
        HealthStatus::Unknown
    }
}

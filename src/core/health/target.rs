//! One target of a target group: its state, and why it has it.

use super::target_group::TargetGroup;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// State of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TargetState {
    /// It is being registered, or its first checks are under way.
    Initial,
    /// It passes its checks.
    Healthy,
    /// It fails them.
    Unhealthy,
    /// Nothing leads to it.
    Unused,
    /// It leaves.
    Draining,
    /// It is not checked.
    Unavailable,
}

/// Why a target is not healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Reason {
    /// It is being registered.
    #[serde(rename = "Elb.RegistrationInProgress")]
    RegistrationInProgress,
    /// Its first checks are under way.
    #[serde(rename = "Elb.InitialHealthChecking")]
    InitialHealthChecking,
    /// The last check gave another code.
    #[serde(rename = "Target.ResponseCodeMismatch")]
    ResponseCodeMismatch,
    /// The last check took too long.
    #[serde(rename = "Target.Timeout")]
    Timeout,
    /// The last check had no answer at all.
    #[serde(rename = "Target.FailedHealthChecks")]
    FailedHealthChecks,
    /// The last check failed on the checker's side, or checking itself is down.
    #[serde(rename = "Elb.InternalError")]
    InternalError,
    /// It is not in the group.
    #[serde(rename = "Target.NotRegistered")]
    NotRegistered,
    /// No listener uses the group.
    #[serde(rename = "Target.NotInUse")]
    NotInUse,
    /// It is stopped.
    #[serde(rename = "Target.InvalidState")]
    InvalidState,
    /// Its address can't be used.
    #[serde(rename = "Target.IpUnusable")]
    IpUnusable,
    /// It leaves.
    #[serde(rename = "Target.DeregistrationInProgress")]
    DeregistrationInProgress,
    /// The group's checks are off.
    #[serde(rename = "Target.HealthCheckDisabled")]
    HealthCheckDisabled,
}

/// How one check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// An answer with this code came in time.
    Answered(u16),
    /// None did.
    TimedOut,
    /// The target could not be asked, or broke off.
    Failed,
    /// The checker could not check.
    InternalError,
}

/// What surrounds a target, besides its checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Registered, checked, in use.
    Used,
    /// Registered in a group that no listener uses.
    NotInUse,
    /// Registered and stopped.
    InvalidState,
    /// Registered with an address that can't be used.
    IpUnusable,
    /// Registered in a group whose checks are off.
    HealthCheckDisabled,
    /// Registered in a group whose checks are broken.
    HealthCheckBroken,
}

/// One target.
#[derive(Debug, Clone)]
pub struct Target {
    group: TargetGroup,
    standing: Standing,
    /// State by the checks alone.
    checked: (TargetState, Option<Reason>),
    passed: u32,
    failed: u32,
}

impl Target {
    /// A target that is being registered.
    #[must_use]
    pub const fn register(group: TargetGroup) -> Self {
        Self {
            group,
            standing: Standing::Used,
            checked: (TargetState::Initial, Some(Reason::RegistrationInProgress)),
            passed: 0,
            failed: 0,
        }
    }

    /// Its surroundings change. A target that comes into use is new.
    pub fn stands(&mut self, standing: Standing) {
        if self.standing != standing && standing == Standing::Used {
            *self = Self::register(self.group.clone());
        }
        self.standing = standing;
    }

    /// Its first check begins.
    pub fn checking(&mut self) {
        if self.checked.0 == TargetState::Initial {
            self.checked.1 = Some(Reason::InitialHealthChecking);
        }
    }

    /// A check has ended. One success makes a new target healthy; an unhealthy one needs `HealthyThresholdCount`;
    /// `UnhealthyThresholdCount` failures in a row make either unhealthy.
    pub fn checked(&mut self, check: Check) -> (TargetState, Option<Reason>) {
        self.checking();
        let why = match check {
            Check::Answered(code) if self.group.matcher.matches(code) => None,
            Check::Answered(_) => Some(Reason::ResponseCodeMismatch),
            Check::TimedOut => Some(Reason::Timeout),
            Check::Failed => Some(Reason::FailedHealthChecks),
            Check::InternalError => Some(Reason::InternalError),
        };
        if why.is_some() {
            self.passed = 0;
            self.failed = self.failed.saturating_add(1);
        } else {
            self.failed = 0;
            self.passed = self.passed.saturating_add(1);
        }
        let needed =
            if self.checked.0 == TargetState::Initial { 1 } else { self.group.healthy_threshold_count };
        if self.checked.0 == TargetState::Unhealthy && why.is_some() {
            self.checked.1 = why;
        } else if self.failed >= self.group.unhealthy_threshold_count {
            self.checked = (TargetState::Unhealthy, why);
        } else if self.passed >= needed {
            self.checked = (TargetState::Healthy, None);
        }
        self.state()
    }

    /// Where it stands, and why unless it is healthy.
    #[must_use]
    pub const fn state(&self) -> (TargetState, Option<Reason>) {
        match self.standing {
            Standing::Used => self.checked,
            Standing::NotInUse => (TargetState::Unused, Some(Reason::NotInUse)),
            Standing::InvalidState => (TargetState::Unused, Some(Reason::InvalidState)),
            Standing::IpUnusable => (TargetState::Unused, Some(Reason::IpUnusable)),
            Standing::HealthCheckDisabled => (TargetState::Unavailable, Some(Reason::HealthCheckDisabled)),
            Standing::HealthCheckBroken => (TargetState::Unavailable, Some(Reason::InternalError)),
        }
    }
}

/// A target that was taken out of its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaving {
    /// What it is reported as.
    pub state: TargetState,
    /// Why.
    pub reason: Reason,
    /// Whether it may be stopped: nothing of it is in use any more, or its time is up.
    pub done: bool,
}

/// Deregistration: done early when nothing is left, and still reported as draining until the delay is over.
#[must_use]
pub fn leaving(
    delay: Duration,
    since_deregistered: Duration,
    in_flight: usize,
    connections: usize,
) -> Leaving {
    let over = since_deregistered >= delay;
    let (state, reason) = if over {
        (TargetState::Unused, Reason::NotRegistered)
    } else {
        (TargetState::Draining, Reason::DeregistrationInProgress)
    };
    Leaving { state, reason, done: over || (in_flight == 0 && connections == 0) }
}

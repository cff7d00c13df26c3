//! What a service's scheduler makes of health.

use super::container::HealthStatus;
use super::target::TargetState;
use super::{HealthError, within};
use std::time::Duration;

/// Default of `stopTimeout`, in seconds.
pub const STOP_TIMEOUT_DEFAULT_SECONDS: u32 = 30;
/// How long a task without any check runs before it counts as healthy, in seconds.
const UNCHECKED_SECONDS: u64 = 40;

/// Holds a `stopTimeout` against its range.
///
/// # Errors
/// [`HealthError::Range`].
pub const fn check_stop_timeout(seconds: u32) -> Result<(), HealthError> {
    within("stopTimeout", seconds, 2, 120)
}

/// What is due for a container that was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It had SIGTERM and may finish.
    Wait,
    /// SIGKILL.
    Kill,
}

/// SIGTERM, `stopTimeout`, SIGKILL.
#[must_use]
pub fn stop(stop_timeout_seconds: u32, since_term: Duration) -> Stop {
    if since_term < Duration::from_secs(u64::from(stop_timeout_seconds)) { Stop::Wait } else { Stop::Kill }
}

/// Whether a running task counts as healthy for a deployment. `container` is its status if a container has a check,
/// `target` its state if it is behind a load balancer; with both, both count.
#[must_use]
pub fn counts_as_healthy(
    since_running: Duration,
    container: Option<HealthStatus>,
    target: Option<TargetState>,
) -> bool {
    let container_ok = container.map(|status| status == HealthStatus::Healthy);
    let target_ok = target.map(|state| state == TargetState::Healthy);
    match (container_ok, target_ok) {
        (None, None) => since_running >= Duration::from_secs(UNCHECKED_SECONDS),
        (container_ok, target_ok) => container_ok.unwrap_or(true) && target_ok.unwrap_or(true),
    }
}

/// Whether a running task is replaced: either of its checks says unhealthy, and `healthCheckGracePeriodSeconds` (0 by
/// default) is over.
#[must_use]
pub fn is_replaced(
    grace_period_seconds: u32,
    since_started: Duration,
    container: Option<HealthStatus>,
    target: Option<TargetState>,
) -> bool {
    let unhealthy = container == Some(HealthStatus::Unhealthy) || target == Some(TargetState::Unhealthy);
    unhealthy && since_started >= Duration::from_secs(u64::from(grace_period_seconds))
}

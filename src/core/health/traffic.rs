//! Which targets of a group get requests, and how large a share a new one gets.

use super::target::TargetState;
use super::target_group::Attributes;
use std::time::Duration;

/// Where the requests of a group go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routing {
    /// One entry a target: whether it gets requests.
    pub gets_requests: Vec<bool>,
    /// Whether fewer targets are healthy than must be, so that health is not looked at.
    pub fails_open: bool,
}

/// Requests go to healthy targets, and to those that are not checked. When fewer than the minimum are left they go to
/// every registered one: a target that is taken for ill may still answer, no target can't.
#[must_use]
pub fn routing(targets: &[TargetState], attributes: &Attributes) -> Routing {
    let sound = |state: &TargetState| matches!(state, TargetState::Healthy | TargetState::Unavailable);
    let registered =
        |state: &TargetState| sound(state) || matches!(state, TargetState::Initial | TargetState::Unhealthy);
    let healthy = targets.iter().filter(|state| sound(state)).count() as u64;
    let total = targets.iter().filter(|state| registered(state)).count() as u64;
    let percentage = u64::from(attributes.minimum_healthy_percentage.unwrap_or(0));
    let enough =
        healthy >= u64::from(attributes.minimum_healthy_count) && healthy * 100 >= percentage * total;
    let fails_open = total > 0 && !enough;
    let gets = |state: &TargetState| if fails_open { registered(state) } else { sound(state) };
    Routing { gets_requests: targets.iter().map(gets).collect(), fails_open }
}

/// Share of a full one that a target gets in slow start: it grows linearly from its first healthy moment. `beside_others`
/// says whether a healthy target that is past its own slow start was there then; without one it gets its full share at
/// once.
#[must_use]
pub fn slow_start_share(attributes: &Attributes, since_healthy: Duration, beside_others: bool) -> f64 {
    let duration = Duration::from_secs(u64::from(attributes.slow_start_seconds));
    if duration.is_zero() || !beside_others || since_healthy >= duration {
        return 1.0;
    }
    since_healthy.as_secs_f64() / duration.as_secs_f64()
}

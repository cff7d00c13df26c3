//! The same rules once more, slowly: each status anew from the whole history, without counters.

use super::container::{HealthStatus, Probe, Rule};
use super::target_group::Attributes;
use super::traffic::routing;
use super::*;
use proptest::prelude::*;
use std::time::Duration;

/// Status of a container from every check that it ever had.
fn container(rule: Rule, history: &[Probe]) -> HealthStatus {
    let passed = |probe: &Probe| probe.passed && probe.took <= rule.timeout;
    let counts = |index: usize| {
        let probe = &history[index];
        !passed(probe) && (probe.begun >= rule.start_period || history[..index].iter().any(passed))
    };
    let last_success = history.iter().rposition(passed);
    let since = last_success.map_or(0, |index| index + 1);
    let failures = (since..history.len()).filter(|index| counts(*index)).count();
    match last_success {
        _ if failures >= rule.retries as usize => HealthStatus::Unhealthy,
        Some(_) => HealthStatus::Healthy,
        None => HealthStatus::Unknown,
    }
}

/// State of a target after `n` of its checks, from the windows that end there.
fn target(group: &TargetGroup, history: &[bool], n: usize) -> TargetState {
    if n == 0 {
        return TargetState::Initial;
    }
    let all = |count: u32, passed: bool| {
        let count = count as usize;
        n >= count && history[n - count..n].iter().all(|check| *check == passed)
    };
    match target(group, history, n - 1) {
        TargetState::Initial if history[n - 1] => TargetState::Healthy,
        before @ (TargetState::Initial | TargetState::Healthy) => {
            if all(group.unhealthy_threshold_count, false) { TargetState::Unhealthy } else { before }
        }
        before => {
            if all(group.healthy_threshold_count, true) {
                TargetState::Healthy
            } else {
                before
            }
        }
    }
}

fn probes() -> impl Strategy<Value = Vec<Probe>> {
    let step = (0..40_u64, 0..4_u64, prop::bool::weighted(0.4));
    prop::collection::vec(step, 0..60).prop_map(|steps| {
        let mut begun = 0;
        let mut probe = |(after, took, passed)| {
            begun += after;
            Probe { begun: Duration::from_secs(begun), took: Duration::from_secs(took), passed }
        };
        steps.into_iter().map(&mut probe).collect()
    })
}

fn any_state() -> impl Strategy<Value = TargetState> {
    use TargetState::{Draining, Healthy, Initial, Unavailable, Unhealthy, Unused};
    prop::sample::select(vec![Initial, Healthy, Unhealthy, Unused, Draining, Unavailable])
}

proptest! {
    #[test]
    fn a_container_is_as_its_whole_history_says(
        probes in probes(), retries in 1..6_u32, start in 0..300_u64, timeout in 0..4_u64,
    ) {
        let rule =
            Rule { timeout: Duration::from_secs(timeout), retries, start_period: Duration::from_secs(start) };
        let mut health = ContainerHealth::new(rule);
        for (index, probe) in probes.iter().enumerate() {
            prop_assert_eq!(health.probed(*probe), container(rule, &probes[..=index]));
        }
    }

    #[test]
    fn a_target_is_as_its_windows_say(
        history in prop::collection::vec(any::<bool>(), 0..60), healthy in 2..6_u32, unhealthy in 2..6_u32,
    ) {
        let group = TargetGroup {
            healthy_threshold_count: healthy, unhealthy_threshold_count: unhealthy, ..TargetGroup::default()
        };
        let mut fast = Target::register(group.clone());
        for (index, passed) in history.iter().enumerate() {
            let check = if *passed { Check::Answered(200) } else { Check::TimedOut };
            let (state, reason) = fast.checked(check);
            prop_assert_eq!(state, target(&group, &history, index + 1));
            prop_assert_eq!(state == TargetState::Healthy, reason.is_none());
        }
    }

    #[test]
    fn whoever_gets_requests_is_registered_and_nobody_is_left_without_cause(
        targets in prop::collection::vec(any_state(), 0..12), count in 1..6_u32, percentage in prop::option::of(1..101_u32),
    ) {
        let attributes = Attributes {
            minimum_healthy_count: count, minimum_healthy_percentage: percentage, ..Attributes::default()
        };
        let routing = routing(&targets, &attributes);
        let registered = |state: &TargetState| !matches!(state, TargetState::Draining | TargetState::Unused);
        for (state, gets) in targets.iter().zip(&routing.gets_requests) {
            prop_assert!(!gets || registered(state));
            prop_assert!(*gets || *state != TargetState::Healthy);
        }
        // Fails open or not: while somebody is registered, somebody is asked.
        prop_assert_eq!(routing.gets_requests.iter().any(|gets| *gets), targets.iter().any(registered));
    }
}

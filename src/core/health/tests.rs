//! Each rule as a row: what goes in, what has to come out.

use super::container::{HealthCheck, HealthStatus, Probe};
use super::matcher::Matcher;
use super::service::{Stop, check_stop_timeout, counts_as_healthy, is_replaced, stop};
use super::target::{Standing, leaving};
use super::target_group::Attributes;
use super::traffic::{routing, slow_start_share};
use super::*;
use HealthStatus::{Healthy, Unhealthy, Unknown};
use std::time::Duration;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn refused(error: Result<(), HealthError>, field: &str) {
    let text = error.unwrap_err().to_string();
    assert!(text.contains(field), "{text} does not name {field}");
}

#[test]
fn a_container_check_has_the_defaults_and_ranges_of_ecs() {
    let check = HealthCheck::default();
    assert_eq!((check.interval, check.timeout, check.retries, check.start_period), (30, 5, 3, 0));
    check.check().unwrap();
    type Set = fn(&mut HealthCheck, u32);
    let fields: [(&str, Set, u32, u32); 4] = [
        ("interval", |check, value| check.interval = value, 5, 300),
        ("timeout", |check, value| check.timeout = value, 2, 60),
        ("retries", |check, value| check.retries = value, 1, 10),
        ("startPeriod", |check, value| check.start_period = value, 0, 300),
    ];
    for (field, set, least, most) in fields {
        let with = |value| {
            let mut check = HealthCheck::default();
            set(&mut check, value);
            check.check()
        };
        with(least).unwrap();
        with(most).unwrap();
        refused(with(most + 1), field);
        if least > 0 {
            refused(with(least - 1), field);
        }
    }
}

#[test]
fn fields_are_written_as_ecs_and_the_load_balancer_write_them() {
    let policy: HealthPolicy = toml::from_str(
        "healthCheckGracePeriodSeconds = 60\n[healthCheck]\ninterval = 10\ntimeout = 2\nretries = 1\nstartPeriod = 7\n\
         [targetGroup]\nHealthCheckIntervalSeconds = 5\nHealthCheckTimeoutSeconds = 2\nHealthyThresholdCount = 2\n\
         UnhealthyThresholdCount = 3\nMatcher = \"200,301-302\"\nHealthCheckPath = \"/up\"\n",
    )
    .unwrap();
    policy.check().unwrap();
    let group = policy.target_group.unwrap();
    assert_eq!((group.unhealthy_threshold_count, group.health_check_path.as_deref()), (3, Some("/up")));
    assert!(group.matcher.matches(302) && !group.matcher.matches(300));
    assert_eq!(policy.health_check.unwrap().start_period, 7);
    for wrong in ["Interval = 3", "[healthCheck]\nstart_period = 3", "[targetGroup]\nMatcher = \"5xx\""] {
        assert!(toml::from_str::<HealthPolicy>(wrong).is_err(), "{wrong}");
    }
    let short = HealthPolicy {
        health_check: Some(HealthCheck { interval: 1, ..Default::default() }),
        ..Default::default()
    };
    let (table, error) = short.check().unwrap_err();
    assert_eq!(table, "health.healthCheck");
    assert_eq!(error.to_string(), "`interval` is 1; it goes from 5 to 300");
}

/// Seconds at which a check began, whether it passed, and the status after it.
type Row = (u64, bool, HealthStatus);

fn follow(check: &HealthCheck, rows: &[Row]) {
    let mut health = ContainerHealth::new(check.rule());
    assert_eq!(health.status(), Unknown);
    for (index, (begun, passed, status)) in rows.iter().enumerate() {
        let got = health.probed(Probe { begun: s(*begun), took: s(1), passed: *passed });
        assert_eq!(got, *status, "row {index} of {rows:?}");
    }
}

#[test]
fn retries_are_failures_in_a_row() {
    let check = HealthCheck::default();
    follow(&check, &[(0, false, Unknown), (30, false, Unknown), (60, false, Unhealthy), (90, true, Healthy)]);
    follow(
        &check,
        &[
            (0, true, Healthy),
            (30, false, Healthy),
            (60, false, Healthy),
            (90, true, Healthy),
            (120, false, Healthy),
            (150, false, Healthy),
            (180, false, Unhealthy),
            (210, false, Unhealthy),
            (240, true, Healthy),
        ],
    );
    follow(&HealthCheck { retries: 1, ..check }, &[(0, false, Unhealthy)]);
}

#[test]
fn failures_inside_the_start_period_do_not_count_until_the_first_success() {
    let check = HealthCheck { start_period: 100, retries: 2, ..HealthCheck::default() };
    follow(
        &check,
        &[
            (0, false, Unknown),
            (30, false, Unknown),
            (60, false, Unknown),
            (99, false, Unknown),
            (100, false, Unknown),
            (130, false, Unhealthy),
        ],
    );
    follow(&check, &[(0, false, Unknown), (30, true, Healthy), (60, false, Healthy), (90, false, Unhealthy)]);
    follow(&check, &[(0, true, Healthy), (10, false, Healthy), (20, false, Unhealthy), (30, true, Healthy)]);
}

#[test]
fn a_check_that_takes_longer_than_its_timeout_has_failed() {
    let mut health = ContainerHealth::new(HealthCheck { retries: 1, ..Default::default() }.rule());
    let probe = |took| Probe { begun: s(0), took, passed: true };
    assert_eq!(health.probed(probe(s(5))), Healthy);
    assert_eq!(health.probed(probe(s(5) + Duration::from_nanos(1))), Unhealthy);
}

#[test]
fn a_task_is_as_its_essential_containers_are() {
    let rows = [
        (vec![Healthy, Healthy], Healthy),
        (vec![Healthy, Unknown], Unknown),
        (vec![Unknown, Unknown], Unknown),
        (vec![Unhealthy, Healthy], Unhealthy),
        (vec![Unhealthy, Unknown], Unhealthy),
        (vec![Unhealthy, Unhealthy], Unhealthy),
        (vec![Healthy, Healthy, Healthy], Healthy),
        (vec![Healthy, Healthy, Unknown], Unknown),
        (vec![Healthy, Unknown, Unknown], Unknown),
        (vec![Unknown, Unknown, Unknown], Unknown),
        (vec![Unhealthy, Healthy, Healthy], Unhealthy),
        (vec![Unhealthy, Healthy, Unknown], Unhealthy),
        (vec![Unhealthy, Unknown, Unknown], Unhealthy),
        (vec![Unhealthy, Unhealthy, Healthy], Unhealthy),
        (vec![Unhealthy, Unhealthy, Unknown], Unhealthy),
        (vec![Unhealthy, Unhealthy, Unhealthy], Unhealthy),
    ];
    for (row, task) in rows {
        for shift in 0..row.len() {
            let mut essential: Vec<_> = row.iter().map(|status| (*status, true)).collect();
            essential.rotate_left(shift);
            assert_eq!(task_status(&essential), task, "{essential:?}");
            essential.reverse();
            essential.push((Unhealthy, false));
            assert_eq!(task_status(&essential), task, "beside one that is not essential: {essential:?}");
        }
    }
    assert_eq!(task_status(&[]), Unknown);
    assert_eq!(task_status(&[(Healthy, false)]), Unknown);
}

#[test]
fn a_target_group_has_the_defaults_and_ranges_of_the_load_balancer() {
    let group = TargetGroup::default();
    group.check().unwrap();
    assert_eq!((group.health_check_interval_seconds, group.health_check_timeout_seconds), (30, 5));
    assert_eq!((group.healthy_threshold_count, group.unhealthy_threshold_count), (5, 2));
    assert!(group.matcher.matches(200) && !group.matcher.matches(201));
    type Set = fn(&mut TargetGroup, u32);
    let fields: [(&str, Set, u32, u32); 4] = [
        ("HealthCheckIntervalSeconds", |group, value| group.health_check_interval_seconds = value, 5, 300),
        ("HealthCheckTimeoutSeconds", |group, value| group.health_check_timeout_seconds = value, 2, 120),
        ("HealthyThresholdCount", |group, value| group.healthy_threshold_count = value, 2, 10),
        ("UnhealthyThresholdCount", |group, value| group.unhealthy_threshold_count = value, 2, 10),
    ];
    for (field, set, least, most) in fields {
        let with = |value| {
            let mut group = TargetGroup::default();
            set(&mut group, value);
            group.check()
        };
        with(least).unwrap();
        with(most).unwrap();
        refused(with(least - 1), field);
        refused(with(most + 1), field);
    }
    for path in ["", "up", "//host/up", "/a b", "/a#b"] {
        let group = TargetGroup { health_check_path: Some(path.into()), ..TargetGroup::default() };
        refused(group.check(), "HealthCheckPath");
    }
}

#[test]
fn attributes_have_the_defaults_and_ranges_of_the_load_balancer() {
    let attributes = Attributes::default();
    attributes.check().unwrap();
    assert_eq!(attributes.slow_start_seconds, 0);
    assert_eq!((attributes.minimum_healthy_count, attributes.minimum_healthy_percentage), (1, None));
    let written = "[targetGroupAttributes]\n\"slow_start.duration_seconds\" = 60\n";
    let policy: HealthPolicy = toml::from_str(written).unwrap();
    assert_eq!(policy.target_group_attributes.slow_start_seconds, 60);
    type Set = fn(&mut Attributes, u32);
    let fields: [(&str, Set, &[u32], &[u32]); 3] = [
        ("slow_start", |a, v| a.slow_start_seconds = v, &[0, 30, 900], &[1, 29, 901]),
        ("targets.count", |a, v| a.minimum_healthy_count = v, &[1, 1000], &[0]),
        ("percentage", |a, v| a.minimum_healthy_percentage = Some(v), &[1, 100], &[0, 101]),
    ];
    for (field, set, fine, wrong) in fields {
        let with = |value| {
            let mut attributes = Attributes::default();
            set(&mut attributes, value);
            attributes.check()
        };
        fine.iter().for_each(|value| with(*value).unwrap());
        wrong.iter().for_each(|value| refused(with(*value), field));
    }
    check_stop_timeout(2).unwrap();
    check_stop_timeout(120).unwrap();
    refused(check_stop_timeout(1), "stopTimeout");
    refused(check_stop_timeout(121), "stopTimeout");
}

#[test]
fn a_matcher_is_codes_and_ranges_from_200_to_499() {
    let matches = |text: &str, code| Matcher::http(text).unwrap().matches(code);
    assert!(matches("200-499", 200) && matches("200-499", 499) && !matches("200-499", 500));
    assert!(matches("200,202", 202) && !matches("200,202", 201));
    assert!(matches("200, 300-302", 301));
    for wrong in ["", "199", "500", "200-500", "299-200", "200,", "2xx", "200--201", "+200", "99999999999"] {
        assert!(Matcher::http(wrong).is_err(), "{wrong}");
    }
    assert!(Matcher::grpc("12").unwrap().matches(12) && Matcher::grpc("0-99").is_ok());
    assert!(Matcher::grpc("100").is_err());
}

#[test]
fn a_new_target_needs_one_success_and_an_ill_one_as_many_as_the_threshold() {
    use Check::{Answered, Failed, InternalError, TimedOut};
    use TargetState as T;
    let mut target = Target::register(TargetGroup::default());
    assert_eq!(target.state(), (T::Initial, Some(Reason::RegistrationInProgress)));
    target.checking();
    assert_eq!(target.state(), (T::Initial, Some(Reason::InitialHealthChecking)));
    assert_eq!(target.checked(Answered(503)), (T::Initial, Some(Reason::InitialHealthChecking)));
    assert_eq!(target.checked(Answered(200)), (T::Healthy, None));
    assert_eq!(target.checked(TimedOut), (T::Healthy, None));
    assert_eq!(target.checked(Answered(200)), (T::Healthy, None), "not in a row");
    assert_eq!(target.checked(Failed), (T::Healthy, None));
    for (check, reason) in [
        (Answered(404), Reason::ResponseCodeMismatch),
        (TimedOut, Reason::Timeout),
        (Failed, Reason::FailedHealthChecks),
        (InternalError, Reason::InternalError),
    ] {
        assert_eq!(target.checked(check), (T::Unhealthy, Some(reason)));
    }
    for _ in 0..4 {
        assert_eq!(target.checked(Answered(200)).0, T::Unhealthy);
    }
    assert_eq!(target.checked(Answered(200)), (T::Healthy, None));

    let mut never = Target::register(TargetGroup::default());
    assert_eq!(never.checked(TimedOut).0, T::Initial);
    assert_eq!(never.checked(TimedOut), (T::Unhealthy, Some(Reason::Timeout)));
    for _ in 0..4 {
        assert_eq!(never.checked(Answered(200)).0, T::Unhealthy, "it is not new any more");
    }
    assert_eq!(never.checked(Answered(200)).0, T::Healthy);
}

#[test]
fn what_surrounds_a_target_goes_before_its_checks() {
    let mut target = Target::register(TargetGroup::default());
    target.checked(Check::Answered(200));
    for (standing, state, reason) in [
        (Standing::NotInUse, TargetState::Unused, Reason::NotInUse),
        (Standing::InvalidState, TargetState::Unused, Reason::InvalidState),
        (Standing::IpUnusable, TargetState::Unused, Reason::IpUnusable),
        (Standing::HealthCheckDisabled, TargetState::Unavailable, Reason::HealthCheckDisabled),
        (Standing::HealthCheckBroken, TargetState::Unavailable, Reason::InternalError),
    ] {
        target.stands(standing);
        assert_eq!(target.state(), (state, Some(reason)));
    }
    target.stands(Standing::Used);
    assert_eq!(target.state().0, TargetState::Initial, "it is new to the group");
    let text = |reason| serde_json::to_value(reason).unwrap();
    assert_eq!(text(Reason::ResponseCodeMismatch), "Target.ResponseCodeMismatch");
    assert_eq!(text(Reason::InitialHealthChecking), "Elb.InitialHealthChecking");
    assert_eq!(serde_json::to_value(TargetState::Unavailable).unwrap(), "unavailable");
    assert_eq!(serde_json::to_value(Unhealthy).unwrap(), "UNHEALTHY");
}

#[test]
fn a_target_that_leaves_is_done_early_and_is_reported_until_the_delay_is_over() {
    let at = |seconds, in_flight, connections| {
        let leaving = leaving(s(300), s(seconds), in_flight, connections);
        (leaving.state, leaving.done)
    };
    assert_eq!(at(0, 1, 1), (TargetState::Draining, false));
    assert_eq!(at(10, 0, 1), (TargetState::Draining, false));
    assert_eq!(at(10, 0, 0), (TargetState::Draining, true));
    assert_eq!(at(299, 3, 1), (TargetState::Draining, false));
    assert_eq!(at(300, 3, 1), (TargetState::Unused, true));
    assert_eq!(leaving(s(0), s(0), 1, 1).reason, Reason::NotRegistered);
}

#[test]
fn requests_go_to_the_healthy_and_to_all_when_too_few_are() {
    use TargetState::{Draining, Healthy, Initial, Unavailable, Unhealthy, Unused};
    let one = Attributes::default();
    let two = Attributes { minimum_healthy_count: 2, ..Attributes::default() };
    let half = Attributes { minimum_healthy_percentage: Some(50), ..Attributes::default() };
    let rows: [(&Attributes, &[TargetState], &[bool], bool); 11] = [
        (&one, &[Healthy, Unhealthy], &[true, false], false),
        (&one, &[Unhealthy, Unhealthy], &[true, true], true),
        (&one, &[Unhealthy], &[true], true),
        (&one, &[Initial, Unhealthy, Draining, Unused], &[true, true, false, false], true),
        (&one, &[Initial, Healthy], &[false, true], false),
        (&one, &[Unavailable], &[true], false),
        (&one, &[Draining, Unused], &[false, false], false),
        (&two, &[Healthy, Unhealthy], &[true, true], true),
        (&two, &[Healthy, Healthy, Unhealthy], &[true, true, false], false),
        (&half, &[Healthy, Unhealthy], &[true, false], false),
        (&half, &[Healthy, Unhealthy, Unhealthy], &[true, true, true], true),
    ];
    for (attributes, targets, gets, open) in rows {
        let routing = routing(targets, attributes);
        assert_eq!((&routing.gets_requests[..], routing.fails_open), (gets, open), "{targets:?}");
    }
}

#[test]
fn slow_start_is_a_straight_line_beside_others_only() {
    let on = Attributes { slow_start_seconds: 100, ..Attributes::default() };
    let close = |share: f64, wanted: f64| assert!((share - wanted).abs() < 1e-9, "{share} is not {wanted}");
    for (seconds, share) in [(0, 0.0), (25, 0.25), (50, 0.5), (99, 0.99), (100, 1.0), (1000, 1.0)] {
        close(slow_start_share(&on, s(seconds), true), share);
        close(slow_start_share(&on, s(seconds), false), 1.0);
        close(slow_start_share(&Attributes::default(), s(seconds), true), 1.0);
    }
}

#[test]
fn stopping_is_sigterm_then_sigkill_after_stop_timeout() {
    assert_eq!(stop(30, s(0)), Stop::Wait);
    assert_eq!(stop(30, s(30) - Duration::from_nanos(1)), Stop::Wait);
    assert_eq!(stop(30, s(30)), Stop::Kill);
    assert_eq!(service::STOP_TIMEOUT_DEFAULT_SECONDS, 30);
}

#[test]
fn a_task_counts_by_every_check_that_it_has() {
    let (ill, well) = (Some(TargetState::Unhealthy), Some(TargetState::Healthy));
    for (running, container, target, counts) in [
        (39, None, None, false),
        (40, None, None, true),
        (0, Some(Healthy), None, true),
        (99, Some(Unknown), None, false),
        (0, None, well, true),
        (99, None, Some(TargetState::Initial), false),
        (0, Some(Healthy), well, true),
        (99, Some(Healthy), ill, false),
        (99, Some(Unhealthy), well, false),
    ] {
        assert_eq!(counts_as_healthy(s(running), container, target), counts, "{container:?} {target:?}");
    }
    assert!(is_replaced(0, s(0), Some(Unhealthy), None) && is_replaced(0, s(0), None, ill));
    assert!(!is_replaced(60, s(59), Some(Unhealthy), ill) && is_replaced(60, s(60), Some(Unhealthy), ill));
    assert!(!is_replaced(0, s(99), Some(Unknown), Some(TargetState::Initial)));
    assert!(!is_replaced(0, s(99), None, None));
}

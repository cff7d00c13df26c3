use super::labels::{FLIP_KINDS, REPLACEMENTS};
use super::*;
use crate::limits::EGRESS_HOSTS_MAX;
use std::sync::Arc;
use vitrine_wire::{EgressFailure, IsolateState, IsolateStatus};

fn series(release: &str) -> Arc<Series> {
    Arc::new(Series::of(&release.parse().unwrap()))
}

#[test]
fn requests_are_counted_by_release_outcome_and_code_and_forgotten_with_their_release() {
    let metrics = Metrics::new();
    let (one, two) = (series("catalog@v1"), series("catalog@v2"));
    assert!(!metrics.encode().contains("catalog"), "nothing is told before there is something to tell");
    for series in [&one, &one, &two] {
        let _in_flight = series.enter(&metrics);
        metrics.request(series, Outcome::Ok, 200, 0.02, Some((0.001, 0.0, Duration::from_millis(20))));
    }
    metrics.request(metrics.unrouted(), Outcome::NoRoute, 404, 0.001, None);
    let text = metrics.encode();
    let has = |line: &str| assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
    has(r#"vitrine_http_requests_total{app="catalog",release="v1",outcome="ok",code="200"} 2"#);
    has(r#"vitrine_http_requests_total{app="",release="",outcome="no_route",code="404"} 1"#);
    has(r#"vitrine_http_request_duration_seconds_count{app="catalog",release="v1"} 2"#);
    has(r#"vitrine_render_cpu_seconds_bucket{app="catalog",release="v2",le="0.001"} 1"#);
    has(r#"vitrine_in_flight{app="catalog",release="v1"} 0"#);
    has("vitrine_queue_seconds_count 3");

    metrics.forget(&one);
    let text = metrics.encode();
    assert!(!text.contains(r#"release="v1""#), "{text}");
    assert!(text.contains(r#"release="v2""#), "{text}");
}

#[test]
fn a_handshake_is_an_answer_and_no_cpu_time_is_known_of_it() {
    let metrics = Metrics::new();
    let series = series("catalog@v1");
    metrics.handshake(&series, Duration::from_millis(20));
    let figures = series.sample().figures();
    assert_eq!((figures.requests, figures.errors), (1, 0));
    let text = metrics.encode();
    assert!(text.contains(r#"{app="catalog",release="v1",outcome="ok",code="101"} 1"#), "{text}");
    assert!(!text.contains("vitrine_render_cpu_seconds_count{"), "{text}");
}

#[test]
fn what_still_counts_for_a_release_that_is_gone_leaves_nothing_behind() {
    let metrics = Metrics::new();
    let gone = series("catalog@v1");
    let under_way = gone.enter(&metrics);
    metrics.forget(&gone);
    metrics.request(
        under_way.series(),
        Outcome::Ok,
        200,
        0.02,
        Some((0.001, 0.0, Duration::from_millis(20))),
    );
    drop(under_way);
    let late = gone.enter(&metrics);
    metrics.request(&gone, Outcome::AppError, 500, 0.02, None);
    drop(late);
    metrics.workers(&gone, &["ready"], Some(1));
    metrics.isolates(&gone, &[]);
    metrics.fail_open(&gone, true);
    assert!(!metrics.encode().contains("catalog"), "{}", metrics.encode());
    // Another release may have its name.
    let again = series("catalog@v1");
    metrics.request(&again, Outcome::Ok, 200, 0.02, None);
    metrics.request(&gone, Outcome::Ok, 200, 0.02, None);
    metrics.forget(&gone);
    let counted = r#"vitrine_http_requests_total{app="catalog",release="v1",outcome="ok",code="200"} 1"#;
    assert!(metrics.encode().contains(counted), "{}", metrics.encode());
}

#[test]
fn a_worker_is_in_one_state_at_a_time_and_a_release_without_one_tells_nothing_of_it() {
    let metrics = Metrics::new();
    let series = series("catalog@v1");
    metrics.workers(&series, &["booting"], None);
    metrics.workers(&series, &["ready"], Some(1024));
    let text = metrics.encode();
    assert!(text.contains(r#"vitrine_workers{app="catalog",release="v1",state="booting"} 0"#), "{text}");
    assert!(text.contains(r#"vitrine_workers{app="catalog",release="v1",state="ready"} 1"#), "{text}");
    assert!(text.contains(r#"vitrine_worker_memory_bytes{app="catalog",release="v1"} 1024"#), "{text}");
    assert!(!text.contains("vitrine_isolates"), "{text}");
    metrics.isolates(&series, &[]);
    metrics.fail_open(&series, false);
    metrics.no_worker(&series);
    assert!(!metrics.encode().contains("catalog"), "{}", metrics.encode());
}

/// The samples of a metric, by their labels.
fn samples<'a>(text: &'a str, name: &str) -> Vec<(&'a str, &'a str)> {
    let samples =
        text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('{')?.split_once("} "));
    samples.collect()
}

#[test]
fn counters_are_exported_as_0_before_their_first_event() {
    let logs = LogDrops::default();
    let metrics = Metrics::counting(&logs);
    let app: AppName = "shop".parse().unwrap();
    metrics.add_app(&app);
    metrics.egress_hosts(&app, ["api.example.com"]);
    metrics.live(&series("shop@v1"));
    let _sides = [Side::Edge, Side::Admin].map(|side| metrics.connections(side));
    let text = metrics.encode();
    for (name, labels, count) in [
        ("vitrine_worker_replacements_total", r#"app="shop",reason="#, 3),
        ("vitrine_flips_total", r#"app="shop",kind="#, 2),
        ("vitrine_warm_failures_total", r#"app="shop""#, 1),
        ("vitrine_log_lines_dropped_total", r#"app="shop",reason="#, 3),
        ("vitrine_log_lines_dropped_total", r#"app="",reason="#, 1),
        ("vitrine_egress_requests_total", r#"app="shop",host="api.example.com",outcome="#, 5),
        ("vitrine_http_requests_total", r#"app="shop",release="v1",outcome="#, 12),
        ("vitrine_http_request_duration_seconds_count", r#"app="shop",release="v1""#, 1),
        ("vitrine_render_cpu_seconds_count", r#"app="shop",release="v1""#, 1),
        ("vitrine_isolate_restarts_total", "reason=", RestartReason::ALL.len()),
        ("vitrine_connections_evicted_total", r#"side="edge",reason="#, 5),
        ("vitrine_connections_refused_total", r#"side="admin",reason="#, 3),
    ] {
        let all = samples(&text, name);
        let found: Vec<_> = all.iter().filter(|(found, _)| found.starts_with(labels)).collect();
        assert!(found.len() == count && found.iter().all(|(_, value)| *value == "0"), "{name}: {text}");
    }
    assert!(text.lines().any(|line| line == "vitrine_wakes_refused_total 0"), "{text}");
    // Each counter that is registered is among them, but for certificates, which are counted by file.
    let counters = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"));
    for counter in counters.filter(|name| !name.contains("certificate")) {
        assert!(text.lines().any(|line| line.starts_with(counter)), "{counter}: {text}");
    }
}

#[test]
fn series_of_an_app_go_with_it_and_none_comes_after_that() {
    let metrics = Metrics::new();
    let [shop, blog]: [AppName; 2] = ["shop", "blog"].map(|app| app.parse().unwrap());
    let count = |app: &AppName| {
        metrics.flip(app, FlipKind::Rollback);
        metrics.replacement(app, Replacement::Hung);
        metrics.egress(app, "api.example.com", Ok(()));
        metrics.egress(app, "evil.example.com", Err(&EgressFailure::Denied("no".into())));
    };
    for app in [&shop, &blog] {
        metrics.add_app(app);
        count(app);
    }
    let text = metrics.encode();
    assert!(text.contains(r#"vitrine_flips_total{app="shop",kind="rollback"} 1"#), "{text}");
    // Beside the two calls: as many flips, replacements, failures and dropped lines as there are kinds.
    let all = 2 + FLIP_KINDS.len() + REPLACEMENTS.len() + 1 + 3;
    assert_eq!(text.matches(r#"{app="shop""#).count(), all, "{text}");
    metrics.forget_app(&shop);
    count(&shop);
    let text = metrics.encode();
    assert_eq!([r#"{app="shop""#, r#"{app="blog""#].map(|app| text.matches(app).count()), [0, all], "{text}");
}

#[test]
fn what_an_app_makes_up_is_counted_together_beyond_a_bound() {
    let metrics = Metrics::new();
    let (series, app) = (series("catalog@v1"), "catalog".parse().unwrap());
    metrics.add_app(&app);
    for code in 200..900 {
        metrics.request(&series, Outcome::Ok, code, 0.02, None);
    }
    for number in 0..1_000 {
        metrics.egress(&app, &format!("{number}.example.com"), Err(&EgressFailure::Denied("no".into())));
    }
    let text = metrics.encode();
    assert!(text.matches("vitrine_http_requests_total{").count() < 80, "{text}");
    assert_eq!(text.matches("vitrine_egress_requests_total{").count(), EGRESS_HOSTS_MAX + 1);
    let others = format!(
        r#"vitrine_egress_requests_total{{app="catalog",host="other",outcome="denied"}} {}"#,
        1_000 - EGRESS_HOSTS_MAX
    );
    assert!(text.contains(&others), "{text}");
    metrics.forget(&series);
    metrics.forget_app(&app);
    assert!(!metrics.encode().contains("catalog"), "{}", metrics.encode());
}

#[test]
fn restarts_are_counted_once_and_a_new_worker_begins_anew() {
    let metrics = Metrics::new();
    let series = series("catalog@v1");
    let told = |restarts: &[(RestartReason, u32)]| {
        let status = IsolateStatus {
            state: IsolateState::Serving,
            in_flight: 0,
            heap_bytes: 0,
            restarts: restarts.to_vec(),
            alive: true,
        };
        metrics.isolates(&series, &[status.clone(), status]);
        let line = |reason: &str| format!("vitrine_isolate_restarts_total{{reason=\"{reason}\"}} ");
        let text = metrics.encode();
        ["cpu_limit", "heap_limit"].map(|reason| {
            text.lines().find_map(|l| l.strip_prefix(&line(reason))?.parse::<u32>().ok()).unwrap_or(0)
        })
    };
    let (cpu, heap) = (RestartReason::CpuLimit, RestartReason::HeapLimit);
    assert_eq!(told(&[(cpu, 3)]), [6, 0]);
    assert_eq!(told(&[(cpu, 3)]), [6, 0]);
    assert_eq!(told(&[(cpu, 4), (heap, 1)]), [8, 2]);
    assert_eq!(told(&[(cpu, 1)]), [10, 2], "another render process");
    assert_eq!(told(&[]), [10, 2]);
}

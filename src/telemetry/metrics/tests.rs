use super::*;

#[test]
fn requests_are_counted_by_release_outcome_and_code_and_forgotten_with_their_release() {
    let metrics = Metrics::new();
    let one: ReleaseId = "catalog@v1".parse().unwrap();
    let two: ReleaseId = "catalog@v2".parse().unwrap();
    for release in [&one, &one, &two] {
        let series = metrics.series(Some(release));
        let _in_flight = series.enter();
        metrics.request(&series, Outcome::Ok, 200, 0.02, Some((0.001, 0.0, Duration::from_millis(20))));
    }
    metrics.request(&metrics.series(None), Outcome::NoRoute, 404, 0.001, None);
    let text = metrics.encode();
    let has = |line: &str| assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
    has(r#"vitrine_http_requests_total{app="catalog",release="v1",outcome="ok",code="200"} 2"#);
    has(r#"vitrine_http_requests_total{app="",release="",outcome="no_route",code="404"} 1"#);
    has(r#"vitrine_http_request_duration_seconds_count{app="catalog",release="v1"} 2"#);
    has(r#"vitrine_render_cpu_seconds_bucket{le="0.001",app="catalog",release="v2"} 1"#);
    has(r#"vitrine_in_flight{app="catalog",release="v1"} 0"#);
    has("vitrine_queue_seconds_count 3");

    metrics.forget(&one);
    let text = metrics.encode();
    assert!(!text.contains(r#"release="v1""#), "{text}");
    assert!(text.contains(r#"release="v2""#), "{text}");
}

#[test]
fn a_worker_is_in_one_state_at_a_time_and_unbuilt_metrics_are_absent() {
    let metrics = Metrics::new();
    let release: ReleaseId = "catalog@v1".parse().unwrap();
    metrics.worker(&release, Some("booting"), None);
    metrics.worker(&release, Some("ready"), Some(1024));
    metrics.flip(&release.app, FlipKind::Rollback);
    let text = metrics.encode();
    assert!(text.contains(r#"vitrine_workers{app="catalog",release="v1",state="booting"} 0"#), "{text}");
    assert!(text.contains(r#"vitrine_workers{app="catalog",release="v1",state="ready"} 1"#), "{text}");
    assert!(text.contains(r#"vitrine_worker_memory_bytes{app="catalog",release="v1"} 1024"#), "{text}");
    assert!(text.contains(r#"vitrine_flips_total{app="catalog",kind="rollback"} 1"#), "{text}");
    assert!(!text.contains("vitrine_isolates"), "{text}");
}

#[test]
fn restarts_are_counted_once_and_a_new_worker_begins_anew() {
    let metrics = Metrics::new();
    let release: ReleaseId = "catalog@v1".parse().unwrap();
    let told = |restarts: &[(RestartReason, u32)]| {
        let status = IsolateStatus {
            state: IsolateState::Serving,
            in_flight: 0,
            heap_bytes: 0,
            restarts: restarts.to_vec(),
            alive: true,
        };
        metrics.isolates(&release, &[status.clone(), status]);
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

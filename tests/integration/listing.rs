//! Lists and metrics of a host with many apps: a page at a time, and nothing of what is not there any more.

use serde_json::Value;
use std::time::Duration;
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

/// The metrics look at workers every 10 s.
const PATIENCE: Duration = Duration::from_secs(40);
const SLEEPY: &str = "[switching]\nidle_timeout_ms = 1000\n";

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|app| app["app"].as_str().unwrap()).collect()
}

#[test]
fn apps_are_listed_a_page_at_a_time_and_a_line_each() {
    let host = Host::start();
    let apps = ["alpha", "beta", "delta", "gamma", "omega"];
    for app in apps.iter().rev() {
        host.deploy(app, "page", &["--version", "v1"]);
    }
    host.deploy("beta", "new page", &["--version", "v2", "--no-promote"]);
    host.cli(&["promote", "beta", "v2", "--weight", "30"]).ok();
    let list = |query: &str| host.call("GET", &format!("/v1/apps{query}")).send().json();
    let whole = list("");
    assert_eq!(names(&whole), apps);
    assert_eq!(whole[1]["releases"][0]["version"], "v2");
    assert_eq!(names(&list("?limit=2")), ["alpha", "beta"]);
    assert_eq!(names(&list("?limit=2&after=beta")), ["delta", "gamma"]);
    assert_eq!(names(&list("?limit=2&after=gamma")), ["omega"]);
    assert_eq!(list("?after=omega"), serde_json::json!([]));
    let short = list("?short=true&limit=2");
    assert_eq!(names(&short), ["alpha", "beta"]);
    assert_eq!(short[0]["share"], Value::Null);
    assert_eq!(
        (&short[1]["live"], &short[1]["releases"], &short[1]["share"]),
        (&"v1".into(), &2.into(), &serde_json::json!({"version": "v2", "weight": 30}))
    );
    for (query, word) in [("?limit=0", "limit"), ("?page=2", "page"), ("?after=A", "after")] {
        let refused = host.call("GET", &format!("/v1/apps{query}")).send();
        assert!(refused.status == 400 && refused.text().contains(word), "{query}: {refused:?}");
    }
    let shown = host.cli(&["status"]).ok().stdout;
    assert!(apps.iter().all(|app| shown.contains(app)) && shown.contains("v1, v2 for 30 %"), "{shown}");
    assert_eq!(names(&host.cli(&["status", "--json"]).ok().json()), apps);
}

#[test]
fn what_sleeps_or_is_gone_has_no_series() {
    let host = Host::start_in(Host::configured(SLEEPY), &["--isolation", "process"]);
    for (version, flags) in [("v1", [].as_slice()), ("v2", &[]), ("v3", &["--no-promote"])] {
        host.deploy("shop", version, &[&["--version", version], flags].concat());
    }
    let metrics = || host.call("GET", "/metrics").send().text().to_owned();
    let of = |text: &str, name: &str, version: &str| {
        let labels = format!("{name}{{app=\"shop\",release=\"{version}\"");
        text.lines().filter(|line| line.starts_with(&labels)).count()
    };
    wait_until("figures of the live worker", PATIENCE, || {
        (of(&metrics(), "vitrine_workers", "v2") == 6).then_some(())
    });
    assert_eq!(host.get("shop-v3", "/").send().status, 200);
    wait_until("v3 sleeps", PATIENCE, || (host.release("shop", "v3")["phase"] == "sleeping").then_some(()));
    wait_until("and tells nothing of a worker", PATIENCE, || {
        let text = metrics();
        let kept = of(&text, "vitrine_http_requests_total", "v3") == 1;
        let told = [
            "vitrine_workers",
            "vitrine_worker_memory_bytes",
            "vitrine_isolates",
            "vitrine_isolate_heap_bytes",
        ];
        (kept && told.iter().all(|name| of(&text, name, "v3") == 0)).then_some(())
    });
    host.cli(&["remove", "shop@v3"]).ok();
    assert!(!metrics().contains("release=\"v3\""), "{}", metrics());
    assert!(metrics().contains("vitrine_flips_total{app=\"shop\""), "{}", metrics());
    // Workers that are ended on purpose were not replaced: each of the three reasons is 0.
    let text = metrics();
    let replaced =
        text.lines().filter(|line| line.starts_with("vitrine_worker_replacements_total{app=\"shop\""));
    assert_eq!(replaced.filter(|line| line.ends_with(" 0")).count(), 3, "{text}");
    host.cli(&["remove", "shop", "--yes"]).ok();
    assert!(!metrics().contains("shop"), "{}", metrics());
}

//! Checks against the health path: at the start, and as the operator configures them.

use serde_json::Value;
use std::time::Duration;
use vitrine_test_support::archive::bundle_dir;
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

/// Far below the five minutes between two checks: what is seen in this time, errors of pages brought forward.
const PATIENCE: Duration = Duration::from_secs(40);
/// One isolate, so that what it is told is what the next request meets.
const MANIFEST: &str = r#"{"health":{"path":"/up"},"limits":{"isolates":1}}"#;
/// `/break` makes its health path fail until another worker takes its place, which takes a second, so that who looks sees what is until then.
const APP: &str = "let broken = false;\n\
                   let isWarm = false;\n\
                   export default async (request) => {\n\
                     const path = new URL(request.url).pathname;\n\
                     if (path === '/break') broken = true;\n\
                     if (path === '/up') return new Response('up', { status: broken ? 503 : 200 });\n\
                     if (path === '/bad') return new Response('bad', { status: 500 });\n\
                     if (!isWarm) await new Promise((done) => setTimeout(done, 1000));\n\
                     isWarm = true;\n\
                     return new Response('page');\n\
                   };\n";

const FLAGS: [&str; 4] = ["--isolation", "process", "--config", "vitrine.toml"];

fn start(toml: &str) -> Host {
    deployed(Host::start_in(Host::configured(toml), &FLAGS))
}

fn deployed(host: Host) -> Host {
    host.deploy_files("shop", &[("server/index.js", APP), ("vitrine.json", MANIFEST)], &["--version", "v1"]);
    host
}

fn look(host: &Host) -> Value {
    host.call("GET", "/v1/apps/shop/releases/v1").send().json()
}

fn metric(host: &Host, line: &str) -> bool {
    host.call("GET", "/metrics").send().text().lines().any(|known| known == line)
}

/// Server errors in a row: each handful of them brings the next check forward.
fn complain(host: &Host) {
    for _ in 0..5 {
        assert_eq!(host.get("shop", "/bad").send().status, 500);
    }
}

#[test]
fn a_bundle_whose_health_path_fails_is_refused_and_nothing_changes() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    let app = "export default (request) => new Response('no', { status: \
               new URL(request.url).pathname === '/up' ? 500 : 200 });\n";
    let dir = bundle_dir(&[("server/index.js", app), ("vitrine.json", MANIFEST)]);
    let folder = dir.path().to_str().unwrap();
    host.cli(&["deploy", "shop", folder, "--version", "v2"]).fails(1, &["health check `/up` failed", "500"]);
    assert_eq!(host.get("shop", "/").send().text(), "one");
    assert_eq!(host.releases("shop").len(), 1);
}

#[test]
fn a_target_that_fails_its_checks_is_served_all_the_same_and_replaced() {
    let host =
        start("[health.targetGroup]\nHealthCheckIntervalSeconds = 300\nHealthCheckTimeoutSeconds = 2\n");
    let instance = wait_until("the first check", PATIENCE, || {
        let release = look(&host);
        (release["health"]["target"] == "healthy").then(|| release["instance"].clone())
    });
    assert_eq!(look(&host)["health"]["fail_open"], false);
    // Another one that no user gets is not checked, and in use at once when they do.
    host.deploy_files(
        "blog",
        &[("server/index.js", APP), ("vitrine.json", MANIFEST)],
        &["--version", "v1", "--no-promote"],
    );
    let blog = || host.call("GET", "/v1/apps/blog/releases/v1").send().json()["health"].clone();
    wait_until("it is unused", PATIENCE, || (blog()["reason"] == "Target.NotInUse").then_some(()));
    host.cli(&["promote", "blog", "v1"]).ok();
    wait_until("it is checked", PATIENCE, || (blog()["target"] == "healthy").then_some(()));
    assert_eq!(host.get("shop", "/break").send().status, 200);
    let open = r#"vitrine_fail_open{app="shop",release="v1"} 1"#;
    wait_until("it fails open", PATIENCE, || {
        complain(&host);
        let health = look(&host)["health"].clone();
        let ill = health["target"] == "unhealthy" && health["reason"] == "Target.ResponseCodeMismatch";
        (ill && health["fail_open"] == true && metric(&host, open)).then_some(())
    });
    wait_until("another one in its place", PATIENCE, || {
        // All this time pages come: from the one that is ill, then from the other.
        assert_eq!(host.get("shop", "/").send().text(), "page");
        let release = look(&host);
        (release["instance"] != instance && release["health"]["target"] == "healthy").then_some(())
    });
    assert!(metric(&host, r#"vitrine_worker_replacements_total{app="shop",reason="unhealthy"} 1"#));
    assert!(metric(&host, &open.replace("} 1", "} 0")));
    wait_until("the ill one has ended", PATIENCE, || {
        let of_shop = |one: &&vitrine_test_support::processes::WorkerProcess| one.release == "shop@v1";
        (host.workers().iter().filter(of_shop).count() == 1).then_some(())
    });
}

#[test]
fn a_container_check_counts_retries_and_replaces() {
    let host = start("[health.healthCheck]\ninterval = 300\ntimeout = 2\nretries = 2\n");
    let instance = look(&host)["instance"].clone();
    assert_eq!(host.get("shop", "/break").send().status, 200);
    wait_until("another one in its place", PATIENCE, || {
        complain(&host);
        assert_eq!(host.get("shop", "/").send().text(), "page");
        let replaced = metric(&host, r#"vitrine_worker_replacements_total{app="shop",reason="unhealthy"} 1"#);
        (replaced && look(&host)["instance"] != instance).then_some(())
    });
}

/// The same rig against a host that leaves the checks out.
#[test]
fn without_checks_the_rig_sees_that_the_ill_one_stays() {
    let folder = Host::configured("[health.healthCheck]\ninterval = 5\ntimeout = 2\nretries = 2\n");
    let host = deployed(Host::start_broken(folder, &FLAGS, "check.watch=return(skip)"));
    let instance = look(&host)["instance"].clone();
    assert_eq!(host.get("shop", "/break").send().status, 200);
    (0..20).for_each(|_| complain(&host));
    assert_eq!(look(&host)["instance"], instance);
    assert!(metric(&host, r#"vitrine_worker_replacements_total{app="shop",reason="unhealthy"} 0"#));
}

#[test]
fn errors_of_pages_alone_decide_nothing() {
    let host = start("[health.targetGroup]\nHealthCheckIntervalSeconds = 5\n");
    let instance = look(&host)["instance"].clone();
    (0..10).for_each(|_| complain(&host));
    wait_until("a check", PATIENCE, || (look(&host)["health"]["target"] == "healthy").then_some(()));
    let release = look(&host);
    assert_eq!((&release["instance"], &release["health"]["status"]), (&instance, &Value::from("HEALTHY")));
    assert!(host.cli(&["status", "shop"]).ok().stdout.contains("healthy"));
}

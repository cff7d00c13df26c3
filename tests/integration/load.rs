//! What `vitrine status` tells of how an app does.

use std::net::SocketAddr;
use std::time::Duration;
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

const PROCESS: [&str; 2] = ["--isolation", "process"];
/// Workers are looked at every 10 s.
const PATIENCE: Duration = Duration::from_secs(60);
const PAGE: &str = "
    export default { fetch: (request) => {
      if (new URL(request.url).pathname === '/throw') throw new Error('no');
      return new Response('made');
    } };
";

#[test]
fn status_tells_requests_errors_latency_and_memory_of_each_app() {
    let host = Host::start();
    host.deploy_files("shop", &[("server/index.js", PAGE)], &["--version", "v1"]);
    host.deploy("idle", "page", &["--version", "v1"]);
    for _ in 0..15 {
        assert_eq!(host.get("shop", "/").send().status, 200);
    }
    for _ in 0..5 {
        assert_eq!(host.get("shop", "/throw").send().status, 500);
    }
    let load = |app: &str| host.call("GET", &format!("/v1/apps/{app}")).send().json()["load"].clone();
    // The line of a request, and its count, come after its last byte.
    let shop = wait_until("all of them are counted", PATIENCE, || {
        Some(load("shop")).filter(|load| load["error_share"] == 0.25)
    });
    // Over one second at least.
    let seconds = shop["seconds"].as_f64().unwrap().max(1.0);
    let requests = shop["requests_per_s"].as_f64().unwrap() * seconds;
    assert!((15.0..=25.0).contains(&requests), "{shop}");
    assert!(shop["p95_ms"].as_f64().unwrap() > 0.0, "{shop}");
    assert_eq!(
        (load("idle")["requests_per_s"].as_f64(), &load("idle")["error_share"]),
        (Some(0.0), &serde_json::Value::Null)
    );
    wait_until("the worker's memory is known", PATIENCE, || {
        load("shop")["memory_bytes"].as_u64().filter(|bytes| *bytes > 1 << 20)
    });
    let short = host.call("GET", "/v1/apps?short=true").send().json();
    assert_eq!(short[1]["load"]["error_share"], 0.25);
    let table = host.cli(&["status"]).ok().stdout;
    assert!(table.contains("ERRORS") && table.contains("25.0 %"), "{table}");
    assert!(table.lines().any(|line| line.starts_with("idle") && line.contains(" 0.0 ")), "{table}");
    let one = host.cli(&["status", "shop"]).ok().stdout;
    assert!(one.contains(" requests/s, 25.0 % failed, 95 in 100 renders"), "{one}");
}

#[test]
fn a_watch_waits_for_a_host_that_is_restarted() {
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let host = Host::start_at(Host::folder_anew(), [anywhere; 2], &PROCESS);
    host.deploy("shop", "page", &["--version", "v1"]);
    let (admin, token) = (host.admin, host.token());
    let looks = |host: &Host| host.log().matches(r#""path":"/v1/apps/shop","#).count();
    let url = format!("http://{admin}");
    let watching = host.cli(&["status", "shop", "--watch", "--json"]);
    let watching = watching.env("VITRINE_ADMIN", &url).env("VITRINE_TOKEN", &token);
    let mut host = Some(host);
    let ran = watching.signalled_when("-TERM", || {
        let first = host.take().unwrap();
        wait_until("it watches", PATIENCE, || (looks(&first) > 1).then_some(()));
        let before = looks(&first);
        let (folder, _) = first.stop();
        // It looks once a second, and is to find the host away.
        std::thread::sleep(Duration::from_millis(2_500));
        let again = Host::start_at(folder, [anywhere, admin], &PROCESS);
        wait_until("it watches again", PATIENCE, || (looks(&again) > before + 1).then_some(()));
        host = Some(again);
    });
    assert!(ran.stderr.contains("does not answer; waiting"), "{}", ran.stderr);
    assert!(ran.stdout.lines().count() >= 3, "{}", ran.stdout);
    // One that was never there is not waited for.
    host.take().unwrap().stop();
    let nowhere = vitrine_test_support::cli::Cli::new(&["status", "--watch"]).env("VITRINE_ADMIN", &url);
    nowhere.fails(3, &["can't be reached"]);
}

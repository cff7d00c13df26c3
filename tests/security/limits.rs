//! Limits as a client and an operator see them.

use std::time::Duration;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::{Answer, Request};
use vitrine_test_support::wait::wait_until;

/// Ten seconds pass between two looks at a worker.
const OBSERVED: Duration = Duration::from_secs(30);

const PAGES: &str = "
    const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
    const paths = {
      '/spin': () => { for (;;); },
      '/slow': async () => { await sleep(1500); return new Response('slow page'); },
      '/fill': () => { const kept = []; for (;;) kept.push(new Uint8Array(1 << 20).fill(1)); },
      '/wrong': () => 42,
      '/begun': () => new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array([104, 105])); setTimeout(paths['/spin'], 20); } })),
    };
    export default { fetch: (request) => (paths[new URL(request.url).pathname] ?? (() => new Response('fine')))() };
";
const LIMITS: &str =
    r#"{"shell":"index.html","limits":{"cpu_ms":50,"heap_mb":32,"isolates":1,"queue_ms":10000}}"#;
const SHELL: &str = "<!doctype html><title>shell</title>";

fn with_pages() -> Host {
    let host = Host::start();
    let files = [("server/index.js", PAGES), ("vitrine.json", LIMITS), ("client/index.html", SHELL)];
    host.deploy_files("shop", &files, &["--version", "v1"]);
    host
}

fn navigate(host: &Host, path: &str) -> Answer {
    host.get("shop", path).header("accept", "text/html").header("sec-fetch-mode", "navigate").send()
}

#[test]
fn a_render_that_is_ended_leaves_the_shell_and_an_api_its_error() {
    let host = with_pages();
    for (path, outcome, status) in
        [("/spin", "cpu_limit", 503), ("/fill", "heap_limit", 503), ("/wrong", "app_error", 500)]
    {
        let shell = navigate(&host, path);
        assert_eq!((shell.status, shell.text()), (status, SHELL), "{path}");
        assert_eq!(shell.header("x-vitrine-outcome"), Some(outcome));
        assert_eq!(shell.header("cache-control"), Some("no-store"));
        let error = host.get("shop", path).header("accept", "application/json").send();
        assert_eq!((error.status, &error.json()["outcome"]), (status, &outcome.into()), "{path}");
    }
    let begun = navigate(&host, "/begun");
    assert_eq!((begun.status, &begun.body[..], begun.complete), (200, &b"hi"[..], false));
}

#[test]
fn what_is_in_flight_beside_a_render_that_is_ended_is_asked_again_where_that_is_safe() {
    let host = with_pages();
    std::thread::scope(|scope| {
        let read = scope.spawn(|| host.get("shop", "/slow").send());
        let written = scope.spawn(|| {
            let post = Request::new(host.edge, "POST", "/slow").header("host", "shop.localhost");
            post.header("accept", "application/json").body("text").send()
        });
        in_flight(&host, 2);
        assert_eq!(host.get("shop", "/spin").send().status, 503);
        let read = read.join().unwrap();
        assert_eq!((read.status, read.text()), (200, "slow page"));
        let written = written.join().unwrap();
        assert_eq!((written.status, &written.json()["outcome"]), (502, &"crashed".into()));
    });
}

/// Waits until this many requests are being answered.
fn in_flight(host: &Host, requests: usize) {
    wait_until("requests in flight", OBSERVED, || {
        let metrics = host.call("GET", "/metrics").send();
        let line = format!("vitrine_in_flight{{app=\"shop\",release=\"v1\"}} {requests}");
        metrics.text().lines().any(|known| known == line).then_some(())
    });
}

#[test]
fn an_operator_sees_the_limits_in_force_and_what_they_ended() {
    let host = with_pages();
    let told = host.cli(&["status", "shop"]).ok().stdout;
    let row = |name: &str| {
        let cells = told.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
        cells.unwrap_or_else(|| panic!("no {name} in {told}")).to_owned()
    };
    let limits = host.cli(&["status", "shop", "--json"]).ok().json()["releases"][0]["limits"].clone();
    let fields = [
        "cpu_ms",
        "wall_ms",
        "heap_mb",
        "concurrency",
        "queue",
        "queue_ms",
        "request_mb",
        "response_mb",
        "client_stall_ms",
        "stream_idle_ms",
        "subrequests",
        "log_lines_per_s",
        "isolates",
        "isolate_per_request",
    ];
    for name in fields {
        assert_eq!(row(&format!("{name} ")), limits[name].to_string(), "{name}");
    }
    assert_eq!((row("cpu_ms "), row("heap_mb ")), ("50".to_owned(), "32".to_owned()));

    for path in ["/spin", "/spin", "/fill", "/wrong"] {
        host.get("shop", path).send();
    }
    wait_until("restarts in the metrics", OBSERVED, || {
        let metrics = host.call("GET", "/metrics").send();
        let counted = |reason: &str, count: u32| {
            let line = format!("vitrine_isolate_restarts_total{{reason=\"{reason}\"}} {count}");
            metrics.text().lines().any(|known| known == line)
        };
        (counted("cpu_limit", 2) && counted("heap_limit", 1) && counted("wrong_type", 1)).then_some(())
    });
}

//! `vitrine logs`: what it shows of an app, and how long.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

const PROCESS: [&str; 2] = ["--isolation", "process"];
const PATIENCE: Duration = Duration::from_secs(30);
/// Says which page it makes; fails, or never ends, when it is asked to.
const TALKS: &str = "
    export default { fetch: (request) => {
      const path = new URL(request.url).pathname;
      console.log('page ' + path);
      if (path === '/loop') for (;;) {}
      if (path === '/throw') throw new TypeError('no cart');
      return new Response('made', { status: path === '/sorry' ? 503 : 200 });
    } };
";
const MANIFEST: &str = r#"{"limits": {"cpu_ms": 100, "isolates": 1}, "health": {"path": "/up"}}"#;

fn with_talker() -> Host {
    let host = Host::start();
    deploy(&host, &["--version", "v1"]);
    host
}

fn deploy(host: &Host, flags: &[&str]) {
    host.deploy_files("shop", &[("server/index.js", TALKS), ("vitrine.json", MANIFEST)], flags);
}

fn logs(host: &Host, flags: &[&str]) -> String {
    host.cli(&[&["logs", "shop"], flags].concat()).ok().stdout
}

fn json(host: &Host, flags: &[&str]) -> Vec<Value> {
    let shown = logs(host, &[flags, &["--json"]].concat());
    shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Asks for a page, and gives the id of the request.
fn ask(host: &Host, path: &str) -> String {
    host.get("shop", path).send().header("x-request-id").unwrap().to_owned()
}

fn until_shown(host: &Host, flags: &[&str], text: &str) -> String {
    wait_until(text, PATIENCE, || Some(logs(host, flags)).filter(|shown| shown.contains(text)))
}

#[test]
fn a_request_is_found_by_the_id_that_its_error_page_shows() {
    let host = with_talker();
    ask(&host, "/one");
    let page = host.get("shop", "/throw").header("accept", "text/html").send();
    let id = page.header("x-request-id").unwrap();
    assert!(page.text().contains(id));
    let shown = until_shown(&host, &["--id", id], "GET /throw 500 app_error ");
    assert!(shown.contains("page /throw") && !shown.contains("/one"), "{shown}");
    // The id that a line shows is the end of it.
    let short = &id[id.len() - 8..];
    assert!(shown.lines().all(|line| line.starts_with(' ') || line.contains(short)), "{shown}");
    assert_eq!(logs(&host, &["--id", short]), shown);
    let all = json(&host, &["--id", id]);
    assert!(all.iter().all(|line| line["request_id"] == id), "{all:?}");
    let request = all.iter().find(|line| line["kind"] == "request").unwrap();
    assert_eq!(request["request"]["path"], "/throw");
    assert_eq!(request["request"]["status"], 500);
    assert_eq!(request["request"]["outcome"], "app_error");
    let nowhere = "01900000-0000-7000-8000-000000000000";
    host.cli(&["logs", "shop", "--id", nowhere]).fails(1, &[nowhere, "last 8 characters"]);
}

#[test]
fn failed_requests_are_shown_and_the_others_are_when_asked_for() {
    let host = with_talker();
    for path in ["/good", "/sorry", "/loop"] {
        ask(&host, path);
    }
    let shown = until_shown(&host, &[], "GET /loop 503 cpu_limit ");
    let shown =
        if shown.contains("/sorry 503 ok") { shown } else { until_shown(&host, &[], "/sorry 503 ok") };
    assert!(shown.contains("page /good") && !shown.contains("GET /good"), "{shown}");
    let requests = |flags: &[&str]| {
        let all = json(&host, flags);
        let paths = all.iter().filter_map(|line| line["request"]["path"].as_str().map(String::from));
        let mut paths: Vec<String> = paths.collect();
        paths.sort();
        paths
    };
    assert_eq!(requests(&["--requests"]), ["/good", "/loop", "/sorry"]);
    assert_eq!(requests(&["--outcome", "cpu_limit"]), ["/loop"]);
    assert_eq!(requests(&["--path", "/*o*r*"]), ["/sorry"]);
    assert_eq!(requests(&["--level", "error"]), ["/loop", "/sorry"]);
    assert_eq!(logs(&host, &["--requests", "--tail", "2"]).lines().count(), 2);
    host.cli(&["logs", "shop", "--outcome", "bad"]).fails(2, &["cpu_limit"]);
    host.cli(&["logs", "shop", "--tail", "10001"]).fails(1, &["10000", "since"]);
}

#[test]
fn lines_of_warm_ups_and_checks_are_hidden_and_those_of_previews_are_marked() {
    let host = with_talker();
    deploy(&host, &["--version", "v2", "--preview", "pr-7"]);
    let preview = format!("shop-pr-7.localhost:{}", host.edge.port());
    host.get("shop", "/seen").with_host(&preview).send();
    host.get("shop", "/live").send();
    let shown = until_shown(&host, &[], "page /live");
    assert!(shown.contains("v2 [preview pr-7]") && shown.contains("page /seen"), "{shown}");
    assert!(shown.lines().any(|line| line.contains(" v1 ") && line.contains("page /live")), "{shown}");
    assert!(!shown.contains("page /\n") && !shown.contains("page /up"), "{shown}");
    let all = logs(&host, &["--all"]);
    assert!(all.contains("v1 warm-up page /\n") || all.contains("v1 [not live] warm-up page /\n"), "{all}");
    assert!(all.contains(" health page /up"), "{all}");
    let said = host.cli(&["logs", "shop"]).ok().stderr;
    assert!(said.contains("--all shows them"), "{said}");
}

#[test]
fn lines_outlive_a_stop_a_kill_and_an_upgrade() {
    let host = with_talker();
    ask(&host, "/before");
    until_shown(&host, &[], "page /before");
    let (folder, _) = host.stop();
    let host = Host::start_in(folder, &PROCESS);
    ask(&host, "/between");
    until_shown(&host, &["--requests"], "GET /between");
    let folder = host.kill();
    let host = Host::start_in(folder, &PROCESS);
    host.cli(&["upgrade"]).ok();
    ask(&host, "/after");
    let shown = until_shown(&host, &["--requests"], "GET /after");
    let at = |text: &str| shown.find(text).unwrap_or_else(|| panic!("no {text} in {shown}"));
    assert!(at("GET /before") < at("GET /between") && at("GET /between") < at("GET /after"), "{shown}");
}

#[test]
fn a_follower_sees_requests_as_they_end() {
    let host = with_talker();
    ask(&host, "/early");
    until_shown(&host, &["--requests"], "GET /early");
    let mut stream = TcpStream::connect(host.admin).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (token, path) = (host.token(), "/v1/apps/shop/logs?follow=true&requests=true&tail=9");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines();
    let mut until = |text: &str| {
        let found = lines.by_ref().map(Result::unwrap).find(|line| line.contains(text));
        assert!(found.is_some(), "the stream ended before {text}");
    };
    until("GET /early");
    ask(&host, "/late");
    until("GET /late 200 ok");
}

#[test]
fn denied_calls_and_crashes_are_in_the_apps_log() {
    const CALLS: &str = "
        export default { fetch: async () => {
          try { await fetch('http://127.0.0.1:9/private'); } catch {}
          return new Response('made without');
        } };
    ";
    let host = Host::start();
    let manifest = r#"{"egress": ["http://127.0.0.1:9"]}"#;
    host.deploy_files(
        "shop",
        &[("server/index.js", CALLS), ("vitrine.json", manifest)],
        &["--version", "v1"],
    );
    ask(&host, "/calls");
    // The first denial, which may have been a warm-up's, and that is told, too.
    let shown = until_shown(&host, &[], "egress denied: http://127.0.0.1:9");
    assert!(shown.contains("warn  v1 ") && shown.contains("allow_private"), "{shown}");
    let worker = host.workers().into_iter().find(|worker| worker.release == "shop@v1").unwrap();
    let render = worker.render.expect("a render process");
    vitrine_test_support::processes::kill(render);
    let all = until_shown(&host, &[], "the render process ended");
    assert!(all.contains("error v1 - the render process ended"), "{all}");
}

#[test]
fn an_error_that_the_app_logs_and_then_fails_with_is_logged_once_and_mapped() {
    // As React does: the error goes to the console, and then to whoever waits for the page.
    const LOGS_AND_THROWS: &str = "
        function addUp() { return new TypeError('no price', { cause: 'no cart' }); }
        export default { fetch: (request) => {
          if (new URL(request.url).pathname !== '/throw') return new Response('made');
          const error = addUp();
          console.error(error);
          throw error;
        } };
    ";
    let host = Host::start();
    host.deploy_files("shop", &[("server/index.js", LOGS_AND_THROWS)], &["--version", "v1"]);
    let id = ask(&host, "/throw");
    until_shown(&host, &["--id", &id], "GET /throw 500 app_error");
    let all = json(&host, &["--id", &id]);
    let said: Vec<&Value> = all.iter().filter(|line| line["kind"] == "app").collect();
    let [line] = said[..] else { panic!("{all:?}") };
    assert_eq!(line["level"], "error");
    let message = line["message"].as_str().unwrap();
    assert!(message.starts_with("TypeError: no price") && message.contains("no cart"), "{message}");
    assert!(message.contains("at addUp (server/index.js:2:") && !message.contains("app:///"), "{message}");
    // Each time that it is thrown, not once for all.
    let again = ask(&host, "/throw");
    let shown = until_shown(&host, &["--id", &again], "GET /throw 500 app_error");
    assert_eq!(shown.matches("TypeError: no price").count(), 2, "the line, and the request's own: {shown}");
    assert!(shown.contains("    at addUp (server/index.js:2:"), "{shown}");
}

#[test]
fn without_a_share_of_the_disk_the_last_lines_are_in_memory() {
    let folder = Host::configured("[logs]\ndisk_mb = 0\n");
    let host = Host::start_in(folder, &["--isolation", "process", "--config", "vitrine.toml"]);
    deploy(&host, &["--version", "v1"]);
    ask(&host, "/one");
    until_shown(&host, &[], "page /one");
    assert!(!host.data().join("logs").exists());
    let folder = Host::configured("[logs]\nkeep_days = 0\n");
    let broken = Host::try_start(folder, &["--isolation", "process", "--config", "vitrine.toml"], &[]);
    let log = std::fs::read_to_string(broken.unwrap_err().path().join("host.log")).unwrap();
    assert!(log.contains("logs.keep_days"), "{log}");
}

#[test]
fn a_removed_apps_log_goes_with_it() {
    let host = with_talker();
    ask(&host, "/one");
    until_shown(&host, &["--requests"], "GET /one");
    let kept = host.data().join("logs/shop");
    host.cli(&["remove", "shop", "--yes"]).ok();
    host.cli(&["restore", "shop"]).ok();
    assert!(logs(&host, &["--requests"]).contains("GET /one"), "a restored app has its log");
    assert!(kept.is_dir());
    host.cli(&["remove", "shop", "--yes"]).ok();
    host.cli(&["remove", "shop", "--yes", "--now"]).ok();
    wait_until("the log is removed", PATIENCE, || (!kept.exists()).then_some(()));
    deploy(&host, &["--version", "v1"]);
    assert!(!logs(&host, &["--all", "--requests"]).contains("/one"));
}

//! An app whose pages need a service that is away for a while: what was good before starts again and serves what it can; what was not
//! accepted yet is refused.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use vitrine_test_support::archive::bundle_dir;
use vitrine_test_support::host::Host;
use vitrine_test_support::processes;
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);
const PROCESS: [&str; 2] = ["--isolation", "process"];

/// A private service that answers 200, or 503 while it is away.
struct Api {
    port: u16,
    away: Arc<AtomicBool>,
}

impl Api {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = Self { port: listener.local_addr().unwrap().port(), away: Arc::default() };
        let away = Arc::clone(&api.away);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let mut line = String::new();
                while stream.read_line(&mut line).is_ok_and(|read| read > 2) {
                    line.clear();
                }
                let status = if away.load(Ordering::SeqCst) { "503 Away" } else { "200 OK" };
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi");
                // The worker may have gone.
                let _ = stream.get_mut().write_all(answer.as_bytes());
            }
        });
        api
    }

    fn is_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    fn host(&self, toml: &str) -> Host {
        let rule = format!("{toml}[egress]\nallow_private = [\"127.0.0.1:{}\"]\n", self.port);
        Host::start_in(Host::configured(&rule), &PROCESS)
    }

    /// The files of a release: `/` needs the service, `/about` does not.
    fn files(&self, version: &str, warm: &str, health: &str) -> [(&'static str, String); 2] {
        let origin = format!("http://127.0.0.1:{}", self.port);
        let server = format!(
            "export default {{ async fetch(request) {{\n\
             if (new URL(request.url).pathname === '/about') return new Response('about {version}');\n\
             const answer = await fetch('{origin}/products');\n\
             if (!answer.ok) throw new Error('no products');\n\
             return new Response('products {version}');\n\
             }} }};\n"
        );
        let manifest = json!({ "egress": [origin], "warm": [warm], "health": { "path": health } });
        [("server/index.js", server), ("vitrine.json", manifest.to_string())]
    }
}

fn deploy(host: &Host, files: &[(&'static str, String); 2], flags: &[&str]) {
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    host.deploy_files("shop", &files, flags);
}

fn status_of(host: &Host, label: &str, path: &str) -> u16 {
    host.get(label, path).send().status
}

/// It serves what it can, says what failed, and is neither bad nor rolled back.
fn assert_serves(host: &Host, failed: &str) {
    assert_eq!(host.get("shop", "/about").send().text(), "about v2");
    let release = host.release("shop", "v2");
    assert_eq!((&release["phase"], &release["bad"]), (&json!("live"), &Value::Null), "{release}");
    assert!(release["warm_failure"].as_str().is_some_and(|text| text.contains(failed)), "{release}");
    let table = host.cli(&["releases", "shop"]).ok().stdout;
    assert!(table.contains("v2: serves, although at its start a check failed: "), "{table}");
    let log = host.cli(&["logs", "shop"]).ok().stdout;
    assert!(log.contains(failed) && log.contains("so it serves"), "{log}");
}

/// A live release that bakes, with its service away, through a restart of the host and the death of its process.
fn starts_again(warm: &str, health: &str, failed: &str) {
    let api = Api::start();
    let host = api.host("[deploy]\nbake_time_ms = 600000\nmin_requests = 1\n");
    for version in ["v1", "v2"] {
        deploy(&host, &api.files(version, warm, health), &["--version", version]);
    }
    assert_eq!(host.release("shop", "v2")["warm_failure"], Value::Null);
    api.is_away(true);
    let (folder, _) = host.stop();
    let host = Host::start_in(folder, &PROCESS);
    assert_serves(&host, failed);
    assert_eq!(status_of(&host, "shop", "/"), 500);

    let before = host.workers().into_iter().find(|one| one.release == "shop@v2").unwrap();
    processes::kill(before.render.unwrap());
    wait_until("another process serves", PATIENCE, || {
        let now = host.workers().into_iter().find(|one| one.release == "shop@v2")?;
        (now.render.is_some() && now.render != before.render).then_some(())
    });
    assert_eq!(host.get("shop", "/about").send().text(), "about v2");
    let app = host.cli(&["status", "shop", "--json"]).ok().json();
    assert_eq!(
        (&app["live"], &app["deployments"][0]["status"]),
        (&json!("v2"), &json!("IN_PROGRESS")),
        "{app}"
    );
    let metrics = host.call("GET", "/metrics").send();
    let counted = |name: &str, labels: &[&str]| -> f64 {
        let lines = metrics.text().lines().filter(|line| line.starts_with(name));
        let of = lines.filter(|line| labels.iter().all(|label| line.contains(label)));
        of.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    };
    // What the host and the worker ask by themselves is none of its renders: this test asked for one page that failed.
    assert_eq!(counted("vitrine_http_requests_total", &["v2\"", "code=\"500\""]), 1.0);
    assert!(counted("vitrine_warm_failures_total", &["app=\"shop\""]) >= 1.0);

    api.is_away(false);
    wait_until("its paths are asked for again", PATIENCE, || {
        host.release("shop", "v2")["warm_failure"].is_null().then_some(())
    });
    assert_eq!(host.get("shop", "/").send().text(), "products v2");
}

#[test]
fn a_live_release_whose_warm_path_fails_starts_again() {
    starts_again("/", "/about", "The warm path / ");
}

#[test]
fn a_live_release_whose_health_path_fails_starts_again() {
    starts_again("/about", "/", "The health path / failed");
}

#[test]
fn one_that_sleeps_wakes_and_one_that_was_never_accepted_is_refused() {
    let api = Api::start();
    let host = api.host("[switching]\nidle_timeout_ms = 500\n");
    deploy(&host, &api.files("v1", "/about", "/about"), &["--version", "v1"]);
    deploy(&host, &api.files("v2", "/", "/about"), &["--version", "v2", "--no-promote"]);
    wait_until("it sleeps", PATIENCE, || (host.release("shop", "v2")["phase"] == "sleeping").then_some(()));
    api.is_away(true);
    // It was taken in once: its other pages can be looked at.
    assert_eq!(host.get("shop-v2", "/about").send().text(), "about v2");
    let log = host.cli(&["logs", "shop"]).ok().stdout;
    assert!(log.contains("so it serves"), "{log}");
    // Users never had it, so it has to be well to go live, whether it runs or sleeps.
    host.cli(&["promote", "shop", "v2"]).fails(1, &["shop@v2", "The warm path / "]);
    wait_until("it sleeps", PATIENCE, || (host.release("shop", "v2")["phase"] == "sleeping").then_some(()));
    host.cli(&["promote", "shop", "v2"]).fails(1, &["shop@v2", "The warm path / "]);
    let dir = api.files("v3", "/", "/about");
    let dir = bundle_dir(&dir.each_ref().map(|(path, text)| (*path, text.as_str())));
    host.cli(&["deploy", "shop", dir.path().to_str().unwrap(), "--version", "v3"])
        .fails(1, &["The warm path / "]);
    assert_eq!(host.get("shop", "/about").send().text(), "about v1");
    api.is_away(false);
    host.cli(&["promote", "shop", "v2"]).ok();
    assert_eq!(host.get("shop", "/").send().text(), "products v2");
}

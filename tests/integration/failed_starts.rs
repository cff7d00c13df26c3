//! A release that does not start any more: it is not tried again and again.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);
const SLEEPY: &str = "[switching]\nidle_timeout_ms = 500\n";
const PROCESS: [&str; 2] = ["--isolation", "process"];
const LASTS_MS: u64 = 25_000;

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

/// Deploys a release that starts well and a little later does not any more, and has three requests find that out.
fn three_failed_starts(host: &Host) {
    host.deploy("shop", "live", &["--version", "v0"]);
    // It starts well until a moment, and never after it.
    let until_ms = now_ms() + LASTS_MS;
    let server = format!(
        "if (Date.now() > {until_ms}) throw new Error('its licence ended');\n\
         export default {{ fetch: () => new Response('well') }};\n"
    );
    let files = [("server/index.js", server.as_str()), ("vitrine.json", r#"{"snapshot":false}"#)];
    host.deploy_files("shop", &files, &["--version", "v1", "--no-promote"]);
    wait_until("it sleeps, and its time is over", PATIENCE, || {
        let sleeps = host.release("shop", "v1")["phase"] == "sleeping";
        let has_no_process = || host.workers().iter().all(|worker| worker.release != "shop@v1");
        (sleeps && has_no_process() && now_ms() > until_ms).then_some(())
    });
    for _ in 0..3 {
        let answer = host.get("shop-v1", "/").send();
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.text().contains("This site can't be started at the moment."), "{answer:?}");
    }
}

/// Workers that were seen of it while twenty more requests came.
fn workers_of_more_requests(host: &Host) -> BTreeSet<String> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut seen = BTreeSet::new();
            while !over.load(Ordering::Relaxed) {
                let workers = host.workers().into_iter().filter(|one| one.release == "shop@v1");
                seen.extend(workers.map(|one| one.instance));
            }
            seen
        });
        let failed = (0..20).filter(|_| host.get("shop-v1", "/").send().status == 503).count();
        over.store(true, Ordering::Relaxed);
        assert_eq!(failed, 20);
        looking.join().unwrap()
    })
}

#[test]
fn control_a_host_that_never_gives_up_is_noticed() {
    let host = Host::start_broken(Host::configured(SLEEPY), &PROCESS, "starts.give_up=return(skip)");
    three_failed_starts(&host);
    assert!(!workers_of_more_requests(&host).is_empty());
}

#[test]
fn a_release_that_fails_to_start_is_given_up_until_somebody_insists() {
    let host = Host::start_in(Host::configured(SLEEPY), &PROCESS);
    three_failed_starts(&host);
    let release = host.release("shop", "v1");
    assert_eq!(release["phase"], "failed");
    assert!(release["failure"].as_str().unwrap().contains("its licence ended"), "{release}");
    let table = host.cli(&["releases", "shop"]).ok().stdout;
    assert!(table.contains("failed") && table.contains("v1: does not start: "), "{table}");

    // Requests start nothing any more, and are told so at once.
    let seen = workers_of_more_requests(&host);
    assert!(seen.is_empty(), "{seen:?}");
    assert_eq!(host.get("shop", "/").send().text(), "live");
    // An operator who insists gets a start, and the reason why it failed.
    host.cli(&["promote", "shop", "v1"]).fails(1, &["shop@v1", "its licence ended"]);
    assert_eq!(host.get("shop", "/").send().text(), "live");
}

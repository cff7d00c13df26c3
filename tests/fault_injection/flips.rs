//! Releases that come and go under load, and a rollback while every thread of the requests is held up. How fast flips are under load
//! is a program of its own, `tests/rollback_latency`.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use vitrine_test_support::flips::{Aftermath, Load, clients, promote, storm, switch, to_and_fro, upload};
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

const PROCESS: [&str; 2] = ["--isolation", "process"];
/// Time for every thread to be held up.
const PATIENCE: Duration = Duration::from_secs(30);
/// A storm of a few seconds.
const QUICK: Load = Load { flips: 40, keep_alive: 8, anew: 4, streams: 4, posts: 2, h2: 1 };

/// With every thread that requests pass through held up, the control plane is as quick as ever.
#[test]
fn a_rollback_waits_for_no_page() {
    let threads = std::thread::available_parallelism().unwrap().get();
    let rig = tempfile::tempdir().unwrap();
    let wish = rig.path().join("wish");
    let environment = [("FAILPOINT_FILE", wish.to_str().unwrap())];
    let host = Host::start_with_environment(Host::folder_anew(), &PROCESS, &environment);
    for version in ["v1", "v2"] {
        upload(&host, version, &clients::server(version));
        promote(&host, version);
    }
    let answered = AtomicUsize::new(0);
    fs::write(&wish, "edge.claimed hold").unwrap();
    std::thread::scope(|scope| {
        // Also when this test fails: its requests wait for that.
        let held = LetGo(&wish);
        let (host, answered) = (&host, &answered);
        for number in 0..4 * threads {
            scope.spawn(move || {
                // Requests for one page would wait for one of them.
                let answer = host.get("storm", &format!("/?{number}")).send();
                answered.fetch_add(1, Ordering::SeqCst);
                assert_eq!(answer.status, 200, "{answer:?}");
            });
        }
        wait_until("every thread held up", PATIENCE, || {
            (host.release("storm", "v2")["in_flight"].as_u64()? as usize >= threads).then_some(())
        });
        assert_eq!(switch(host, "rollback", "{}", true).release, "storm@v1");
        assert_eq!(answered.load(Ordering::SeqCst), 0);
        drop(held);
    });
}

/// Lets everything go that a failpoint holds, once it is dropped.
struct LetGo<'a>(&'a Path);

impl Drop for LetGo<'_> {
    fn drop(&mut self) {
        fs::write(self.0, "").unwrap();
    }
}

/// Each version is deployed, made live and removed while requests of the one before are still on their way.
fn generations(host: &Host, load: Load, slow_boot_ms: u32) -> Aftermath {
    let slowly = format!("await new Promise((done) => setTimeout(done, {slow_boot_ms}));\n");
    upload(host, "v1", &clients::server("v1"));
    storm(host, load, |flips| {
        for turn in 2..load.flips + 2 {
            let version = format!("v{turn}");
            upload(host, &version, &(slowly.clone() + &clients::server(&version)));
            flips.push(promote(host, &version));
            let gone = host.call("DELETE", &format!("/v1/apps/storm/releases/v{}", turn - 1)).send();
            assert_eq!(gone.status, 204, "{gone:?}");
        }
    })
}

const GENERATIONS: Load = Load { flips: 3, keep_alive: 4, anew: 2, streams: 8, posts: 2, h2: 1 };

fn generations_lose_nothing(load: Load) {
    let host = Host::start_with(&PROCESS);
    let after = generations(&host, load, 0);
    assert_eq!(after.faults(), Vec::<String>::new(), "of {} answers", after.told.len());
    println!(
        "{} releases deployed, promoted and removed, {} answers, 0 failed",
        load.flips,
        after.told.len()
    );
}

#[test]
fn releases_come_and_go_without_a_lost_request() {
    generations_lose_nothing(GENERATIONS);
}

#[test]
#[ignore = "minutes"]
fn a_hundred_releases_come_and_go_without_a_lost_request() {
    generations_lose_nothing(Load { flips: 100, ..GENERATIONS });
}

/// The host, broken on purpose, and what the rig has to find.
fn broken(failpoints: &str) -> Host {
    Host::start_broken(Host::folder_anew(), &PROCESS, failpoints)
}

#[track_caller]
fn assert_found(after: &Aftermath, word: &str) {
    let faults = after.faults();
    assert!(
        faults.iter().any(|fault| fault.contains(word)),
        "no `{word}` among {} faults: {faults:?}",
        faults.len()
    );
}

#[test]
fn control_an_acknowledgement_without_a_swap_is_noticed() {
    let host = broken("switch.publish=50%return(skip)");
    assert_found(&to_and_fro(&host, Load { flips: 12, ..QUICK }), "was not live then");
}

#[test]
fn control_a_worker_that_is_stopped_without_a_drain_is_noticed() {
    let host = broken("sleep.drain=return(skip);stop.grace=return(skip)");
    let after = generations(&host, GENERATIONS, 0);
    assert_found(&after, "Stream");
}

#[test]
fn control_a_release_that_is_live_before_it_is_ready_is_noticed() {
    let host = broken("boot.ready=return(skip);switch.ready=return(skip)");
    let after = generations(&host, Load { flips: 1, ..GENERATIONS }, 6_000);
    assert_ne!(after.faults(), Vec::<String>::new());
}

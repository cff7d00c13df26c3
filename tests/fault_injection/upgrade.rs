//! A new binary in the place of a running host, under load: nothing refused, nothing reset, nothing failed, and a new one that
//! fails is as if it never was.

use std::path::Path;
use std::time::{Duration, Instant};
use vitrine_test_support::archive::bundle_dir;
use vitrine_test_support::docker;
use vitrine_test_support::figures::Figures;
use vitrine_test_support::flips::clients::server;
use vitrine_test_support::flips::{Load, promote, storm, switch};
use vitrine_test_support::host::Host;
use vitrine_test_support::processes::{hosts_of, terminate};
use vitrine_test_support::wait::wait_until;

const PROCESS: [&str; 2] = ["--isolation", "process"];
const CONTAINER: [&str; 3] = ["--isolation", "container", "--stop-workers-on-exit"];
/// A process that handed over ends when its clients have asked once more; the stragglers of a busy machine among them.
const PATIENCE: Duration = Duration::from_secs(60);

const QUICK: Load = Load { flips: 2, keep_alive: 6, anew: 4, streams: 4, posts: 2, h2: 1 };
const LONG: Load = Load { flips: 50, keep_alive: 12, anew: 6, streams: 6, posts: 4, h2: 2 };

/// As patient as a machine needs that boots workers beside those that serve.
const MANIFEST: &str = r#"{"snapshot":false,"limits":{"queue_ms":10000}}"#;

fn upload(host: &Host, version: &str, server: &str) {
    let dir = bundle_dir(&[("server/index.js", server), ("vitrine.json", MANIFEST)]);
    let path = dir.path().to_str().unwrap().to_owned();
    host.cli(&["deploy", "storm", &path, "--version", version, "--no-promote"]).ok();
}

/// Has another process take over; gives its id and how long it took.
fn upgrade(host: &Host) -> (u32, Duration) {
    let begun = Instant::now();
    let told = host.upgrade().ok().json();
    let pid = u32::try_from(told["pid"].as_u64().unwrap()).unwrap();
    let left = wait_until("the process before ends", PATIENCE, || {
        let left = hosts_of(&host.data());
        left.contains(&pid).then_some(())?;
        (left.len() == 1).then_some(left)
    });
    assert_eq!(left, [pid]);
    (pid, begun.elapsed())
}

/// Each worker's container and when it was started.
fn started(data: &Path) -> Vec<String> {
    let told = |one: &serde_json::Value| format!("{} {}", one["Id"], one["State"]["StartedAt"]);
    let mut started: Vec<String> = docker::containers_of(data).iter().map(told).collect();
    started.sort();
    started
}

fn upgrades_lose_nothing(load: Load, flags: &[&str]) {
    let host = Host::start_with(flags);
    for version in ["v1", "v2"] {
        upload(&host, version, &server(version));
    }
    let before = started(&host.data());
    let (mut pids, mut took) = (hosts_of(&host.data()), Vec::new());
    let after = storm(&host, load, |flips| {
        for turn in 0..load.flips {
            let (pid, ended) = upgrade(&host);
            assert!(!pids.contains(&pid), "{pid} took over again");
            pids.push(pid);
            took.push(ended);
            flips.push(match turn % 2 {
                0 => promote(&host, "v2"),
                _ => switch(&host, "rollback", "{}", true),
            });
        }
    });
    assert_eq!(after.faults(), Vec::<String>::new(), "of {} answers", after.told.len());
    after.assert_rained(load);
    assert_eq!(started(&host.data()), before, "containers are adopted, not started again");
    println!(
        "{} upgrades, {} answers, 0 refused, 0 reset, 0 failed, 0 stale; to the end of the old process {}",
        load.flips,
        after.told.len(),
        Figures::of(took)
    );
    assert!(host.stop().1, "the first process ended with exit 0, the last one in time");
}

#[test]
fn an_upgrade_loses_no_request() {
    upgrades_lose_nothing(QUICK, &PROCESS);
}

#[test]
#[ignore = "minutes"]
fn fifty_upgrades_lose_no_request() {
    upgrades_lose_nothing(LONG, &PROCESS);
}

#[test]
fn an_upgrade_adopts_containers_and_loses_no_request() {
    if docker::is_there() {
        upgrades_lose_nothing(QUICK, &CONTAINER);
    }
}

#[test]
#[ignore = "minutes"]
fn fifty_upgrades_adopt_containers_and_lose_no_request() {
    if docker::is_there() {
        upgrades_lose_nothing(LONG, &CONTAINER);
    }
}

/// A change that comes while the process before still has a request is not acknowledged before that process takes no more.
#[test]
fn a_promotion_right_after_an_upgrade_is_seen_by_every_request_after_it() {
    let load = Load { flips: 2, ..QUICK };
    let host = Host::start_with(&PROCESS);
    for version in ["v1", "v2"] {
        upload(&host, version, &server(version));
    }
    let after = storm(&host, load, |flips| {
        host.upgrade().ok();
        flips.push(promote(&host, "v2"));
        host.upgrade().ok();
        flips.push(promote(&host, "v1"));
    });
    assert_eq!(after.faults(), Vec::<String>::new(), "of {} answers", after.told.len());
    println!("2 upgrades with a promotion right behind, {} answers, 0 failed, 0 stale", after.told.len());
}

/// Whatever a successor fails at, the host serves on, can be changed, and can be upgraded afterwards.
#[test]
fn an_upgrade_that_fails_leaves_the_old_host_serving() {
    let folder = Host::configured("domain = \"localhost\"\n");
    let (config, wish) = (folder.path().join("vitrine.toml"), folder.path().join("wish"));
    let environment = [("FAILPOINT_FILE", wish.to_str().unwrap())];
    let host = Host::try_start(folder, &PROCESS, &environment).unwrap();
    for version in ["v1", "v2"] {
        upload(&host, version, &server(version));
    }
    let first = hosts_of(&host.data());
    let after = storm(&host, Load { flips: 4, ..QUICK }, |flips| {
        std::fs::write(&config, "domain = \"localhost\"\nlisten_to = 1\n").unwrap();
        host.upgrade().fails(1, &["serves on", "listen_to"]);
        std::fs::write(&config, "domain = \"localhost\"\n").unwrap();
        flips.push(promote(&host, "v2"));
        // Dies at the last moment: the data folder is its own by then, and it has booted workers.
        std::fs::write(&wish, "handover.ready 1").unwrap();
        host.upgrade().fails(1, &["serves on"]);
        std::fs::write(&wish, "").unwrap();
        flips.push(switch(&host, "rollback", "{}", true));
        upload(&host, "v3", &server("v3"));
        flips.push(promote(&host, "v3"));
        assert_eq!(hosts_of(&host.data()), first, "the host is another process");
        upgrade(&host);
        flips.push(promote(&host, "v2"));
    });
    assert_eq!(after.faults(), Vec::<String>::new(), "of {} answers", after.told.len());
    assert_ne!(hosts_of(&host.data()), first);
    println!("2 upgrades that failed and 1 that did not, {} answers, 0 failed", after.told.len());
}

/// A stop that comes while the successor has the folder: what was lent is taken back first, and the stop is on record.
#[test]
fn a_stop_in_the_middle_of_an_upgrade_leaves_the_folder_as_it_was() {
    let host = Host::start_with(&PROCESS);
    // The successor boots it before it is ready.
    let slow = format!("await new Promise((done) => setTimeout(done, 3000));\n{}", server("v1"));
    upload(&host, "v1", &slow);
    promote(&host, "v1");
    let (first, lent) = (hosts_of(&host.data()), host.data().join("before-upgrade.db"));
    let asking = host.upgrade();
    let asking = std::thread::spawn(move || asking.run());
    wait_until("the folder is lent", PATIENCE, || lent.exists().then_some(()));
    first.into_iter().for_each(terminate);
    assert_ne!(asking.join().unwrap().code, 0);
    wait_until("both have ended", PATIENCE, || hosts_of(&host.data()).is_empty().then_some(()));
    let (folder, clean) = host.stop();
    assert!(clean, "SIGTERM ends with exit 0");
    assert!(!lent.exists(), "values of the environment lie in it");
    let host = Host::start_in(folder, &PROCESS);
    assert_eq!(host.get("storm", "/").send().header("x-vitrine-release"), Some("storm@v1"));
    assert!(!host.log().contains("after a crash"), "{}", host.log());
    host.upgrade().ok();
    let last = host.cli(&["audit", "list"]).ok().stdout;
    assert!(last.contains("after an upgrade") && !last.contains("after a crash"), "{last}");
}

/// What is under way is not cut short: an upgrade beside a deploy waits for it, or is refused.
#[test]
fn a_deploy_beside_an_upgrade_is_not_lost() {
    let host = Host::start_with(&PROCESS);
    upload(&host, "v1", &server("v1"));
    promote(&host, "v1");
    let slow = format!("await new Promise((done) => setTimeout(done, 3000));\n{}", server("v2"));
    std::thread::scope(|scope| {
        let deploying = scope.spawn(|| upload(&host, "v2", &slow));
        wait_until("the deploy is under way", PATIENCE, || {
            host.workers().iter().any(|worker| worker.release == "storm@v2").then_some(())
        });
        let ran = host.upgrade().run();
        assert!(ran.code == 0 || ran.stderr.contains("under way"), "{ran:?}");
        deploying.join().unwrap();
    });
    assert_eq!(host.release("storm", "v2")["version"], "v2");
    promote(&host, "v2");
}

#[test]
fn control_a_host_that_is_stopped_and_started_is_noticed() {
    let host = Host::start_with(&PROCESS);
    for version in ["v1", "v2"] {
        upload(&host, version, &server(version));
    }
    let addresses = [host.edge, host.admin];
    let data = host.data();
    // The clients know it by its address only.
    let mut last = None;
    let after = storm(&host, Load { flips: 1, ..QUICK }, |_| {
        hosts_of(&data).into_iter().for_each(vitrine_test_support::processes::terminate);
        wait_until("it ends", PATIENCE, || hosts_of(&data).is_empty().then_some(()));
        let folder = Host::folder_anew();
        std::fs::rename(&data, folder.path().join("data")).unwrap();
        last = Some(Host::start_at(folder, addresses, &PROCESS));
        wait_until("it serves", PATIENCE, || {
            last.as_ref()?.get("storm", "/").try_send().is_ok_and(|answer| answer.status == 200).then_some(())
        });
    });
    let faults = after.faults();
    assert!(!faults.is_empty(), "a plain restart went unnoticed among {} answers", after.told.len());
    println!("control: a plain restart failed {} of {} requests", faults.len(), after.told.len());
}

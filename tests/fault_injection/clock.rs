//! A clock that jumps by a year, either way, while the host runs and between two of its runs.

use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use vitrine_test_support::flips::clients::server;
use vitrine_test_support::flips::{Load, promote, storm, upload};
use vitrine_test_support::host::Host;
use vitrine_test_support::processes;
use vitrine_test_support::wait::wait_until;

const PROCESS: [&str; 2] = ["--isolation", "process"];
const LOAD: Load = Load { flips: 8, keep_alive: 4, anew: 2, streams: 2, posts: 2, h2: 1 };
const PATIENCE: Duration = Duration::from_secs(30);
/// Rounds of what removes releases, which come every second.
const ROUNDS: Duration = Duration::from_millis(3_500);

/// The library that tells programs another time; says that a test is skipped without it.
fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").unwrap().map_while(Result::ok);
    let found =
        folders.map(|folder| folder.path().join("faketime/libfaketime.so.1")).find(|path| path.exists());
    if found.is_none() {
        println!("SKIPPED: no libfaketime (apt-get install libfaketime)");
    }
    found
}

/// Sets the clock of whoever was started with this file.
fn jump(file: &Path, by: &str) {
    std::fs::write(file, format!("{by}\n")).unwrap();
}

fn start(folder: TempDir, library: &Path, failpoints: &str) -> Host {
    let file = folder.path().join("clock");
    let environment = [
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("FAKETIME_TIMESTAMP_FILE", file.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        // Only the wall clock jumps: the kernel keeps the other one.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("FAILPOINTS", failpoints),
    ];
    Host::try_start(folder, &PROCESS, &environment).unwrap_or_else(|_| panic!("no host under another clock"))
}

/// A host with two releases that were live, one that nothing refers to, and a preview.
fn peopled(library: &Path, failpoints: &str) -> (Host, PathBuf) {
    let folder = Host::configured("[retention]\nreleases = 10\ndays = 7\n");
    let file = folder.path().join("clock");
    jump(&file, "+0");
    let host = start(folder, library, failpoints);
    for version in ["v1", "v2", "v3"] {
        upload(&host, version, &server(version));
    }
    promote(&host, "v1");
    promote(&host, "v2");
    host.deploy_files(
        "storm",
        &[("server/index.js", &server("p1"))],
        &["--version", "p1", "--preview", "pr-7", "--ttl", "72h"],
    );
    (host, file)
}

fn versions(host: &Host) -> Vec<String> {
    let mut versions: Vec<String> = host
        .releases("storm")
        .iter()
        .map(|release| release["version"].as_str().unwrap().to_owned())
        .collect();
    versions.sort();
    versions
}

/// The year that the host writes into its log.
fn year(host: &Host) -> i32 {
    let asked = host.get("storm", "/").send();
    assert_eq!(asked.status, 200);
    let log = host.log();
    let last = log.lines().rev().find_map(|line| line.split_once("\"time\":\"")).unwrap();
    last.1[..4].parse().unwrap()
}

#[test]
fn a_clock_that_jumps_by_a_year_moves_nothing() {
    let Some(library) = library() else { return };
    let (host, file) = peopled(&library, "");
    let (now, all) = (year(&host), versions(&host));
    assert_eq!(all, ["p1", "v1", "v2", "v3"]);
    let after = storm(&host, LOAD, |flips| {
        for (by, there) in [("+365d", now + 1), ("-365d", now - 1), ("+0", now)] {
            jump(&file, by);
            wait_until("the host's clock has jumped", PATIENCE, || (year(&host) == there).then_some(()));
            flips.push(promote(&host, "v1"));
            flips.push(promote(&host, "v2"));
            // Not a wait for something to come true: nothing may happen in the rounds of this time.
            std::thread::sleep(ROUNDS);
            assert_eq!(versions(&host), all, "after {by}");
            let standby = || host.workers().into_iter().find(|worker| worker.release == "storm@v1");
            let before = wait_until("a warm standby", PATIENCE, standby);
            processes::kill(before.supervisor);
            wait_until("its worker is replaced", PATIENCE, || {
                standby().filter(|worker| worker.instance != before.instance && worker.render.is_some())
            });
            let preview = host.get("storm-pr-7", "/").send();
            assert_eq!(preview.header("x-vitrine-release"), Some("storm@p1"), "{preview:?}");
        }
    });
    assert_eq!(after.faults(), Vec::<String>::new(), "of {} answers", after.told.len());
    println!(
        "the clock jumped by a year there, two back and one there: {} answers, 0 failed, nothing removed",
        after.told.len()
    );
}

/// At a start a host believes the clock, and gives its operator an hour before anything goes by age.
#[test]
fn a_host_that_starts_a_year_later_keeps_its_releases_at_first() {
    let Some(library) = library() else { return };
    let (host, file) = peopled(&library, "");
    let (folder, clean) = host.stop();
    assert!(clean);
    jump(&file, "+365d");
    let host = start(folder, &library, "");
    // Not a wait for something to come true, as above.
    std::thread::sleep(ROUNDS);
    // The preview's end has come.
    assert_eq!(versions(&host), ["v1", "v2", "v3"]);
    assert_eq!(host.get("storm", "/").send().status, 200);
    host.cli(&["rollback", "storm"]).ok();
}

#[test]
fn control_a_host_that_believes_every_jump_is_noticed() {
    let Some(library) = library() else { return };
    let (host, file) = peopled(&library, "clock.steady=return(skip);retention.grace=return(skip)");
    jump(&file, "+365d");
    wait_until("releases go by age", PATIENCE, || (versions(&host) == ["v1", "v2"]).then_some(()));
}

/// By when it was live last, not by when it became live.
#[test]
fn a_release_that_was_live_until_just_now_is_kept() {
    let Some(library) = library() else { return };
    let (host, file) = peopled(&library, "clock.steady=return(skip);retention.grace=return(skip)");
    jump(&file, "+30d");
    wait_until("what was live long ago or never is gone", PATIENCE, || {
        (versions(&host) == ["v1", "v2"]).then_some(())
    });
    for version in ["v4", "v5"] {
        upload(&host, version, &server(version));
        promote(&host, version);
    }
    // v2 was live until a moment ago; v1 is 30 days behind.
    wait_until("v1 is gone", PATIENCE, || (versions(&host) == ["v2", "v4", "v5"]).then_some(()));
    // Not a wait for something to come true: nothing may happen in the rounds of this time.
    std::thread::sleep(ROUNDS);
    assert_eq!(versions(&host), ["v2", "v4", "v5"]);
}

/// The order of deploys goes on where it was, also on a clock that was set back.
#[test]
fn a_clock_that_is_set_back_refuses_no_deploy() {
    let Some(library) = library() else { return };
    let folder = Host::folder_anew();
    let file = folder.path().join("clock");
    jump(&file, "+365d");
    let host = start(folder, &library, "");
    host.deploy("shop", "one", &["--version", "v1"]);
    let (folder, _) = host.stop();
    jump(&file, "+0");
    let host = start(folder, &library, "");
    host.deploy("shop", "two", &["--version", "v2"]);
    assert_eq!(host.get("shop", "/").send().text(), "two");
}

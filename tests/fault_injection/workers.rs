//! Workers that die, stand still or never come up: whoever asked gets an answer, the app comes back, its neighbours notice nothing,
//! and what is live is never a matter of a deploy that failed.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use vitrine_test_support::docker;
use vitrine_test_support::host::Host;
use vitrine_test_support::processes;
use vitrine_test_support::storm::{Wish, insist};
use vitrine_test_support::wait::wait_until;

const CONTAINER: [&str; 3] = ["--isolation", "container", "--stop-workers-on-exit"];
/// A worker that stands still or is gone gets no request any more after this.
const OUT: Duration = Duration::from_secs(3);
/// The longest that any request may take: what its worker had, and what the edge waits beyond.
const ANSWERED: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(45);
/// Threads that ask the app that is hit.
const CLIENTS: usize = 4;

const PAGE: &str = "export default { async fetch() { await new Promise((done) => setTimeout(done, 15));\n\
                    return new Response('whole page'); } };\n";

/// One request to the app that is hit.
#[derive(Debug, Clone)]
struct Asked {
    at: Instant,
    took: Duration,
    outcome: Result<u16, String>,
}

/// What was seen around a fault.
struct Seen {
    hit: Instant,
    asked: Vec<Asked>,
    neighbour: (usize, Vec<String>),
}

fn is_page(outcome: &Result<u16, String>) -> bool {
    *outcome == Ok(200)
}

impl Seen {
    /// Everything that breaks a promise.
    fn faults(&self) -> Vec<String> {
        let wrong = |asked: &Asked| {
            let since = asked.at.saturating_duration_since(self.hit);
            let broken = asked.outcome.is_err() || asked.took > ANSWERED;
            // A worker that is out of rotation keeps nobody waiting: a page of its successor, or a refusal, soon.
            let kept_waiting = since > OUT && asked.took > OUT;
            (broken || kept_waiting).then(|| format!("asked {since:?} after the fault: {asked:?}"))
        };
        self.asked.iter().filter_map(wrong).chain(self.neighbour.1.iter().cloned()).collect()
    }

    /// From the fault to the first of the pages that then came without a gap.
    fn back(&self) -> Duration {
        let last_bad = self.asked.iter().filter(|asked| !is_page(&asked.outcome)).map(|asked| asked.at).max();
        last_bad.map_or(Duration::ZERO, |at| at.saturating_duration_since(self.hit))
    }

    fn refused(&self) -> usize {
        self.asked.iter().filter(|asked| !is_page(&asked.outcome)).count()
    }
}

fn ask_until(host: &Host, app: &str, stop: &AtomicBool) -> Vec<Asked> {
    let mut all = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let at = Instant::now();
        let answer = host.get(app, "/").try_send();
        let outcome = match answer {
            Ok(answer) if !answer.complete => Err("cut off".into()),
            Ok(answer) if answer.status == 200 && answer.text() != "whole page" => Err("another page".into()),
            Ok(answer) => Ok(answer.status),
            Err(error) => Err(error.to_string()),
        };
        all.push(Asked { at, took: at.elapsed(), outcome });
    }
    all
}

/// Hits `shop` while clients ask it and its neighbour, until pages of `shop` come again.
fn strike(host: &Host, hit: impl FnOnce()) -> Seen {
    let stop = &AtomicBool::new(false);
    let name = format!("blog.localhost:{}", host.edge.port());
    let wish = &Wish { method: "GET", path: "/", host: name, body: "" };
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| ask_until(host, "shop", stop))).collect();
        let neighbour = scope.spawn(|| insist(host.edge, wish, stop));
        let during = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until_pages(host);
            let at = Instant::now();
            hit();
            until_pages(host);
            at
        }));
        stop.store(true, Ordering::Relaxed);
        let asked = asking.into_iter().flat_map(|one| one.join().unwrap()).collect();
        let (answers, mut broken) = neighbour.join().unwrap();
        let bad = answers
            .iter()
            .filter(|seen| seen.status != 200)
            .map(|seen| format!("the neighbour: {}", seen.status));
        broken.extend(bad);
        let hit = during.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Seen { hit, asked, neighbour: (answers.len(), broken) }
    })
}

/// Waits until some pages come in a row.
fn until_pages(host: &Host) {
    let mut in_a_row = 0;
    wait_until("pages come", PATIENCE, || {
        let served = host.get("shop", "/").try_send().is_ok_and(|answer| answer.status == 200);
        in_a_row = if served { in_a_row + 1 } else { 0 };
        (in_a_row == 8).then_some(())
    });
}

fn deploy_both(host: &Host) {
    for app in ["shop", "blog"] {
        host.deploy_files(app, &[("server/index.js", PAGE)], &["--version", "v1"]);
    }
}

fn worker(host: &Host) -> processes::WorkerProcess {
    wait_until("a worker of the shop", PATIENCE, || {
        host.workers().into_iter().find(|worker| worker.release == "shop@v1" && worker.render.is_some())
    })
}

fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().unwrap();
    assert!(sent.success(), "process {pid} is gone");
}

#[track_caller]
fn hold(what: &str, seen: &Seen) {
    assert_eq!(seen.faults(), Vec::<String>::new(), "{what}, of {} requests", seen.asked.len());
    assert!(seen.neighbour.0 > 5, "{what}: the neighbour was hardly asked");
    println!(
        "{what}: {} requests, {} of them refused, none hung or cut; pages again after {:?}; neighbour {} of {} served",
        seen.asked.len(),
        seen.refused(),
        seen.back(),
        seen.neighbour.0,
        seen.neighbour.0
    );
}

#[test]
fn a_worker_that_is_killed_is_back_and_nobody_hangs() {
    let host = Host::start();
    deploy_both(&host);
    for (what, supervisor) in [("render process killed", false), ("supervisor killed", true)] {
        let seen = strike(&host, || {
            let worker = worker(&host);
            processes::kill(if supervisor { worker.supervisor } else { worker.render.unwrap() });
        });
        hold(what, &seen);
    }
}

#[test]
fn a_worker_that_stands_still_is_out_within_three_seconds_and_replaced() {
    let host = Host::start();
    deploy_both(&host);
    for (what, all) in [("render process stopped", false), ("whole worker stopped", true)] {
        let before = worker(&host);
        let seen = strike(&host, || {
            if all {
                signal("STOP", before.supervisor);
            }
            signal("STOP", before.render.unwrap());
        });
        hold(what, &seen);
        assert_ne!(worker(&host).instance, before.instance, "{what}: it is not replaced");
    }
}

#[test]
fn a_container_that_is_paused_or_out_of_memory_is_out_and_replaced() {
    if !docker::is_there() {
        return;
    }
    let host = Host::start_with(&CONTAINER);
    deploy_both(&host);
    for what in ["container paused", "container out of memory"] {
        let instance = host.release("shop", "v1")["instance"].as_str().unwrap().to_owned();
        let containers = docker::containers_of(&host.data());
        let hit = containers.iter().find(|one| one["Name"].as_str().unwrap().ends_with(&instance)).unwrap();
        let id = hit["Id"].as_str().unwrap();
        let mut eater = None;
        let seen = strike(&host, || match what {
            "container paused" => {
                Command::new("docker").args(["pause", id]).stdout(Stdio::null()).status().unwrap();
            }
            _ => eater = docker::eat_memory(id),
        });
        if what != "container paused" && eater.is_none() {
            println!("SKIPPED: {what}: no memory group");
            continue;
        }
        drop(eater);
        hold(what, &seen);
    }
}

/// A deploy that fails, how, and what its operator is told.
const FAILED: [(&str, &str, &str); 6] = [
    ("throws at import", "console.log('reading prices');\nthrow new Error('no prices');\n", "no prices"),
    (
        "hangs at import",
        "console.log('asking for stock');\nawait new Promise(() => {});\nexport default () => new Response('never');\n",
        "asking for stock",
    ),
    (
        "starts too slowly",
        "console.log('warming up');\nawait new Promise((done) => setTimeout(done, 20000));\nexport default () => new Response('late');\n",
        "warming up",
    ),
    (
        "500 from its warm path",
        "export default () => { console.error('no shelf'); return new Response('', { status: 500 }); };\n",
        "500",
    ),
    ("loops at import", "for (;;) {}\n", "shop@v2"),
    (
        "out of memory at import",
        "const all = []; for (;;) all.push(new Array(100000).fill(all.length));\n",
        "shop@v2",
    ),
];

#[test]
fn a_deploy_that_fails_in_any_way_changes_nothing_that_is_live() {
    let host = Host::start();
    deploy_both(&host);
    let mut told = Vec::new();
    for (what, server, word) in FAILED {
        let dir = vitrine_test_support::archive::bundle_dir(&[
            ("server/index.js", server),
            ("vitrine.json", r#"{"warm":["/"]}"#),
        ]);
        let path = dir.path().to_str().unwrap().to_owned();
        let begun = Instant::now();
        let seen = strike(&host, || {
            let ran = host.cli(&["deploy", "shop", &path, "--version", "v2", "--wait", "6"]).run();
            assert_eq!(ran.code, 1, "{what}: {ran:?}");
            assert!(ran.stderr.contains(word), "{what}: no `{word}` in {}", ran.stderr);
        });
        assert_eq!(seen.faults(), Vec::<String>::new(), "{what}");
        assert_eq!(seen.refused(), 0, "{what}: the live release was refused");
        assert_eq!(host.releases("shop").len(), 1, "{what}: it left a release behind");
        told.push(format!("{what} in {:.1} s", begun.elapsed().as_secs_f64()));
    }
    println!("failed deploys, each with its last lines, nothing live touched: {}", told.join(", "));
}

/// A host that leaves a worker in its place for ever: the rig has to see that nobody is served.
#[test]
fn control_a_worker_that_is_never_replaced_is_noticed() {
    let host =
        Host::start_broken(Host::folder_anew(), &["--isolation", "process"], "keep.replace=return(skip)");
    deploy_both(&host);
    let hit = Instant::now();
    let stop = AtomicBool::new(false);
    processes::kill(worker(&host).supervisor);
    let asked = std::thread::scope(|scope| {
        let asking = scope.spawn(|| ask_until(&host, "shop", &stop));
        // Not a wait for something to come true: this is the time in which a sound host is back.
        std::thread::sleep(4 * OUT);
        stop.store(true, Ordering::Relaxed);
        asking.join().unwrap()
    });
    let seen = Seen { hit, asked, neighbour: (6, Vec::new()) };
    assert!(seen.back() > OUT || !seen.faults().is_empty(), "it was back after {:?}", seen.back());
}

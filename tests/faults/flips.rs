//! Flips and rollbacks under load: no failed request, no body of two releases, and no answer from a release that was not live.

pub mod clients;
mod oracle;

use crate::figures::Figures;
use crate::harness::archive::bundle_dir;
use crate::harness::host::Host;
use crate::harness::noise::Noise;
use crate::harness::wait::wait_until;
use clients::{Kind, Told};
pub use oracle::Flip;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const PROCESS: [&str; 2] = ["--isolation", "process"];
/// How long a rollback to a warm release may take, in milliseconds, where the machine has time for it.
const ROLLBACK_MS: f64 = 50.0;
/// Times that one rollback waits for a thread to run: the control plane's for the connection and for the request, the store's, the
/// control plane's again, the client's.
const TURNS_OF_A_ROLLBACK: f64 = 5.0;
/// A client that waits longer than this was kept waiting by a flip.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a storm is made of.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub flips: usize,
    pub keep_alive: usize,
    pub anew: usize,
    pub streams: usize,
    pub posts: usize,
    pub h2: usize,
}

const QUICK: Load = Load { flips: 40, keep_alive: 8, anew: 4, streams: 4, posts: 2, h2: 1 };
const LONG: Load = Load { flips: 1_000, keep_alive: 16, anew: 8, streams: 6, posts: 4, h2: 2 };

impl Load {
    fn clients(self) -> Vec<Kind> {
        let kinds = [
            (Kind::KeepAlive, self.keep_alive),
            (Kind::Anew, self.anew),
            (Kind::Stream, self.streams),
            (Kind::Post, self.posts),
            (Kind::H2, self.h2),
        ];
        kinds.into_iter().flat_map(|(kind, number)| vec![kind; number]).collect()
    }
}

/// What a storm left behind.
pub struct Aftermath {
    flips: Vec<Flip>,
    pub told: Vec<Told>,
    failed: Vec<String>,
}

impl Aftermath {
    /// Everything that is wrong.
    pub fn faults(&self) -> Vec<String> {
        let wrong = |told: &Told| {
            let late = told.seen.answered - told.seen.asked;
            let slow = (late > PATIENCE).then(|| format!("{:?}: no head for {late:?}", told.kind));
            told.fault().or_else(|| oracle::fault(&self.flips, &told.seen)).or(slow)
        };
        self.failed.iter().cloned().chain(self.told.iter().filter_map(wrong)).collect()
    }

    fn took(&self, back: bool) -> Figures {
        // The first one made something live where nothing was.
        let flips = self.flips.iter().skip(1).filter(|flip| flip.back == back);
        Figures::of(flips.map(|flip| flip.acknowledged - flip.asked))
    }

    /// A storm that hardly rained proves nothing.
    pub fn assert_rained(&self, load: Load) {
        for kind in load.clients() {
            let answers = self.told.iter().filter(|told| told.kind == kind).count();
            assert!(answers > load.flips / 4, "{answers} answers to {kind:?} in {} flips", load.flips);
        }
    }
}

pub fn switch(host: &Host, path: &str, body: &str, back: bool) -> Flip {
    let call =
        host.call("POST", &format!("/v1/apps/storm/{path}")).header("content-type", "application/json");
    let call = call.body(body);
    let asked = Instant::now();
    let answer = call.send();
    let acknowledged = Instant::now();
    assert_eq!(answer.status, 200, "{answer:?}");
    let switched = answer.json();
    let release = format!("storm@{}", switched["version"].as_str().unwrap());
    Flip { asked, acknowledged, release, epoch: switched["epoch"].as_u64().unwrap(), back }
}

pub fn promote(host: &Host, version: &str) -> Flip {
    switch(host, "promote", &format!(r#"{{"version":"{version}"}}"#), false)
}

pub fn upload(host: &Host, version: &str, server: &str) {
    let manifest = r#"{"snapshot":false}"#;
    let dir = bundle_dir(&[("server/index.js", server), ("vitrine.json", manifest)]);
    let path = dir.path().to_str().unwrap().to_owned();
    host.cli(&["deploy", "storm", &path, "--version", version, "--no-promote"]).ok();
}

/// Lets clients of every kind ask while `during` changes what is live.
pub fn storm(host: &Host, load: Load, during: impl FnOnce(&mut Vec<Flip>)) -> Aftermath {
    let mut flips = vec![promote(host, "v1")];
    let stop = AtomicBool::new(false);
    let stop = &stop;
    let (told, failed) = std::thread::scope(|scope| {
        let clients: Vec<_> = load
            .clients()
            .into_iter()
            .map(|kind| scope.spawn(move || clients::insist(host, kind, stop)))
            .collect();
        // Released also when `during` panics: the scope would wait for the clients for ever.
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| during(&mut flips)));
        stop.store(true, Ordering::Relaxed);
        let all: Vec<_> = clients.into_iter().map(|client| client.join().unwrap()).collect();
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let (told, failed): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        (told.concat(), failed.concat())
    });
    Aftermath { flips, told, failed }
}

/// Promotes the second release and rolls back to the first, again and again.
fn to_and_fro(host: &Host, load: Load) -> Aftermath {
    for version in ["v1", "v2"] {
        upload(host, version, &clients::server(version));
    }
    storm(host, load, |flips| {
        for turn in 0..load.flips {
            flips.push(match turn % 2 {
                0 => promote(host, "v2"),
                _ => switch(host, "rollback", "{}", true),
            });
            // Not a wait for something to become true: some flips far apart, some back to back.
            std::thread::sleep(Duration::from_millis((turn % 7) as u64 * 15));
        }
    })
}

fn flips_lose_nothing(load: Load) {
    let host = Host::start_with(&PROCESS);
    let (noise, disk) = (Noise::start(), Noise::of_disk());
    let after = to_and_fro(&host, load);
    let (late, written) = (Figures::of_ms(noise.stop()), Figures::of_ms(disk.stop()));
    assert_eq!(after.faults(), Vec::<String>::new(), "of {} answers", after.told.len());
    after.assert_rained(load);
    let (promoted, back) = (after.took(false), after.took(true));
    println!(
        "{} flips, {} answers, 0 failed, 0 mixed, 0 stale; rollback {back}; promote {promoted}; a thread woke late by {late}, \
         a page took {written} to the disk",
        load.flips,
        after.told.len()
    );
    // It writes once: what other tests write meanwhile comes before it.
    let bound = ROLLBACK_MS + TURNS_OF_A_ROLLBACK * late.at(0.99) + written.at(0.99);
    assert!(
        back.at(0.99) < bound,
        "rollback {back}; the machine is late by {late}, and its disk takes {written}"
    );
}

#[test]
fn flips_and_rollbacks_lose_no_request() {
    flips_lose_nothing(QUICK);
}

#[test]
#[ignore = "minutes"]
fn a_thousand_flips_and_rollbacks_lose_no_request() {
    flips_lose_nothing(LONG);
}

/// With every thread that requests pass through held up, the control plane is as quick as ever.
#[test]
fn a_rollback_waits_for_no_page() {
    let threads = std::thread::available_parallelism().unwrap().get();
    let host = broken(&format!("edge.claimed={threads}*sleep(3000)"));
    for version in ["v1", "v2"] {
        upload(&host, version, &clients::server(version));
        promote(&host, version);
    }
    let answered = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 * threads {
            scope.spawn(|| {
                let answer = host.get("storm", "/").send();
                answered.fetch_add(1, Ordering::SeqCst);
                assert_eq!(answer.status, 200, "{answer:?}");
            });
        }
        wait_until("every thread held up", PATIENCE, || {
            (host.release("storm", "v2")["in_flight"].as_u64()? as usize >= threads).then_some(())
        });
        assert_eq!(switch(&host, "rollback", "{}", true).release, "storm@v1");
        assert_eq!(answered.load(Ordering::SeqCst), 0);
    });
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

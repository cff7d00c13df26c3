//! A storm: clients of every kind ask while what is live changes, and an oracle judges what they were told.

pub mod clients;
mod oracle;

use super::archive::bundle_dir;
use super::figures::Figures;
use super::host::Host;
use clients::{Kind, Told};
pub use oracle::Flip;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A client that waits longer than this was kept waiting by a flip.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a storm is made of.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Changes of what is live.
    pub flips: usize,
    /// Clients that keep their connection.
    pub keep_alive: usize,
    /// Clients that connect anew for each request.
    pub anew: usize,
    /// Clients that read long streams.
    pub streams: usize,
    /// Clients that post bodies.
    pub posts: usize,
    /// Clients of HTTP/2.
    pub h2: usize,
}

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
    /// What clients were told.
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

    /// How long rollbacks took, or promotions.
    pub fn took(&self, back: bool) -> Figures {
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

/// Makes another release live, and notes when.
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

/// Makes this version live.
pub fn promote(host: &Host, version: &str) -> Flip {
    switch(host, "promote", &format!(r#"{{"version":"{version}"}}"#), false)
}

/// Deploys a version that nobody gets yet.
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
pub fn to_and_fro(host: &Host, load: Load) -> Aftermath {
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

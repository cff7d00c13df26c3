//! `kill -9` of a host or of its engine, at every durable write and every call of the engine: what was acknowledged is what runs
//! after the next start, and nothing lies about.

mod points;
mod rig;
mod script;
mod state;

use rand::RngExt as _;
use script::{KINDS, Kind, Passes, Script, Turn};
use state::Op;
use std::collections::BTreeSet;
use vitrine_test_support::docker;

const PROCESS: [&str; 2] = ["--isolation", "process"];
const CONTAINER: [&str; 3] = ["--isolation", "container", "--stop-workers-on-exit"];
/// Turns of a quick run, and of a long one.
const QUICK_TURNS: usize = 16;
const LONG_TURNS: usize = 2_000;
/// Hosts that a long run kills beside each other: a turn is mostly waiting.
const LANES: usize = 4;
/// Places that no change comes to on a host in process isolation, and why.
const NOT_ON_THE_WAY: [(&str, &str); 33] = [
    ("lend.", "only when an upgrade fails; the store's own test ends there"),
    (
        "record the share of the release",
        "which release answers is chance then; `integration`, `split` kills there",
    ),
    ("create a container", "Docker"),
    ("start a container", "Docker"),
    ("end a container", "Docker"),
    ("inspect a container", "Docker"),
    ("signal a container", "Docker"),
    ("remove a", "Docker"),
    ("list containers", "Docker"),
    ("list images", "Docker"),
    ("list its runtimes", "Docker"),
    ("answer a ping", "Docker"),
    ("tell a container's", "Docker"),
    ("tell its version", "Docker"),
    ("probe", "the first start with containers"),
    ("stats", "once a while"),
    ("store.write_over", "only after a write that failed; `corruption` has those"),
    ("stop.grace", "no step: it breaks a host for another rig"),
    ("bake.judge", "the same"),
    ("deploy.order", "the same"),
    ("freeze.send", "the same"),
    ("edge.claimed", "the same"),
    ("snapshot.rest", "only when a release goes to sleep, minutes later; what it removes is made again"),
    ("keep.replace", "the same"),
    ("starts.give_up", "the same"),
    ("handover.ready", "only in an upgrade; `upgrade` has a successor that dies there"),
    ("record the signature", "only on a host with keys; `security`, `signatures` kills there"),
    (
        "record the deployment",
        "behind the switch that it is recorded with; `integration`, `deployments` kills there",
    ),
    (
        "record whether the release is bad",
        "only after a deployment that failed; `integration`, `deployments` kills there",
    ),
    ("key.both", "only in a rotation; `integration`, `key` kills there"),
    ("key.resealed", "the same"),
    ("backup.", "a backup changes nothing"),
    ("free the name", "of an app that is gone already, in one statement"),
];

/// Each place once for each kind of change that passes it, up to this pass.
fn exhaustive(passes: &Passes, passes_max: usize) -> Vec<Turn> {
    let turns = passes.iter().flat_map(|((kind, name), passes)| {
        let at = |time| Turn { kind: *kind, at: Some((name.clone(), time)) };
        (1..=(*passes).min(passes_max)).map(at)
    });
    turns.collect()
}

/// One turn for each place, and as many that end at no place in particular.
fn once_each(passes: &Passes) -> Vec<Turn> {
    let mut seen = BTreeSet::new();
    let new = |turn: &Turn| turn.at.as_ref().is_some_and(|(name, _)| seen.insert(name.clone()));
    exhaustive(passes, 1).into_iter().filter(new).collect()
}

fn wished() -> Option<Turn> {
    let wish = std::env::var("KILL_TURN").ok()?;
    let mut parts = wish.split('|');
    let name = parts.next()?;
    let kind = KINDS.into_iter().find(|kind| format!("{kind:?}") == name)?;
    Some(Turn { kind, at: Some((parts.next()?.to_owned(), parts.next()?.parse().ok()?)) })
}

pub fn seed() -> u64 {
    let seed = std::env::var("FAULT_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(rand::random);
    println!("FAULT_SEED={seed}");
    seed
}

/// A survey of a host, the one turn that `KILL_TURN` names or those that are picked from it, and what came of them.
fn kill_and_look(flags: &'static [&'static str], pick: impl FnOnce(&mut Script, &Passes) -> Vec<Turn>) {
    let mut script = Script::new(flags, "", seed());
    if let Some(turn) = wished() {
        return script.run(&[turn]);
    }
    let passes = script.survey();
    let turns = pick(&mut script, &passes);
    script.run(&turns);
    println!("{}, {} places passed", script.figures(turns.len()), once_each(&passes).len());
}

/// Does all turns on hosts of their own, beside each other.
fn kill_in_lanes(turns: &[Turn]) {
    std::thread::scope(|scope| {
        for turns in turns.chunks(turns.len().div_ceil(LANES)) {
            scope.spawn(move || {
                let mut script = Script::new(&PROCESS, "", seed());
                script.run(turns);
                println!("{}", script.figures(turns.len()));
            });
        }
    });
}

/// This many of them, at random.
fn some(script: &mut Script, mut turns: Vec<Turn>, number: usize) -> Vec<Turn> {
    while turns.len() > number {
        let at = script.random.random_range(0..turns.len());
        turns.swap_remove(at);
    }
    turns
}

#[test]
fn what_was_acknowledged_runs_after_a_kill() {
    kill_and_look(&PROCESS, |script, passes| some(script, once_each(passes), QUICK_TURNS));
}

#[test]
#[ignore = "a quarter of an hour"]
fn what_was_acknowledged_runs_after_two_thousand_kills() {
    let mut script = Script::new(&PROCESS, "", seed());
    let passes = script.survey();
    assert_all_are_passed(&passes);
    let mut turns = exhaustive(&passes, 4);
    while turns.len() < LONG_TURNS {
        turns.extend(exhaustive(&passes, 4));
        turns.extend(KINDS.map(|kind| Turn { kind, at: None }));
    }
    kill_in_lanes(&some(&mut script, turns, LONG_TURNS));
    println!("{LONG_TURNS} turns, {} places passed", once_each(&passes).len());
}

/// A place that no change comes to is not tried.
fn assert_all_are_passed(passes: &Passes) {
    let passed: BTreeSet<&String> = passes.keys().map(|(_, name)| name).collect();
    let missed: Vec<String> = points::all()
        .into_iter()
        .filter(|name| {
            !passed.contains(name) && !NOT_ON_THE_WAY.iter().any(|(known, _)| name.starts_with(known))
        })
        .collect();
    assert!(missed.is_empty(), "no change comes by {missed:?}");
}

#[test]
fn containers_are_adopted_after_a_kill() {
    if docker::is_there() {
        in_containers(|script, passes| some(script, once_each(passes), 4));
    }
}

#[test]
#[ignore = "minutes"]
fn containers_are_adopted_after_a_hundred_kills() {
    if docker::is_there() {
        in_containers(|script, passes| some(script, exhaustive(passes, 2), 100));
    }
}

fn in_containers(pick: impl FnOnce(&mut Script, &Passes) -> Vec<Turn>) {
    let mut foreign = None;
    kill_and_look(&CONTAINER, |script, passes| {
        foreign = Some(Foreign::plant());
        pick(script, passes)
    });
}

/// Containers that are none of the host's: those of another host, and one that says nothing.
struct Foreign(Vec<serde_json::Value>);

impl Foreign {
    fn plant() -> Self {
        let labels = ["vitrine.host=another", "who=knows"];
        let planted = labels.map(|label| docker::create(&[label, "vitrine.instance=0123456789abcdef"][..]));
        let planted: Vec<_> = planted.into_iter().flatten().collect();
        assert_eq!(planted.len(), 2, "the host has made an image by now");
        Self(planted)
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let state = |one: &serde_json::Value| (one["Id"].clone(), one["State"].clone());
        let now: Vec<_> = self.0.iter().filter_map(|one| docker::inspect(one["Id"].as_str()?)).collect();
        let same = now.iter().map(state).eq(self.0.iter().map(state));
        self.0.iter().for_each(docker::remove);
        assert!(std::thread::panicking() || same, "a foreign container was touched: {now:?}");
    }
}

/// The host, broken on purpose: it acknowledges what it does not record.
#[test]
fn control_an_acknowledgement_before_the_record_is_noticed() {
    for step in ["record the switch", "record the environment's values", "forget the release"] {
        let mut script = Script::new(&PROCESS, &format!("{step}.commit=return(skip)"), seed());
        let deploy = script.op(Kind::Deploy).unwrap();
        script.must(&deploy);
        let Op::Deploy { version, .. } = deploy else { unreachable!("it was made above") };
        let op = match step {
            "record the switch" => Op::Promote { version },
            "forget the release" => Op::Remove { version },
            _ => Op::Greet { greeting: Some("hello".into()) },
        };
        let fault = script.look_after(&op, None).expect_err(step);
        assert!(fault.contains("the host shows"), "{fault}");
    }
}

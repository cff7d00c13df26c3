//! `kill -9` of a host or of its engine, at every durable write and every call of the engine: what was acknowledged is what runs
//! after the next start, and nothing lies about.

mod points;
mod rig;
mod state;

use crate::figures::Figures;
use crate::harness::docker;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rig::{Rig, Told};
use state::{App, Op};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const PROCESS: [&str; 2] = ["--isolation", "process"];
const CONTAINER: [&str; 3] = ["--isolation", "container", "--stop-workers-on-exit"];
/// Releases that are kept between turns, at most.
const RELEASES: usize = 5;
/// Time for what a host does behind the scenes after `ready`, when it is to die there.
const BEHIND: Duration = Duration::from_millis(1_500);

/// Turns of a quick run, and of a long one.
const QUICK_TURNS: usize = 16;
const LONG_TURNS: usize = 2_000;
/// Failed turns that are told at once.
const FAULTS_MAX: usize = 6;
/// Places that no change comes to on a host in process isolation, and why.
const NOT_ON_THE_WAY: [(&str, &str); 17] = [
    ("lend.", "only when an upgrade fails; the store's own test ends there"),
    ("record the share of the release", "which release answers is chance then; `it`, `split` kills there"),
    ("create a container", "Docker"),
    ("start a container", "Docker"),
    ("end a container", "Docker"),
    ("inspect a container", "Docker"),
    ("signal a container", "Docker"),
    ("remove a", "Docker"),
    ("list containers", "Docker"),
    ("list images", "Docker"),
    ("tell a container's", "Docker"),
    ("tell its version", "Docker"),
    ("probe", "the first start with containers"),
    ("stats", "once a while"),
    ("store.write_over", "only after a write that failed; `wounds` has those"),
    ("stop.grace", "no step: it breaks a host for another rig"),
    ("record what the worker is started with", "only when an operator changed limits between two hosts"),
];
/// What the text of a bundle ends with that a snapshot is made of.
const SNAPSHOT: &str = "-snapshot";

/// How often each kind of change passes each place.
type Passes = BTreeMap<(Kind, String), usize>;

/// What an operator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Deploy,
    DeployAgain,
    DeployWithSnapshot,
    DeployBroken,
    Preview,
    Promote,
    Rollback,
    Greet,
    Forget,
    SetUnread,
    UnsetUnread,
    Remove,
    RemoveApp,
    Start,
    Begin,
}

const KINDS: [Kind; 15] = [
    Kind::Deploy,
    Kind::DeployAgain,
    Kind::DeployWithSnapshot,
    Kind::DeployBroken,
    Kind::Preview,
    Kind::Promote,
    Kind::Rollback,
    Kind::Greet,
    Kind::Forget,
    Kind::SetUnread,
    Kind::UnsetUnread,
    Kind::Remove,
    Kind::Start,
    Kind::RemoveApp,
    Kind::Begin,
];

/// Where a host dies: the how manieth pass of which place, while it does what.
#[derive(Debug, Clone)]
struct Turn {
    kind: Kind,
    at: Option<(String, usize)>,
}

/// Turns of one data folder, one after the other.
struct Script {
    rig: Rig,
    random: StdRng,
    made: usize,
    flags: &'static [&'static str],
}

impl Script {
    fn new(flags: &'static [&'static str], failpoints: &str, seed: u64) -> Self {
        Self { rig: Rig::new(flags, failpoints), random: StdRng::seed_from_u64(seed), made: 0, flags }
    }

    fn pick(&mut self, among: Vec<String>) -> Option<String> {
        (!among.is_empty()).then(|| among[self.random.random_range(0..among.len())].clone())
    }

    /// A change of this kind that the host can make now, if there is one.
    fn op(&mut self, kind: Kind) -> Option<Op> {
        let app = self.rig.app.clone();
        let idle =
            || app.releases.keys().filter(|version| app.live.as_ref() != Some(*version)).cloned().collect();
        self.made += 1;
        let (version, text) = (format!("v{}", self.made), format!("page{}", self.made));
        Some(match kind {
            Kind::Deploy => Op::Deploy { version, text, preview: None },
            Kind::DeployAgain => {
                let known = app.releases.values().map(|release| release.text.clone()).collect();
                Op::Deploy { version, text: self.pick(known)?, preview: None }
            }
            Kind::DeployWithSnapshot => {
                Op::Deploy { version, text: format!("{text}{SNAPSHOT}"), preview: None }
            }
            Kind::DeployBroken => Op::DeployBroken { version },
            Kind::Preview => Op::Deploy { version, text, preview: Some("pr".into()) },
            Kind::Promote => Op::Promote { version: self.pick(idle())? },
            Kind::Rollback => app.rollback_target().map(|_| Op::Rollback)?,
            Kind::Greet => Op::Greet { greeting: Some(format!("hello{}", self.made)) },
            Kind::Forget => app.greeting.as_ref().map(|_| Op::Greet { greeting: None })?,
            Kind::SetUnread => Op::SetUnread { value: Some(text) },
            Kind::UnsetUnread => app.unread.as_ref().map(|_| Op::SetUnread { value: None })?,
            Kind::Remove => Op::Remove { version: self.pick(idle())? },
            Kind::RemoveApp => (!app.releases.is_empty()).then_some(Op::RemoveApp)?,
            Kind::Start => Op::Start,
            Kind::Begin => Op::Begin,
        })
    }

    /// Does this, with nothing in the way.
    fn must(&mut self, op: &Op) {
        let told = self.rig.ask(op, Some(&format!("key-{}", self.made)));
        let done = match op {
            Op::DeployBroken { .. } => matches!(told, Told::Refused(422, _)),
            _ => matches!(told, Told::Acknowledged),
        };
        assert!(done, "{op:?}: {told:?}\n{}", self.rig.log());
        let shown = self.rig.shown().unwrap();
        let after = self.rig.app.after(op);
        self.rig.app =
            after.is_shown_as(&shown).unwrap_or_else(|| panic!("{op:?} gave {shown:?}, not {after:?}"));
    }

    /// A change of this kind; what it needs is done first.
    fn prepared(&mut self, kind: Kind) -> Op {
        while self.rig.app.releases.len() > RELEASES {
            let op = self.op(Kind::Remove).unwrap();
            self.must(&op);
        }
        loop {
            let wanted = self.op(kind);
            let app = &self.rig.app;
            // A host without a release that users get and one beside it has little to lose.
            let (few, dead) = (app.releases.len() < 2, app.live.is_none());
            let next = match wanted {
                Some(op) if !few && !dead => return op,
                _ if few => self.op(Kind::Deploy),
                _ if dead || kind == Kind::Rollback => self.op(Kind::Promote),
                _ if kind == Kind::UnsetUnread => self.op(Kind::SetUnread),
                _ => self.op(Kind::Greet),
            };
            self.must(&next.unwrap());
        }
    }

    /// One turn: a change, a death, a start, and a look at everything.
    fn turn(&mut self, turn: &Turn) -> Result<(), String> {
        let op = self.prepared(turn.kind);
        self.look_after(&op, turn.at.as_ref())
    }

    fn look_after(&mut self, op: &Op, at: Option<&(String, usize)>) -> Result<(), String> {
        let point = at.map(|(name, time)| (name.as_str(), *time));
        let (before, after) = (self.rig.app.clone(), self.rig.app.after(op));
        let key = format!("turn-{}", self.made);
        let instances = self.rig.instances();
        let expected = if matches!(op, Op::Start | Op::Begin) {
            self.rig.kill();
            if *op == Op::Begin {
                self.rig.begin_anew();
            }
            self.rig.die_at(point);
            if self.rig.start() && point.is_some() {
                self.rig.dies_within(BEHIND);
            }
            vec![after]
        } else {
            self.rig.die_at(point);
            match self.rig.ask(op, Some(&key)) {
                Told::Acknowledged => vec![after],
                Told::Refused(422, _) if matches!(op, Op::DeployBroken { .. }) => vec![before],
                Told::Refused(..) if point.is_some_and(|(name, _)| in_engine(name)) => vec![before],
                Told::Refused(status, reason) => return Err(format!("refused: {status} {reason}")),
                Told::Nothing if !self.rig.died() => return Err("no answer, and the host lives".into()),
                Told::Nothing => vec![before, after],
            }
        };
        self.rig.kill();
        self.rig.die_at(None);
        if !self.rig.start() {
            return Err("it does not start again".into());
        }
        let shown = self.rig.shown().map_err(|error| error.to_string())?;
        let Some(found) = expected.iter().find_map(|app| app.is_shown_as(&shown)) else {
            return Err(format!("{op:?}: the host shows {shown:?}; expected one of {expected:?}"));
        };
        self.rig.app = found;
        let lost = self.rig.not_adopted(&instances);
        let lost = (!lost.is_empty()).then(|| format!("not adopted: {lost:?}"));
        self.rig.served().or_else(|| self.rig.strays()).or(lost).map_or(Ok(()), Err)
    }

    /// How often each place is passed by each kind of change.
    fn survey(&mut self) -> Passes {
        let mut passes = Passes::new();
        for kind in KINDS {
            let op = self.prepared(kind);
            self.rig.passed();
            if matches!(op, Op::Start | Op::Begin) {
                self.rig.kill();
                if op == Op::Begin {
                    self.rig.begin_anew();
                    self.rig.app = App::default();
                }
                assert!(self.rig.start());
                assert_eq!(self.rig.strays(), None);
            } else {
                self.must(&op);
            }
            for name in self.rig.passed() {
                *passes.entry((kind, name)).or_default() += 1;
            }
        }
        passes
    }

    /// Does all turns; those after a failed one begin with an empty folder, so that all that is wrong is told at once.
    fn run(&mut self, turns: &[Turn]) {
        let mut faults = Vec::new();
        for (number, turn) in turns.iter().enumerate() {
            let Err(fault) = self.turn(turn) else { continue };
            let at = turn.at.as_ref().map(|(name, time)| format!("{name}|{time}")).unwrap_or_default();
            faults.push(format!(
                "turn {number} (KILL_TURN='{:?}|{at}' runs it alone): {fault}\nlog of its host:\n{}",
                turn.kind,
                self.rig.log()
            ));
            if faults.len() == FAULTS_MAX {
                break;
            }
            self.rig = Rig::new(self.flags, "");
        }
        assert!(
            faults.is_empty(),
            "{} of {} turns failed\n{}",
            faults.len(),
            turns.len(),
            faults.join("\n\n")
        );
    }

    /// What was done, in one line.
    fn figures(&self, turns: usize) -> String {
        let starts = Figures::of(self.rig.starts.iter().copied());
        format!("{turns} turns, {} kills, 0 lost; ready again after {starts}", self.rig.kills)
    }
}

/// Whether the engine process dies there, and the host does not.
fn in_engine(name: &str) -> bool {
    let moment = name.rsplit_once('.').map(|(_, moment)| moment);
    let docker = |step: &str| step.contains(' ');
    match (name.split_once('.').map_or(name, |(step, _)| step), moment) {
        (_, Some("begun" | "finished" | "called")) => true,
        (step, Some("answered")) => docker(step),
        _ => false,
    }
}

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
#[ignore = "an hour"]
fn what_was_acknowledged_runs_after_two_thousand_kills() {
    kill_and_look(&PROCESS, |script, passes| {
        assert_all_are_passed(passes);
        let mut turns = exhaustive(passes, 4);
        while turns.len() < LONG_TURNS {
            turns.extend(exhaustive(passes, 4));
            turns.extend(KINDS.map(|kind| Turn { kind, at: None }));
        }
        some(script, turns, LONG_TURNS)
    });
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
    for step in ["record the switch", "record the environment value", "forget the release"] {
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

//! Changes and deaths, one after the other, on one data folder.

use super::rig::{Rig, Told};
use super::state::{App, Op};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;
use vitrine_test_support::figures::Figures;

/// Releases that are kept between turns, at most.
const RELEASES: usize = 5;
/// Time for what a host does behind the scenes after `ready`, when it is to die there.
const BEHIND: Duration = Duration::from_millis(1_500);

/// Failed turns that are told at once.
const FAULTS_MAX: usize = 6;
/// What the text of a bundle ends with that a snapshot is made of.
pub const SNAPSHOT: &str = "-snapshot";

/// How often each kind of change passes each place.
pub type Passes = BTreeMap<(Kind, String), usize>;

/// What an operator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Deploy,
    DeployAgain,
    DeployWithSnapshot,
    DeployBroken,
    Preview,
    Promote,
    PromotePreview,
    Rollback,
    Greet,
    Forget,
    SetUnread,
    UnsetUnread,
    Permit,
    Revoke,
    Remove,
    RemoveApp,
    Start,
    Begin,
}

pub const KINDS: [Kind; 18] = [
    Kind::Deploy,
    Kind::DeployAgain,
    Kind::DeployWithSnapshot,
    Kind::DeployBroken,
    Kind::Preview,
    Kind::Promote,
    Kind::PromotePreview,
    Kind::Rollback,
    Kind::Greet,
    Kind::Forget,
    Kind::SetUnread,
    Kind::UnsetUnread,
    Kind::Permit,
    Kind::Revoke,
    Kind::Remove,
    Kind::Start,
    Kind::RemoveApp,
    Kind::Begin,
];

/// Where a host dies: the how manieth pass of which place, while it does what.
#[derive(Debug, Clone)]
pub struct Turn {
    pub kind: Kind,
    pub at: Option<(String, usize)>,
}

/// Turns of one data folder, one after the other.
pub struct Script {
    rig: Rig,
    pub random: StdRng,
    made: usize,
    flags: &'static [&'static str],
}

impl Script {
    pub fn new(flags: &'static [&'static str], failpoints: &str, seed: u64) -> Self {
        Self { rig: Rig::new(flags, failpoints), random: StdRng::seed_from_u64(seed), made: 0, flags }
    }

    fn pick(&mut self, among: Vec<String>) -> Option<String> {
        (!among.is_empty()).then(|| among[self.random.random_range(0..among.len())].clone())
    }

    /// A change of this kind that the host can make now, if there is one.
    pub fn op(&mut self, kind: Kind) -> Option<Op> {
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
            Kind::PromotePreview => {
                let was_live = |version: &String| app.history.iter().any(|(live, _)| live == version);
                let previews = app.releases.iter().filter(|(_, release)| release.preview.is_some());
                let new = previews.map(|(version, _)| version.clone()).filter(|version| !was_live(version));
                Op::Promote { version: self.pick(new.collect())? }
            }
            Kind::Rollback => app.rollback_target().map(|_| Op::Rollback)?,
            Kind::Greet => Op::Greet { greeting: Some(format!("hello{}", self.made)) },
            Kind::Forget => app.greeting.as_ref().map(|_| Op::Greet { greeting: None })?,
            Kind::SetUnread => Op::SetUnread { value: Some(text) },
            Kind::UnsetUnread => app.unread.as_ref().map(|_| Op::SetUnread { value: None })?,
            Kind::Permit => Op::Permit { token: format!("t{}", self.made) },
            Kind::Revoke => Op::Revoke { token: self.pick(app.tokens.into_iter().collect())? },
            Kind::Remove => Op::Remove { version: self.pick(idle())? },
            Kind::RemoveApp => (!app.releases.is_empty()).then_some(Op::RemoveApp)?,
            Kind::Start => Op::Start,
            Kind::Begin => Op::Begin,
        })
    }

    /// Does this, with nothing in the way.
    pub fn must(&mut self, op: &Op) {
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
                _ if kind == Kind::PromotePreview => self.op(Kind::Preview),
                _ if kind == Kind::UnsetUnread => self.op(Kind::SetUnread),
                _ if kind == Kind::Revoke => self.op(Kind::Permit),
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

    pub fn look_after(&mut self, op: &Op, at: Option<&(String, usize)>) -> Result<(), String> {
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
    pub fn survey(&mut self) -> Passes {
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
    pub fn run(&mut self, turns: &[Turn]) {
        let mut faults = Vec::new();
        for (number, turn) in turns.iter().enumerate() {
            let Err(fault) = self.turn(turn) else { continue };
            let at = turn.at.as_ref().map(|(name, time)| format!("{name}|{time}")).unwrap_or_default();
            let fault = format!(
                "turn {number} (KILL_TURN='{:?}|{at}' runs it alone): {fault}\nlog of its host:\n{}",
                turn.kind,
                self.rig.log()
            );
            // Past the harness, which shows what a test says at its end only.
            let _ = writeln!(std::io::stderr(), "{fault}");
            faults.push(fault);
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
    pub fn figures(&self, turns: usize) -> String {
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

//! The machine against a model that keeps nothing but the list of what happened and reads it anew for each answer.

use super::{Effect, Event, Lifecycle, State};
use Event::{
    Adopted, Answered, Drained, HostEnds, Idle, Lost, Promoted, Ready, Removed, Rested, Shared, StartFailed,
    Superseded, Thawed, Wanted,
};
use proptest::prelude::*;
use vitrine_core::limits::START_FAILURES_MAX;

const ALONE: Event = Removed { with_app: false };
const WITH_APP: Event = Removed { with_app: true };
const WANTED: Event = Wanted { insist: false };
const INSISTED: Event = Wanted { insist: true };
/// What does not end a release's life.
const COMMON: [Event; 15] = [
    WANTED,
    INSISTED,
    Adopted,
    Answered,
    Ready,
    StartFailed,
    Lost,
    Promoted,
    Superseded,
    Shared,
    Rested,
    Thawed,
    Idle,
    HostEnds,
    Drained,
];

/// What happened, and was allowed to, oldest first.
#[derive(Debug, Clone, Copy)]
struct Past<'a>(&'a [Event]);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Nothing,
    Boots,
    Warms,
    Serves,
    Sleeps,
    Drains,
}

impl Past<'_> {
    /// What the worker does: what the last event that is about it says.
    fn worker(self) -> Does {
        let Some((last, before)) = self.0.split_last() else { return Does::Nothing };
        let before = Past(before).worker();
        match last {
            Promoted | Superseded | Shared => before,
            Wanted { .. } if before == Does::Nothing => Does::Boots,
            Wanted { .. } => before,
            Answered => Does::Warms,
            Adopted | Ready | Thawed => Does::Serves,
            Rested => Does::Sleeps,
            StartFailed | Drained => Does::Nothing,
            Lost if before == Does::Drains => Does::Drains,
            Lost => Does::Nothing,
            Idle | HostEnds | Removed { .. } if before == Does::Nothing => Does::Nothing,
            Idle | HostEnds | Removed { .. } => Does::Drains,
        }
    }

    fn is_live(self) -> bool {
        let switch = self.0.iter().rev().find(|event| matches!(event, Promoted | Superseded));
        switch == Some(&Promoted)
    }

    fn was_live(self) -> bool {
        self.0.contains(&Promoted) || self.0.contains(&Shared)
    }

    fn is_removed(self) -> bool {
        self.0.iter().any(|event| matches!(event, Removed { .. }))
    }

    fn is_gone(self) -> bool {
        self.is_removed() && self.worker() == Does::Nothing
    }

    fn was_started(self) -> bool {
        self.0.iter().any(|event| matches!(event, Wanted { .. } | Adopted))
    }

    /// How starts went and what ended them.
    fn starts(self) -> Vec<Event> {
        let is_one = |event: &&Event| matches!(event, Adopted | Answered | Ready | StartFailed | Drained);
        self.0.iter().filter(is_one).copied().collect()
    }

    /// Whether the last start failed after its worker had answered, as one of too many since the last that went well.
    fn is_given_up(self) -> bool {
        let starts = self.starts();
        let since = starts.iter().rposition(|event| *event == Ready).unwrap_or(0);
        let failures = starts[since..].windows(2).filter(|two| *two == [Answered, StartFailed]).count();
        failures >= START_FAILURES_MAX as usize
            && starts.ends_with(&[Answered, StartFailed])
            && self.worker() == Does::Nothing
    }

    fn allows(self, event: Event) -> bool {
        let does = self.worker();
        let removed = self.is_removed();
        match event {
            Drained => does == Does::Drains,
            Lost => match does {
                Does::Boots | Does::Warms => false,
                _ => self.was_started() && !self.is_gone(),
            },
            _ if removed => false,
            Wanted { insist } => match does {
                Does::Nothing => insist || !self.is_given_up(),
                Does::Serves | Does::Sleeps => true,
                Does::Boots | Does::Warms | Does::Drains => false,
            },
            Adopted => does == Does::Nothing && self.was_started() && !self.is_given_up(),
            Answered => does == Does::Boots,
            Ready => does == Does::Warms,
            StartFailed => matches!(does, Does::Boots | Does::Warms),
            Promoted => {
                let lost = does == Does::Nothing && self.was_started() && !self.is_given_up();
                !self.is_live() && (does == Does::Serves || lost)
            }
            Superseded => self.is_live(),
            Shared => does == Does::Serves && !self.is_live(),
            Rested => does == Does::Serves && self.was_live() && !self.is_live(),
            Thawed => does == Does::Sleeps,
            Idle => matches!(does, Does::Serves | Does::Sleeps) && !self.is_live(),
            HostEnds => matches!(does, Does::Nothing | Does::Serves | Does::Sleeps),
            Removed { with_app } => {
                matches!(does, Does::Nothing | Does::Serves | Does::Sleeps) && (with_app || !self.is_live())
            }
        }
    }

    fn state(self) -> State {
        match self.worker() {
            _ if self.is_gone() => State::Retired,
            _ if self.is_removed() => State::Draining,
            _ if self.is_live() => State::Live,
            Does::Nothing if !self.was_started() => State::Uploaded,
            Does::Nothing if self.is_given_up() => State::Failed,
            Does::Nothing => State::Sleeping,
            Does::Boots => State::Booting,
            Does::Warms => State::Warming,
            Does::Serves if self.was_live() => State::Standby,
            Does::Serves => State::Healthy,
            Does::Sleeps => State::Frozen,
            Does::Drains => State::Draining,
        }
    }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let last = prop::sample::select(vec![ALONE, WITH_APP]);
    prop::collection::vec(prop_oneof![60 => prop::sample::select(COMMON.to_vec()), 1 => last], 1..300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn it_stands_where_the_model_stands_and_refuses_what_the_model_refuses(events in events()) {
        let mut life = Lifecycle::uploaded();
        let mut past = Vec::new();
        let mut workers = 0_i32;
        for event in events {
            let model = Past(&past);
            prop_assert_eq!(life.state(), model.state(), "after {:?}", past);
            prop_assert_eq!(life.is_given_up(), model.is_given_up() && !model.is_removed(), "after {:?}", past);
            let allowed = model.allows(event);
            let after = life.after(event);
            prop_assert_eq!(after.is_ok(), allowed, "{:?} after {:?}", event, past);
            let Ok((next, effects)) = after else { continue };
            // As a host would see it: one worker at a time, and none that is never stopped.
            workers += i32::from(event == Adopted);
            for effect in effects {
                match effect {
                    Effect::Start => workers += 1,
                    Effect::Stop => workers = 0,
                    Effect::Drain | Effect::Settle | Effect::Freeze | Effect::Thaw => {}
                }
            }
            prop_assert!((0..=1).contains(&workers), "{} workers by {:?} after {:?}", workers, event, past);
            past.push(event);
            life = next;
            prop_assert!(life.state() != State::Retired || workers == 0);
        }
    }
}

/// Where a release stands after these events, and what is to be done at the last.
fn through(events: &[Event]) -> (State, Vec<Effect>) {
    let mut life = Lifecycle::uploaded();
    let mut last: &[Effect] = &[];
    for event in events {
        (life, last) = life.after(*event).unwrap_or_else(|illegal| panic!("{illegal} in {events:?}"));
    }
    (life.state(), last.to_vec())
}

#[test]
fn a_release_goes_from_uploaded_to_retired() {
    let course = [
        (WANTED, State::Booting, vec![Effect::Start]),
        (Answered, State::Warming, vec![]),
        (Ready, State::Healthy, vec![]),
        (Promoted, State::Live, vec![]),
        (Superseded, State::Standby, vec![Effect::Settle]),
        (Rested, State::Frozen, vec![Effect::Freeze]),
        (WANTED, State::Frozen, vec![Effect::Thaw]),
        (Thawed, State::Standby, vec![]),
        (Promoted, State::Live, vec![]),
        (Superseded, State::Standby, vec![Effect::Settle]),
        (Idle, State::Draining, vec![Effect::Drain]),
        (Drained, State::Sleeping, vec![Effect::Stop]),
        (WANTED, State::Booting, vec![Effect::Start]),
        (Answered, State::Warming, vec![]),
        (Ready, State::Standby, vec![]),
        (ALONE, State::Draining, vec![Effect::Drain]),
        (Drained, State::Retired, vec![Effect::Stop]),
    ];
    let mut events = Vec::new();
    for (event, state, effects) in course {
        events.push(event);
        assert_eq!(through(&events), (state, effects), "{events:?}");
    }
}

#[test]
fn starts_that_the_app_fails_are_given_up_and_an_insisting_one_is_made() {
    let fails = [WANTED, Answered, StartFailed];
    let twice = [fails, fails].concat();
    assert_eq!(through(&twice).0, State::Sleeping);
    let thrice = [fails, fails, fails].concat();
    assert_eq!(through(&thrice), (State::Failed, vec![Effect::Stop]));
    let start = |events: &[Event], next| {
        let life = events.iter().fold(Lifecycle::uploaded(), |life, event| life.after(*event).unwrap().0);
        life.after(next).map(|(life, effects)| (life.state(), effects))
    };
    assert!(start(&thrice, WANTED).is_err());
    assert_eq!(start(&thrice, INSISTED), Ok((State::Booting, &[Effect::Start][..])));
    // One that went well begins the count anew.
    let good = [twice.clone(), vec![WANTED, Answered, Ready, Lost]].concat();
    assert_eq!(through(&[good, twice].concat()).0, State::Sleeping);
    // The engine's failures are not the app's.
    assert_eq!(through(&[WANTED, StartFailed].repeat(9)).0, State::Sleeping);
}

#[test]
fn a_live_release_stays_live_whatever_its_worker_does_and_is_removed_with_its_app_only() {
    let live = vec![WANTED, Answered, Ready, Promoted];
    for more in [vec![], vec![Lost], vec![Lost, WANTED], vec![Lost, WANTED, Answered], vec![HostEnds]] {
        assert_eq!(through(&[live.clone(), more].concat()).0, State::Live);
    }
    let life = live.iter().fold(Lifecycle::uploaded(), |life, event| life.after(*event).unwrap().0);
    let refused = life.after(ALONE).unwrap_err();
    assert_eq!((refused.state, refused.event), (State::Live, ALONE));
    assert!(life.after(Idle).is_err() && life.after(Rested).is_err());
    assert_eq!(life.after(WITH_APP).unwrap().0.state(), State::Draining);
    assert_eq!(through(&[WANTED, Answered, Ready, Shared]).0, State::Standby);
    assert!(life.after(Shared).is_err());
    assert_eq!(Lifecycle::recorded(true, true).state(), State::Live);
    assert_eq!(Lifecycle::recorded(false, true).after(Adopted).unwrap().0.state(), State::Standby);
    assert_eq!(Lifecycle::recorded(false, false).after(Adopted).unwrap().0.state(), State::Healthy);
}

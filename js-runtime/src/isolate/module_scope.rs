//! Records what an app does at module scope that a snapshot would freeze.

use crate::limits::isolate::MODULE_SCOPE_READS_MAX;
use std::cell::RefCell;
use vitrine_wire::ModuleScopeRead;

/// What is noticed at module scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// It looked at something that differs from one isolate to the next.
    Read(ModuleScopeRead),
    /// It called the network.
    Network,
    /// It set a timer. Only one that is still waiting in the end matters.
    Timer,
    /// It asked for something that V8 adds to an isolate when the snapshot is loaded.
    Feature,
}

impl Notice {
    /// The notice that `js/runtime/snapshot_guard.js` gives by this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "clock" => Self::Read(ModuleScopeRead::Clock),
            "env" => Self::Read(ModuleScopeRead::Env),
            "randomness" => Self::Read(ModuleScopeRead::Randomness),
            "network" => Self::Network,
            "timer" => Self::Timer,
            "feature" => Self::Feature,
            _ => return None,
        })
    }
}

/// A notice with its place in the bundle, and what was asked for.
#[derive(Debug)]
struct Noticed {
    notice: Notice,
    place: String,
    detail: String,
}

/// The notices of one evaluation.
#[derive(Debug, Default)]
pub struct ModuleScope {
    harmless: Vec<ModuleScopeRead>,
    notices: RefCell<Vec<Noticed>>,
}

impl ModuleScope {
    /// Nothing noticed; `harmless` is what the bundle declares to be.
    #[must_use]
    pub fn new(harmless: Vec<ModuleScopeRead>) -> Self {
        Self { harmless, notices: RefCell::default() }
    }

    /// Notes what the app does at `place`. `true` when it can't have a snapshot because of it.
    pub fn note(&self, notice: Notice, place: String, detail: String) -> bool {
        if matches!(notice, Notice::Read(read) if self.harmless.contains(&read)) {
            return false;
        }
        let mut notices = self.notices.borrow_mut();
        if notices.len() < MODULE_SCOPE_READS_MAX {
            notices.push(Noticed { notice, place, detail });
        }
        notice != Notice::Timer
    }

    /// Why the app can't have a snapshot, if anything says so. `waiting` is whether timers or calls still wait.
    #[must_use]
    pub fn refusal(&self, waiting: bool) -> Option<String> {
        let notices = self.notices.borrow();
        if let Some(noticed) = notices.iter().find(|noticed| noticed.notice != Notice::Timer) {
            return Some(noticed.reason());
        }
        if !waiting {
            return None;
        }
        let timer = notices.iter().find(|noticed| noticed.notice == Notice::Timer);
        Some(timer.map_or_else(
            || "something that the app began while it was evaluated still waits".to_owned(),
            Noticed::reason,
        ))
    }
}

impl Noticed {
    fn reason(&self) -> String {
        let (what, declaration) = match self.notice {
            Notice::Read(ModuleScopeRead::Clock) => ("reads the clock".to_owned(), Some("clock")),
            Notice::Read(ModuleScopeRead::Env) => ("reads the environment".to_owned(), Some("env")),
            Notice::Read(ModuleScopeRead::Randomness) => {
                ("takes a random number".to_owned(), Some("randomness"))
            }
            Notice::Network => ("calls the network".to_owned(), None),
            Notice::Timer => ("sets a timer that still waits".to_owned(), None),
            Notice::Feature => (format!("asks for {}, which no snapshot can hold,", self.detail), None),
        };
        let place = if self.place.is_empty() { "the app" } else { &self.place };
        let advice = declaration.map_or_else(
            || "do it when a request asks for it".to_owned(),
            |name| {
                format!(
                    "do it in a request, or list \"{name}\" in snapshot.harmless of vitrine.json if the same value may serve for good"
                )
            },
        );
        format!("{place} {what} while the app is evaluated; {advice}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_harmless_is_not_noticed() {
        let scope = ModuleScope::new(vec![ModuleScopeRead::Clock]);
        assert!(!scope.note(
            Notice::Read(ModuleScopeRead::Clock),
            "server/index.js:1:1".into(),
            String::new()
        ));
        assert_eq!(scope.refusal(false), None);
        assert!(scope.note(Notice::Read(ModuleScopeRead::Env), "server/index.js:2:1".into(), String::new()));
        let refusal = scope.refusal(false).unwrap();
        assert!(refusal.starts_with("server/index.js:2:1 reads the environment"), "{refusal}");
    }

    #[test]
    fn a_timer_matters_only_while_it_waits() {
        let scope = ModuleScope::default();
        assert!(!scope.note(Notice::Timer, "server/index.js:3:1".into(), String::new()));
        assert_eq!(scope.refusal(false), None);
        assert!(scope.refusal(true).unwrap().starts_with("server/index.js:3:1 sets a timer"));
        assert!(ModuleScope::default().refusal(true).is_some());
    }

    #[test]
    fn notices_are_bounded() {
        let scope = ModuleScope::default();
        for _ in 0..=MODULE_SCOPE_READS_MAX {
            assert!(scope.note(Notice::Network, String::new(), String::new()));
        }
        assert_eq!(scope.notices.borrow().len(), MODULE_SCOPE_READS_MAX);
    }
}

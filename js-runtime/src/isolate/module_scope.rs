//! What an app did while it was evaluated for a snapshot, and a snapshot would freeze.

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
    /// It compiled WebAssembly.
    Wasm,
}

impl Notice {
    /// The notice that `js/module_scope.js` gives by this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "clock" => Self::Read(ModuleScopeRead::Clock),
            "env" => Self::Read(ModuleScopeRead::Env),
            "randomness" => Self::Read(ModuleScopeRead::Randomness),
            "network" => Self::Network,
            "timer" => Self::Timer,
            "wasm" => Self::Wasm,
            _ => return None,
        })
    }
}

/// The notices of one evaluation.
#[derive(Debug, Default)]
pub struct ModuleScope {
    harmless: Vec<ModuleScopeRead>,
    notices: RefCell<Vec<(Notice, String)>>,
}

impl ModuleScope {
    /// Nothing noticed; `harmless` is what the bundle declares to be.
    #[must_use]
    pub fn new(harmless: Vec<ModuleScopeRead>) -> Self {
        Self { harmless, notices: RefCell::default() }
    }

    /// Notes what the app does at `place`. `true` when it can't have a snapshot because of it.
    pub fn note(&self, notice: Notice, place: String) -> bool {
        if matches!(notice, Notice::Read(read) if self.harmless.contains(&read)) {
            return false;
        }
        let mut notices = self.notices.borrow_mut();
        if notices.len() < MODULE_SCOPE_READS_MAX {
            notices.push((notice, place));
        }
        notice != Notice::Timer
    }

    /// Why the app can't have a snapshot, if anything says so. `waiting` is whether timers or calls still wait.
    #[must_use]
    pub fn refusal(&self, waiting: bool) -> Option<String> {
        let notices = self.notices.borrow();
        if let Some((notice, place)) = notices.iter().find(|(notice, _)| *notice != Notice::Timer) {
            return Some(reason(*notice, place));
        }
        if !waiting {
            return None;
        }
        let timer = notices.iter().find(|(notice, _)| *notice == Notice::Timer);
        Some(timer.map_or_else(
            || "something that the app began while it was evaluated still waits".to_owned(),
            |(notice, place)| reason(*notice, place),
        ))
    }
}

fn reason(notice: Notice, place: &str) -> String {
    let (what, declaration) = match notice {
        Notice::Read(ModuleScopeRead::Clock) => ("reads the clock", Some("clock")),
        Notice::Read(ModuleScopeRead::Env) => ("reads the environment", Some("env")),
        Notice::Read(ModuleScopeRead::Randomness) => ("takes a random number", Some("randomness")),
        Notice::Network => ("calls the network", None),
        Notice::Timer => ("sets a timer that still waits", None),
        Notice::Wasm => ("compiles WebAssembly, which no snapshot can hold,", None),
    };
    let place = if place.is_empty() { "the app" } else { place };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_harmless_is_not_noticed() {
        let scope = ModuleScope::new(vec![ModuleScopeRead::Clock]);
        assert!(!scope.note(Notice::Read(ModuleScopeRead::Clock), "server/index.js:1:1".into()));
        assert_eq!(scope.refusal(false), None);
        assert!(scope.note(Notice::Read(ModuleScopeRead::Env), "server/index.js:2:1".into()));
        let refusal = scope.refusal(false).unwrap();
        assert!(refusal.starts_with("server/index.js:2:1 reads the environment"), "{refusal}");
    }

    #[test]
    fn a_timer_matters_only_while_it_waits() {
        let scope = ModuleScope::default();
        assert!(!scope.note(Notice::Timer, "server/index.js:3:1".into()));
        assert_eq!(scope.refusal(false), None);
        assert!(scope.refusal(true).unwrap().starts_with("server/index.js:3:1 sets a timer"));
        assert!(ModuleScope::default().refusal(true).is_some());
    }

    #[test]
    fn notices_are_bounded() {
        let scope = ModuleScope::default();
        for _ in 0..=MODULE_SCOPE_READS_MAX {
            assert!(scope.note(Notice::Network, String::new()));
        }
        assert_eq!(scope.notices.borrow().len(), MODULE_SCOPE_READS_MAX);
    }
}

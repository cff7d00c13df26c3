//! Which isolation a host runs with: asked for, recorded, probed.

use vitrine_core::config::{Isolation, IsolationChoice};

/// What follows from the choice, the record and the probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It hangs on whether containers work: probe, then decide again.
    Probe,
    /// Use this one.
    Use {
        /// Which.
        isolation: Isolation,
        /// Whether to record it as what this host runs with.
        record: bool,
        /// A line for the operator, if there is something to say.
        notice: Option<String>,
    },
    /// Don't start; the text says why and what to do.
    Refuse(String),
}

/// Decides. `probed` is the outcome of running one worker in a container, with the reason why it did not work; it is
/// absent until [`Decision::Probe`] asks for it.
///
/// A host that once ran containers keeps asking for them: when Docker is gone it serves the workers that still run and
/// starts none, and never falls back to processes by itself. Only `--isolation process` does that, and leaves the record as it is.
#[must_use]
pub fn choose(
    choice: IsolationChoice,
    recorded: Option<Isolation>,
    probed: Option<&Result<(), String>>,
) -> Decision {
    let settled = |isolation| Decision::Use { isolation, record: false, notice: None };
    let recording = |isolation, notice| Decision::Use { isolation, record: true, notice };
    match (choice, recorded, probed) {
        (IsolationChoice::Process, Some(Isolation::Container), _) => Decision::Use {
            isolation: Isolation::Process,
            record: false,
            notice: Some(
                "isolation = process: workers run as locked-down processes, which is weaker than the containers that this host had \
                 before; those are ended (start without it, or with --isolation container, to go back)"
                    .into(),
            ),
        },
        (IsolationChoice::Process, ..) => settled(Isolation::Process),
        (IsolationChoice::Auto, Some(Isolation::Process), _) => settled(Isolation::Process),
        (_, Some(Isolation::Container), Some(Err(reason))) => Decision::Use {
            isolation: Isolation::Container,
            record: false,
            notice: Some(format!(
                "containers can't be started now ({reason}); workers that still run are served, new ones wait for Docker"
            )),
        },
        (_, Some(Isolation::Container), _) => settled(Isolation::Container),
        (_, _, None) => Decision::Probe,
        (_, _, Some(Ok(()))) => recording(Isolation::Container, None),
        (IsolationChoice::Container, _, Some(Err(reason))) => Decision::Refuse(format!(
            "workers can't run in containers: {reason}; make Docker usable, or start with --isolation process"
        )),
        (IsolationChoice::Auto, None, Some(Err(reason))) => recording(
            Isolation::Process,
            Some(format!(
                "workers can't run in containers ({reason}); they run as locked-down processes, also at later starts \
                 (--isolation container tries again)"
            )),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(decision: Decision) -> (Isolation, bool, bool) {
        match decision {
            Decision::Use { isolation, record, notice } => (isolation, record, notice.is_some()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn first_start_probes_and_records() {
        let (auto, container) = (IsolationChoice::Auto, IsolationChoice::Container);
        let (works, fails) = (Ok(()), Err("no socket".to_string()));
        assert_eq!(choose(auto, None, None), Decision::Probe);
        assert_eq!(used(choose(auto, None, Some(&works))), (Isolation::Container, true, false));
        assert_eq!(used(choose(auto, None, Some(&fails))), (Isolation::Process, true, true));
        assert_eq!(choose(container, None, None), Decision::Probe);
        assert_eq!(used(choose(container, None, Some(&works))), (Isolation::Container, true, false));
        assert!(
            matches!(choose(container, None, Some(&fails)), Decision::Refuse(why) if why.contains("no socket"))
        );
    }

    #[test]
    fn containers_once_recorded_are_never_given_up() {
        let recorded = Some(Isolation::Container);
        let fails = Err("docker is gone".to_string());
        for choice in [IsolationChoice::Auto, IsolationChoice::Container] {
            assert_eq!(used(choose(choice, recorded, None)), (Isolation::Container, false, false));
            assert_eq!(used(choose(choice, recorded, Some(&fails))), (Isolation::Container, false, true));
        }
    }

    #[test]
    fn processes_are_kept_unless_containers_are_asked_for() {
        let recorded = Some(Isolation::Process);
        let works = Ok(());
        assert_eq!(
            used(choose(IsolationChoice::Auto, recorded, Some(&works))),
            (Isolation::Process, false, false)
        );
        assert_eq!(choose(IsolationChoice::Container, recorded, None), Decision::Probe);
        assert_eq!(used(choose(IsolationChoice::Container, recorded, Some(&works))).0, Isolation::Container);
        for recorded in [None, Some(Isolation::Container), Some(Isolation::Process)] {
            let decision = choose(IsolationChoice::Process, recorded, None);
            let is_weaker = recorded == Some(Isolation::Container);
            assert_eq!(used(decision), (Isolation::Process, false, is_weaker));
        }
    }
}

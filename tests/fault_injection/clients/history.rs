//! What is live, as a register: each switch gives what was live before it, so a history has one possible order, if it has one.

use std::collections::BTreeMap;

/// A switch that was acknowledged. Times are in nanoseconds since the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// Before the first byte of the call.
    pub asked: u64,
    /// After the last byte of its answer.
    pub answered: u64,
    /// What became live.
    pub to: String,
    /// What was live before.
    pub previous: Option<String>,
    /// Its epoch.
    pub epoch: u64,
}

/// What somebody saw to be live.
#[derive(Debug, Clone)]
pub struct Read {
    /// Before the first byte of the request.
    pub asked: u64,
    /// After the head of its answer.
    pub answered: u64,
    /// What was live.
    pub live: String,
    /// At which epoch, if it was told.
    pub epoch: Option<u64>,
}

/// Whether switches are those of one register: in the order of their epochs each gives the one before it, and none comes before
/// one that was over when it began.
pub fn fault_of_switches(switches: &[Switch]) -> Option<String> {
    let mut ordered: Vec<&Switch> = switches.iter().collect();
    ordered.sort_by_key(|switch| switch.epoch);
    let mut live = None;
    let mut latest_asked = 0;
    for switch in ordered {
        if switch.previous != live {
            return Some(format!("{switch:?}, and {live:?} was live before"));
        }
        if switch.answered < latest_asked {
            return Some(format!("{switch:?} was over before one of an earlier epoch began"));
        }
        latest_asked = latest_asked.max(switch.asked);
        live = Some(switch.to.clone());
    }
    None
}

/// What is wrong with a look at the register that these switches made.
pub fn fault_of_read(switches: &[Switch], read: &Read) -> Option<String> {
    let by_epoch: BTreeMap<u64, &Switch> = switches.iter().map(|switch| (switch.epoch, switch)).collect();
    let ordered: Vec<&&Switch> = by_epoch.values().collect();
    let possible = |at: usize| {
        let begun = ordered[at].asked <= read.answered;
        let over = ordered.get(at + 1).is_some_and(|next| next.answered < read.asked);
        begun && !over && ordered[at].to == read.live
    };
    let Some(epoch) = read.epoch else {
        return (!(0..ordered.len()).any(possible)).then(|| format!("{read:?} was not live then"));
    };
    let at = ordered.iter().rposition(|switch| switch.epoch <= epoch);
    (!at.is_some_and(possible)).then(|| format!("{read:?} was not live then"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    /// Whether some order of the switches is that of a register, tried one by one.
    fn has_an_order(done: &mut Vec<Switch>, left: &[Switch]) -> bool {
        left.is_empty()
            || (0..left.len()).any(|at| {
                let next = &left[at];
                let live = done.last().map(|switch| switch.to.clone());
                let first = left.iter().all(|other| other.answered >= next.asked);
                if next.previous != live || !first {
                    return false;
                }
                let rest: Vec<Switch> = left.iter().filter(|other| *other != next).cloned().collect();
                done.push(next.clone());
                let found = has_an_order(done, &rest);
                done.pop();
                found
            })
    }

    /// A register's history of some clients, with calls that overlap; at times something in it is made wrong.
    fn history(random: &mut StdRng) -> Vec<Switch> {
        let mut live: Option<String> = None;
        let mut switches: Vec<Switch> = (1..=random.random_range(2..7u64))
            .map(|epoch| {
                let at = epoch * 10;
                let to = format!("v{}", random.random_range(0..3));
                let previous = live.replace(to.clone());
                let (asked, answered) =
                    (at - random.random_range(0..20).min(at), at + random.random_range(0..20));
                Switch { asked, answered, to, previous, epoch }
            })
            .collect();
        let at = random.random_range(0..switches.len());
        match random.random_range(0..4) {
            0 => switches[at].previous = Some("v1".into()),
            1 => (switches[at].asked, switches[at].answered) = (0, 1),
            2 => switches[at].to = "v2".into(),
            _ => {}
        }
        switches
    }

    #[test]
    fn what_passes_has_an_order() {
        let mut random = StdRng::seed_from_u64(7);
        let (mut good, mut bad) = (0, 0);
        for _ in 0..3_000 {
            let switches = history(&mut random);
            if fault_of_switches(&switches).is_none() {
                assert!(has_an_order(&mut Vec::new(), &switches), "{switches:?}");
                good += 1;
            } else {
                bad += 1;
            }
        }
        assert!(good > 500 && bad > 500, "{good} good, {bad} bad");
    }

    #[test]
    fn a_stale_look_is_seen() {
        let switch = |asked, answered, to: &str, epoch| Switch {
            asked,
            answered,
            to: to.into(),
            previous: None,
            epoch,
        };
        let switches = [switch(0, 10, "v1", 1), switch(20, 30, "v2", 4)];
        for (asked, answered, live, epoch, legal) in [
            (11, 12, "v1", Some(1), true),
            (25, 26, "v2", Some(4), true),
            (25, 26, "v1", Some(3), true),
            (31, 32, "v1", Some(3), false),
            (31, 32, "v1", None, false),
            (31, 32, "v2", None, true),
            (31, 32, "v1", Some(4), false),
            (11, 12, "v2", Some(4), false),
        ] {
            let read = Read { asked, answered, live: live.into(), epoch };
            assert_eq!(fault_of_read(&switches, &read).is_none(), legal, "{read:?}");
        }
    }
}

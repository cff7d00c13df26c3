//! Chooses the connections to close when places run out. Pure.

use std::cmp::Reverse;

/// A connection without a request in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Its place; the older of two has the lower one.
    pub id: u64,
    /// Whether its peer is a trusted proxy: one that keeps connections sends the next request of anybody on them.
    pub trusted: bool,
    /// How long it has been idle, in milliseconds.
    pub idle_ms: u64,
}

/// The places of up to `wanted` of them: those that are idle longest, and trusted proxies' only when no other is left.
#[must_use]
pub(super) fn choose(mut candidates: Vec<Candidate>, wanted: usize) -> Vec<u64> {
    let untrusted = candidates.iter().filter(|candidate| !candidate.trusted).count();
    let wanted = if untrusted == 0 { wanted } else { wanted.min(untrusted) };
    let rank = |candidate: &Candidate| (candidate.trusted, Reverse(candidate.idle_ms), candidate.id);
    if wanted < candidates.len() {
        candidates.select_nth_unstable_by_key(wanted, rank);
        candidates.truncate(wanted);
    }
    candidates.into_iter().map(|candidate| candidate.id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(candidates: &[(bool, u64)], wanted: usize) -> Vec<u64> {
        let numbered = candidates.iter().zip(0..);
        let candidates =
            numbered.map(|(&(trusted, idle_ms), id)| Candidate { id, trusted, idle_ms }).collect();
        let mut chosen = choose(candidates, wanted);
        chosen.sort_unstable();
        chosen
    }

    #[test]
    fn the_longest_idle_go_and_trusted_proxies_last() {
        assert!(chosen(&[], 2).is_empty());
        assert_eq!(chosen(&[(false, 5)], 2), [0]);
        assert_eq!(chosen(&[(false, 5), (false, 9), (false, 7)], 2), [1, 2]);
        assert_eq!(chosen(&[(true, 90), (false, 5), (false, 7)], 1), [2]);
        assert_eq!(chosen(&[(true, 90), (false, 5)], 2), [1]);
        assert_eq!(chosen(&[(true, 90), (true, 95)], 1), [1]);
        assert_eq!(chosen(&[(false, 5), (false, 5), (false, 5)], 2), [0, 1]);
    }
}

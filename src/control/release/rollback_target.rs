//! Which version a rollback goes to.

use std::collections::BTreeSet;
use vitrine_core::id::Version;
use vitrine_store::{Promotion, PromotionKind};

/// The version that a rollback goes to: the newest earlier live one that is retained and was not itself rolled back
/// from. `history` is newest first.
pub(super) fn rollback_target(
    history: &[Promotion],
    live: &Version,
    retained: &BTreeSet<Version>,
) -> Option<Version> {
    // The last event of a version counts.
    let mut seen = BTreeSet::new();
    for Promotion { version, from, kind, .. } in history {
        if *kind == PromotionKind::Rollback {
            seen.extend(from);
        }
        if seen.insert(version) && version != live && retained.contains(version) {
            return Some(version.clone());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn v(text: &str) -> Version {
        text.parse().unwrap()
    }

    /// Newest last, as written; gives newest first.
    fn history(steps: &[(&str, Option<&str>, PromotionKind)]) -> Vec<Promotion> {
        let promotion =
            |(epoch, (version, from, kind)): (usize, &(&str, Option<&str>, PromotionKind))| Promotion {
                epoch: epoch as u64 + 1,
                version: v(version),
                from: from.map(v),
                kind: *kind,
                at_ms: 0,
            };
        steps.iter().enumerate().map(promotion).rev().collect()
    }

    #[test]
    fn a_second_rollback_goes_further_back_and_never_to_the_broken_one() {
        use PromotionKind::{Promote, Rollback};
        let all = ["v1", "v2", "v3"].map(v).into();
        let mut steps = vec![("v1", None, Promote), ("v2", Some("v1"), Promote), ("v3", Some("v2"), Promote)];
        assert_eq!(rollback_target(&history(&steps), &v("v3"), &all), Some(v("v2")));
        steps.push(("v2", Some("v3"), Rollback));
        assert_eq!(rollback_target(&history(&steps), &v("v2"), &all), Some(v("v1")));
        steps.push(("v1", Some("v2"), Rollback));
        assert_eq!(rollback_target(&history(&steps), &v("v1"), &all), None);
        steps.push(("v3", Some("v1"), Promote));
        assert_eq!(rollback_target(&history(&steps), &v("v3"), &all), Some(v("v1")), "v2 is still broken");
    }

    #[test]
    fn a_rollback_never_goes_to_what_is_not_retained() {
        use PromotionKind::Promote;
        let steps = [("v1", None, Promote), ("v2", Some("v1"), Promote), ("v3", Some("v2"), Promote)];
        assert_eq!(rollback_target(&history(&steps), &v("v3"), &[v("v1"), v("v3")].into()), Some(v("v1")));
    }

    /// As told: one switch after the other, and which versions are rolled back from at the end.
    fn target_by_replay(
        history: &[Promotion],
        live: &Version,
        retained: &BTreeSet<Version>,
    ) -> Option<Version> {
        let mut rolled_back = BTreeSet::new();
        for promotion in history.iter().rev() {
            rolled_back.remove(&promotion.version);
            rolled_back.extend(promotion.from.as_ref().filter(|_| promotion.kind == PromotionKind::Rollback));
        }
        let mut versions = history.iter().map(|promotion| &promotion.version);
        versions.find(|one| *one != live && retained.contains(*one) && !rolled_back.contains(*one)).cloned()
    }

    proptest! {
        #[test]
        fn the_rollback_target_is_that_of_a_replay(
            steps in prop::collection::vec((0_u8..5, prop::bool::ANY), 1..20),
            retained in prop::collection::btree_set(0_u8..5, 0..5),
        ) {
            let version = |number: u8| v(&format!("v{number}"));
            let mut history = Vec::new();
            let mut live = None;
            for (at, (number, is_rollback)) in steps.into_iter().enumerate() {
                let from = live.replace(version(number));
                let kind = if is_rollback && from.is_some() { PromotionKind::Rollback } else { PromotionKind::Promote };
                history.insert(0, Promotion { epoch: at as u64, version: version(number), from, kind, at_ms: 0 });
            }
            let (live, retained) = (live.unwrap(), retained.into_iter().map(version).collect());
            prop_assert_eq!(rollback_target(&history, &live, &retained), target_by_replay(&history, &live, &retained));
        }
    }
}

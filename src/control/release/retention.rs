//! Which releases of an app are no longer retained.

use vitrine_core::config::Retention;
use vitrine_core::id::Version;

/// What retention needs to know of a release.
#[derive(Debug, Clone)]
pub(super) struct Retained {
    /// Which.
    pub version: Version,
    /// When it was last of use: see [`last_of_use_ms`].
    pub last_ms: u64,
    /// When it was taken in, if users never had it.
    pub candidate_since_ms: Option<u64>,
    /// A preview's end.
    pub expires_ms: Option<u64>,
    /// Live, the rollback's target, or serving a request now.
    pub needed: bool,
}

/// When a release was last of use: live (until `left_ms`, as the history has it), or uploaded. The history knows names only: what
/// was live under this one may be another release, which was removed before this one was uploaded.
pub(super) fn last_of_use_ms(created_ms: u64, promoted_ms: Option<u64>, left_ms: Option<u64>) -> u64 {
    left_ms.max(promoted_ms).map_or(created_ms, |used_ms| used_ms.max(created_ms))
}

/// Versions to remove: previews past their end, then what is over the number or the age. Never one that is needed, and none
/// for the number that was taken in less than `grace_ms` ago and waits to be promoted.
pub(super) fn expired(
    releases: &[Retained],
    retention: &Retention,
    grace_ms: u64,
    now_ms: u64,
) -> Vec<Version> {
    // A clock that was set back since makes nothing new of an old release.
    let is_new = |release: &Retained| {
        release.candidate_since_ms.is_some_and(|since_ms| since_ms.abs_diff(now_ms) < grace_ms)
    };
    let is_surplus =
        |place: usize, release: &Retained| place >= retention.releases as usize && !is_new(release);
    let oldest_ms = now_ms.saturating_sub(u64::from(retention.days) * 86_400_000);
    let (previews, mut others): (Vec<_>, Vec<_>) =
        releases.iter().partition(|release| release.expires_ms.is_some());
    others.sort_by_key(|release| std::cmp::Reverse((release.needed, release.last_ms)));
    let old = others
        .into_iter()
        .enumerate()
        .filter(|(place, release)| is_surplus(*place, release) || release.last_ms < oldest_ms)
        .map(|(_, release)| release);
    let ended = previews.into_iter().filter(|release| release.expires_ms.is_some_and(|end| end <= now_ms));
    ended.chain(old).filter(|release| !release.needed).map(|release| release.version.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use vitrine_core::limits::CANDIDATE_GRACE_MS;

    fn v(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn retention_keeps_what_is_needed_and_removes_the_oldest_first() {
        let release = |name: &str, last_ms, expires_ms, needed| Retained {
            version: v(name),
            last_ms,
            candidate_since_ms: None,
            expires_ms,
            needed,
        };
        let day = 86_400_000;
        let list = [
            release("live", 0, None, true),
            release("new", 99 * day, None, false),
            release("old", 98 * day, None, false),
            release("ancient", day, None, false),
            release("gone", 99 * day, Some(50 * day), false),
            release("kept", 99 * day, Some(150 * day), false),
        ];
        let rule = Retention { releases: 2, days: 7 };
        let mut out = expired(&list, &rule, 0, 100 * day);
        out.sort();
        assert_eq!(out, ["ancient", "gone", "old"].map(v));
        let rule = Retention { releases: 9, days: 7 };
        assert_eq!(expired(&list, &rule, 0, 100 * day).len(), 2, "by age alone");
    }

    #[test]
    fn what_was_live_long_ago_under_the_same_name_makes_no_new_release_old() {
        assert_eq!(last_of_use_ms(50, None, None), 50);
        assert_eq!(last_of_use_ms(50, None, Some(7)), 50, "another release had this name");
        assert_eq!(last_of_use_ms(50, Some(60), Some(7)), 60);
        assert_eq!(last_of_use_ms(50, Some(60), Some(70)), 70, "live until then");
    }

    #[test]
    fn a_release_that_was_just_taken_in_is_not_surplus_at_once() {
        let now_ms = 100 * 86_400_000;
        let release = |name: &str, candidate_since_ms: Option<u64>, needed| Retained {
            version: v(name),
            last_ms: candidate_since_ms.unwrap_or(now_ms),
            candidate_since_ms,
            expires_ms: None,
            needed,
        };
        let grace_ms = CANDIDATE_GRACE_MS;
        let list = [
            release("live", None, true),
            release("standby", None, true),
            release("was_live", None, false),
            release("new", Some(now_ms - grace_ms + 1), false),
            release("looked_at", Some(now_ms - grace_ms), false),
            release("of_another_clock", Some(now_ms + grace_ms), false),
        ];
        let rule = Retention { releases: 2, days: 7 };
        let mut out = expired(&list, &rule, grace_ms, now_ms);
        out.sort();
        assert_eq!(out, ["looked_at", "of_another_clock", "was_live"].map(v));
    }

    /// One release by itself: it goes when its own end has come, or when it is too old or too many are before it.
    fn goes(one: usize, all: &[Retained], rule: &Retention, now_ms: u64) -> bool {
        let this = &all[one];
        if this.needed {
            return false;
        }
        if let Some(end_ms) = this.expires_ms {
            return end_ms <= now_ms;
        }
        let before = |(at, other): (usize, &Retained)| {
            let same = (other.needed, other.last_ms) == (this.needed, this.last_ms);
            let sooner = (other.needed, other.last_ms) > (this.needed, this.last_ms) || (same && at < one);
            at != one && other.expires_ms.is_none() && sooner
        };
        let ahead = all.iter().enumerate().filter(|pair| before(*pair)).count();
        let age_ms = now_ms.saturating_sub(this.last_ms);
        let is_new = this.candidate_since_ms == Some(now_ms);
        (ahead >= rule.releases as usize && !is_new) || age_ms > u64::from(rule.days) * 86_400_000
    }

    proptest! {
        #[test]
        fn retention_takes_what_the_rule_says_of_each_and_never_what_is_needed(
            all in prop::collection::vec(
                (0_u64..30, prop::option::of(0_u64..30), prop::option::of(19_u64..30), prop::bool::weighted(0.2)),
                0..30,
            ),
            releases in 2_u32..12,
            days in 1_u32..12,
            now in 20_u64..30,
        ) {
            let day_ms = 86_400_000;
            let list: Vec<Retained> = all
                .iter()
                .enumerate()
                .map(|(at, (last, ends, since, needed))| Retained {
                    version: v(&format!("v{at}")),
                    last_ms: (*last).min(now) * day_ms,
                    candidate_since_ms: since.map(|since| since * day_ms),
                    expires_ms: ends.map(|end| end * day_ms),
                    needed: *needed,
                })
                .collect();
            let rule = Retention { releases, days };
            let gone: BTreeSet<Version> = expired(&list, &rule, 1, now * day_ms).into_iter().collect();
            for (at, one) in list.iter().enumerate() {
                prop_assert_eq!(gone.contains(&one.version), goes(at, &list, &rule, now * day_ms), "{:?}", one);
            }
        }
    }
}

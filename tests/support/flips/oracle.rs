//! What clients may have been told, given what operators were told.

use super::super::storm::Seen;
use std::time::Instant;

/// One change of what is live: when it was asked for, when it was acknowledged, and what is live after it.
#[derive(Debug, Clone)]
pub struct Flip {
    /// Before the first byte of the call.
    pub asked: Instant,
    /// After the last byte of its answer.
    pub acknowledged: Instant,
    /// `APP@VERSION`.
    pub release: String,
    /// Epoch of the answer.
    pub epoch: u64,
    /// Whether it was a rollback.
    pub back: bool,
}

/// What is wrong with the release of an answer, if anything is. `flips` is in order; the first one was acknowledged before the first
/// request.
///
/// A release may answer from the moment that its flip was asked for until the next flip was acknowledged; a request may
/// be answered by what was live at any moment between its start and its head. The epoch says the same without a clock: it is
/// not below the last one that was acknowledged before the request began, and what was live at it is what answered.
pub fn fault(flips: &[Flip], seen: &Seen) -> Option<String> {
    let possible = flips.iter().enumerate().any(|(at, flip)| {
        let begun = flip.asked <= seen.answered;
        let over = flips.get(at + 1).is_some_and(|next| next.acknowledged < seen.asked);
        flip.release == seen.release && begun && !over
    });
    if !possible {
        return Some(format!("{} was not live then", seen.release));
    }
    let acknowledged = flips.iter().rev().find(|flip| flip.acknowledged < seen.asked)?;
    if seen.epoch < acknowledged.epoch {
        return Some(format!("epoch {} after {} was acknowledged", seen.epoch, acknowledged.epoch));
    }
    let live = flips.iter().rev().find(|flip| flip.epoch <= seen.epoch)?;
    (live.release != seen.release)
        .then(|| format!("{} at epoch {}, when {} was live", seen.release, seen.epoch, live.release))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// The checker itself: it must see an answer of a release whose successor was acknowledged before the request began.
    #[test]
    fn stale_answers_are_seen() {
        let begin = Instant::now();
        let at = |ms| begin + Duration::from_millis(ms);
        let flip = |asked, acknowledged, release: &str, epoch| Flip {
            asked: at(asked),
            acknowledged: at(acknowledged),
            release: release.into(),
            epoch,
            back: false,
        };
        let flips = [flip(0, 1, "a@1", 1), flip(10, 20, "a@2", 2), flip(50, 60, "a@1", 4)];
        for (asked, answered, release, epoch, legal) in [
            (2, 5, "a@1", 1, true),
            (2, 5, "a@2", 2, false),
            (15, 16, "a@1", 1, true),
            (15, 16, "a@2", 2, true),
            (15, 16, "a@2", 1, false),
            (21, 22, "a@1", 1, false),
            (21, 22, "a@2", 1, false),
            (21, 22, "a@2", 3, true),
            (19, 30, "a@1", 1, true),
            (30, 55, "a@1", 4, true),
            (61, 62, "a@2", 3, false),
            (61, 62, "a@1", 3, false),
            (61, 62, "a@3", 4, false),
        ] {
            let seen = Seen {
                asked: at(asked),
                answered: at(answered),
                ended: at(answered),
                status: 200,
                release: release.into(),
                epoch,
                body: String::new(),
            };
            let found = fault(&flips, &seen);
            assert_eq!(found.is_none(), legal, "{asked} {answered} {release} {epoch}: {found:?}");
        }
    }
}

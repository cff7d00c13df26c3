//! The bake: a release that was just made live, compared with the one before it.
//!
//! Too little data is no good news: a verdict that can't be given is `Inconclusive`, never a pass.

use vitrine_core::config::Bake;
use vitrine_core::limits::{BAKE_P95_MARGIN_MS, CRASH_LOOP_CRASHES};
use vitrine_core::telemetry::Figures;

/// What a comparison says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// As good as the release before it.
    Pass,
    /// Worse, and how.
    Fail(String),
    /// Nothing can be said yet, and why.
    Inconclusive(String),
}

/// How the worker of the new release did since it became live.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stability {
    /// Times that its process died, within the time that makes a crash loop.
    pub crashes: usize,
    /// Whether another worker of it did not start.
    pub start_failed: bool,
}

/// Standard errors either way: one wrong verdict in some 40, for each side of the comparison.
const Z: f64 = 2.0;

/// Judges. `over` says that the bake's time is over: until then only what can't get better again is told.
pub(super) fn judge(
    green: &Figures,
    blue: &Figures,
    stability: Stability,
    rule: &Bake,
    over: bool,
) -> Verdict {
    if stability.crashes >= CRASH_LOOP_CRASHES {
        return Verdict::Fail(format!("its process died {} times within a minute", stability.crashes));
    }
    if stability.start_failed {
        return Verdict::Fail("its worker was lost and did not start again".into());
    }
    if green.requests < rule.min_requests {
        return Verdict::Inconclusive(format!(
            "{} renders so far; {} are needed for a verdict",
            green.requests, rule.min_requests
        ));
    }
    let share = |figures: &Figures| figures.errors as f64 / figures.requests.max(1) as f64;
    // What the shares may be in truth: the least that fits the new release, and the most that fits the one before it.
    let (least, mut most) = (interval(green).0, interval(blue).1);
    if blue.requests < rule.min_requests {
        // Of one that little is known of, no more than half is believed to have failed.
        most = most.min(0.5);
    }
    if least > most + rule.error_margin {
        return Verdict::Fail(format!(
            "{:.1} % of its {} renders failed; {:.1} % of {} did before it",
            share(green) * 100.0,
            green.requests,
            share(blue) * 100.0,
            blue.requests
        ));
    }
    if !over {
        return Verdict::Inconclusive("its bake time is not over".into());
    }
    if blue.requests < rule.min_requests {
        // Without errors there is nothing that the release before it could have done better.
        return if share(green) <= rule.error_margin {
            Verdict::Pass
        } else {
            Verdict::Inconclusive(format!(
                "{:.1} % of its renders failed, and the release before it has too few ({}) to compare with",
                share(green) * 100.0,
                blue.requests
            ))
        };
    }
    if let (Some(now_ms), Some(before_ms)) = (green.p95_ms, blue.p95_ms)
        && now_ms > before_ms * rule.p95_factor
        && now_ms > before_ms + BAKE_P95_MARGIN_MS
    {
        return Verdict::Fail(format!(
            "95 in 100 renders take up to {now_ms:.0} ms; {before_ms:.0} ms before it"
        ));
    }
    Verdict::Pass
}

/// Wilson's interval of the share of errors; everything is possible without requests.
fn interval(figures: &Figures) -> (f64, f64) {
    if figures.requests == 0 {
        return (0.0, 1.0);
    }
    let n = figures.requests as f64;
    let share = figures.errors as f64 / n;
    let middle = share + Z * Z / (2.0 * n);
    let width = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    ((middle - width) / scale, (middle + width) / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(requests: u64, errors: u64, p95_ms: f64) -> Figures {
        Figures { requests, errors, p95_ms: Some(p95_ms) }
    }

    fn judged(green: Figures, blue: Figures, over: bool) -> &'static str {
        match judge(&green, &blue, Stability::default(), &Bake::default(), over) {
            Verdict::Pass => "pass",
            Verdict::Fail(_) => "fail",
            Verdict::Inconclusive(_) => "inconclusive",
        }
    }

    #[test]
    fn verdicts() {
        let fast = 20.0;
        for (green, blue, over, verdict) in [
            // Too few say nothing, however bad or good they are.
            ((49, 0), (1_000, 0), true, "inconclusive"),
            ((49, 49), (1_000, 0), true, "inconclusive"),
            ((0, 0), (0, 0), true, "inconclusive"),
            ((50, 0), (1_000, 0), true, "pass"),
            // Errors that the release before it has too are not the new one's.
            ((1_000, 50), (1_000, 50), true, "pass"),
            ((1_000, 50), (1_000, 0), true, "fail"),
            ((50, 50), (1_000, 0), false, "fail"),
            ((50, 1), (1_000, 0), true, "pass"),
            ((50, 5), (1_000, 0), true, "fail"),
            // All is well so far.
            ((5_000, 0), (1_000, 0), false, "inconclusive"),
            // Little is known of the one before it.
            ((1_000, 0), (0, 0), true, "pass"),
            ((1_000, 300), (0, 0), true, "inconclusive"),
            ((1_000, 900), (0, 0), false, "fail"),
            ((50, 50), (10, 0), false, "fail"),
            ((50, 5), (10, 0), true, "inconclusive"),
        ] {
            let of = |(requests, errors)| figures(requests, errors, fast);
            assert_eq!(judged(of(green), of(blue), over), verdict, "{green:?} after {blue:?}, over: {over}");
        }
    }

    #[test]
    fn a_release_that_is_much_slower_fails_at_the_end_and_one_that_is_a_little_slower_passes() {
        for (now_ms, before_ms, verdict) in [
            (100.0, 20.0, "fail"),
            (45.0, 20.0, "pass"),
            (190.0, 100.0, "pass"),
            (210.0, 100.0, "fail"),
            (5.0, 50.0, "pass"),
        ] {
            let judged = |over| judged(figures(500, 0, now_ms), figures(500, 0, before_ms), over);
            assert_eq!(judged(true), verdict, "{now_ms} after {before_ms}");
            assert_eq!(judged(false), "inconclusive", "the first renders of a release are its slowest");
        }
    }

    #[test]
    fn a_crash_loop_and_a_worker_that_does_not_come_back_fail_without_a_request() {
        let judged =
            |stability| judge(&Figures::default(), &Figures::default(), stability, &Bake::default(), false);
        let crashes = |crashes| Stability { crashes, start_failed: false };
        assert!(matches!(judged(crashes(CRASH_LOOP_CRASHES)), Verdict::Fail(_)));
        assert!(matches!(judged(crashes(CRASH_LOOP_CRASHES - 1)), Verdict::Inconclusive(_)));
        assert!(matches!(judged(Stability { crashes: 0, start_failed: true }), Verdict::Fail(_)));
    }
}

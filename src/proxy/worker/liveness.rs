//! Whether a worker lives: a ping every so often, judged by the rule of a container's health check.
//!
//! A ping is answered within [`vitrine_wire`]'s own bound also when every isolate is busy, so what does not answer is stopped, frozen by its
//! engine, or stuck. While a request waits for its answer, and after a silence or a suspicion, pings are frequent and run a no-op in each
//! isolate that works; a worker without requests is pinged less often, and its threads sleep on.

use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::time::Instant;
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::health::container::Rule;
use vitrine_core::health::{ContainerHealth, HealthStatus, Probe};
use vitrine_core::limits::{
    LIVENESS_HASTE_MS, LIVENESS_IDLE_MS, LIVENESS_INTERVAL_MS, LIVENESS_RETRIES, LIVENESS_TIMEOUT_MS,
    LIVENESS_TURN_MS,
};

const INTERVAL: Duration = Duration::from_millis(LIVENESS_INTERVAL_MS);
const IDLE: Duration = Duration::from_millis(LIVENESS_IDLE_MS);
const HASTE: Duration = Duration::from_millis(LIVENESS_HASTE_MS);
const RULE: Rule = Rule {
    timeout: Duration::from_millis(LIVENESS_TIMEOUT_MS),
    retries: LIVENESS_RETRIES,
    start_period: Duration::ZERO,
};

/// The pings of one connection.
#[derive(Debug)]
pub(super) struct Liveness {
    began: Instant,
    health: ContainerHealth,
    /// Pings without an answer: number and time. No more than go out within one timeout.
    asked: VecDeque<(u64, Instant)>,
    last_ping: Instant,
    last_round: Instant,
    /// Whether a request may wait for its answer.
    awaited: bool,
    /// A rig may want a host that never asks.
    asks: bool,
}

impl Liveness {
    /// A worker that has just said that it is ready.
    pub(super) fn begin(now: Instant) -> Self {
        Self {
            began: now,
            health: ContainerHealth::new(RULE),
            asked: VecDeque::new(),
            last_ping: now,
            last_round: now,
            awaited: false,
            asks: failpoint::at("liveness.begin") != Some(Fault::Skip),
        }
    }

    /// A worker of which nothing was wanted is sent a request.
    pub(super) fn wanted(&mut self, now: Instant) {
        if !self.is_attentive() {
            // The request gets the time of one interval for its answer before anything is asked.
            self.last_round = now;
        }
        self.awaited = true;
    }

    /// When the next round is due; almost at once after a suspicion.
    pub(super) fn due(&self, suspected: bool) -> Instant {
        if suspected {
            self.last_round + HASTE
        } else if self.is_attentive() {
            self.idle_due().min(self.last_round + INTERVAL)
        } else {
            self.idle_due()
        }
    }

    /// When the next ping is due at the latest.
    fn idle_due(&self) -> Instant {
        in_turn(self.last_ping + IDLE)
    }

    fn is_attentive(&self) -> bool {
        self.awaited || !self.asked.is_empty()
    }

    /// Counts what is overdue, and says whether a ping is to go out. `awaited`: whether a request waits for its answer.
    pub(super) fn round(&mut self, now: Instant, awaited: bool, suspected: bool) -> (HealthStatus, bool) {
        if now - self.last_round > 2 * INTERVAL {
            // A host that did not run itself can't tell who was silent meanwhile.
            self.asked.clear();
        }
        while let Some((_, at)) = self.asked.front().copied().filter(|(_, at)| now - *at >= RULE.timeout) {
            self.asked.pop_front();
            self.update_health(at, now - at, false);
        }
        self.last_round = now;
        self.awaited = awaited;
        (self.health.status(), suspected || self.is_attentive() || now >= self.idle_due())
    }

    /// Notes a ping that goes out.
    pub(super) fn pinged(&mut self, number: u64, now: Instant) {
        self.last_ping = now;
        if self.asks {
            self.asked.push_back((number, now));
        }
    }

    /// Takes an answer over. One that comes after its time has been counted as a failure.
    pub(super) fn answered(&mut self, number: u64, now: Instant) -> HealthStatus {
        if let Some(index) = self.asked.iter().position(|(asked, _)| *asked == number)
            && let Some((_, at)) = self.asked.remove(index)
        {
            self.update_health(at, now - at, true);
        }
        self.health.status()
    }

    fn update_health(&mut self, at: Instant, took: Duration, passed: bool) {
        self.health.probed(Probe { begun: at - self.began, took, passed });
    }
}

/// The next of the moments at which pings of idle workers go out, so that many of them wake the host once.
fn in_turn(at: Instant) -> Instant {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let since = at.saturating_duration_since(*BEGAN).as_millis() as u64;
    *BEGAN + Duration::from_millis(since.next_multiple_of(LIVENESS_TURN_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    /// One beginning for all, so that their pings go out at the same moments.
    static SIMULATED: LazyLock<Instant> = LazyLock::new(Instant::now);

    /// A worker under its keeper's clock: every ping before `silent_from` is answered at once. A request is sent at each of `asked`, and is
    /// answered if that is before `silent_from` too. Times in milliseconds.
    struct Sim {
        began: Instant,
        liveness: Liveness,
        silent_from: u64,
        pings: Vec<u64>,
        unhealthy_at: Option<u64>,
    }

    impl Sim {
        fn run(silent_from: u64, asked: &[u64], until: u64) -> Self {
            let began = *SIMULATED;
            let liveness = Liveness::begin(began);
            let mut sim = Self { began, liveness, silent_from, pings: Vec::new(), unhealthy_at: None };
            let mut asked = asked.iter().copied().peekable();
            let mut waits = false;
            for at_ms in 0..until {
                let now = began + at_ms as u32 * MS;
                if asked.next_if_eq(&at_ms).is_some() {
                    waits |= at_ms >= silent_from;
                    sim.liveness.wanted(now);
                }
                if sim.liveness.due(false) <= now {
                    sim.round(at_ms, waits);
                }
            }
            sim
        }

        fn round(&mut self, at_ms: u64, waits: bool) {
            let now = self.began + at_ms as u32 * MS;
            let (mut status, pings) = self.liveness.round(now, waits, false);
            if pings {
                self.pings.push(at_ms);
                self.liveness.pinged(at_ms, now);
                if at_ms < self.silent_from {
                    status = self.liveness.answered(at_ms, now);
                }
            }
            if status == HealthStatus::Unhealthy {
                self.unhealthy_at.get_or_insert(at_ms);
            }
        }
    }

    #[test]
    fn silence_is_noticed_within_three_seconds_of_the_first_request_that_meets_it() {
        let minute = Sim::run(u64::MAX, &[], 60_000);
        assert_eq!(minute.unhealthy_at, None);
        for silent_from in (10_000..12_000).step_by(170) {
            let unasked = Sim::run(silent_from, &[], 16_000).unhealthy_at.unwrap();
            assert!(
                unasked - silent_from <= LIVENESS_IDLE_MS + LIVENESS_TURN_MS + 2_000,
                "{silent_from}: {unasked}"
            );
            for asked in (silent_from..silent_from + 2_000).step_by(130) {
                let noticed = Sim::run(silent_from, &[asked], 16_000).unhealthy_at.unwrap();
                assert!(noticed <= asked + 3_000 && noticed <= unasked, "{silent_from}, {asked}: {noticed}");
            }
            // It was asked all the time, as a busy one is.
            let asked: Vec<_> = (0..16_000).step_by(7).collect();
            let noticed = Sim::run(silent_from, &asked, 16_000).unhealthy_at.unwrap();
            assert!(noticed - silent_from <= 3_000, "{silent_from}: {noticed}");
        }
    }

    #[test]
    fn a_worker_that_nobody_waits_for_is_pinged_rarely() {
        let rarely = 60_000 / LIVENESS_IDLE_MS as usize;
        assert!(Sim::run(u64::MAX, &[], 60_000).pings.len() <= rarely);
        // Answers come at once, so no ping is pending when the next round looks.
        let asked: Vec<_> = (0..60_000).step_by(100).collect();
        let busy = Sim::run(u64::MAX, &asked, 60_000).pings.len();
        assert!((rarely / 2..=rarely).contains(&busy), "{busy} pings");
    }

    #[test]
    fn a_host_that_slept_accuses_nobody() {
        let mut sim = Sim::run(1_000, &[1_000], 1_600);
        for at_ms in [9_000, 9_500, 10_000] {
            sim.round(at_ms, true);
        }
        assert!(!sim.pings.is_empty());
        assert_eq!(sim.unhealthy_at, None, "{:?}", sim.pings);
    }

    #[test]
    fn an_answer_in_time_makes_up_for_silence_and_a_late_one_does_not() {
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        let mut liveness = Liveness::begin(began);
        for number in 1..8_u64 {
            liveness.round(at(number * LIVENESS_INTERVAL_MS), true, false);
            liveness.pinged(number, at(number * LIVENESS_INTERVAL_MS));
        }
        assert_eq!(liveness.answered(1, at(3_600)), HealthStatus::Unhealthy);
        assert_eq!(liveness.answered(7, at(3_600)), HealthStatus::Healthy);
    }
}

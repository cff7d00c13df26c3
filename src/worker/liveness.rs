//! Whether a worker lives: a ping every so often, judged by the rule of a container's health check.
//!
//! A ping runs a no-op in each isolate. It is answered within [`vitrine_wire`]'s own bound also when every isolate is busy,
//! so what does not answer is stopped, frozen by its engine, or stuck.

use crate::failpoint::{self, Fault};
use crate::health::container::Rule;
use crate::health::{ContainerHealth, HealthStatus, Probe};
use crate::limits::{LIVENESS_HASTE_MS, LIVENESS_INTERVAL_MS, LIVENESS_RETRIES, LIVENESS_TIMEOUT_MS};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

const INTERVAL: Duration = Duration::from_millis(LIVENESS_INTERVAL_MS);
const HASTE: Duration = Duration::from_millis(LIVENESS_HASTE_MS);
const RULE: Rule = Rule {
    timeout: Duration::from_millis(LIVENESS_TIMEOUT_MS),
    retries: LIVENESS_RETRIES,
    start_period: Duration::ZERO,
};

/// The pings of one connection.
#[derive(Debug)]
pub struct Liveness {
    began: Instant,
    health: ContainerHealth,
    /// Pings without an answer: number and time. No more than go out within one timeout.
    asked: VecDeque<(u64, Instant)>,
    last_round: Instant,
    /// A rig may want a host that never asks.
    asks: bool,
}

impl Liveness {
    /// A worker that has just said that it is ready.
    pub fn begin(now: Instant) -> Self {
        let asks = failpoint::at("liveness.begin") != Some(Fault::Skip);
        Self { began: now, health: ContainerHealth::new(RULE), asked: VecDeque::new(), last_round: now, asks }
    }

    /// When the next round is due; almost at once after a suspicion.
    pub fn due(&self, suspected: bool) -> Instant {
        self.last_round + if suspected { HASTE } else { INTERVAL }
    }

    /// Counts what is overdue, and notes the ping that goes out now.
    pub fn round(&mut self, number: u64, now: Instant) -> HealthStatus {
        if now - self.last_round > 2 * INTERVAL {
            // A host that did not run itself can't tell who was silent meanwhile.
            self.asked.clear();
        }
        while let Some((_, at)) = self.asked.front().copied().filter(|(_, at)| now - *at >= RULE.timeout) {
            self.asked.pop_front();
            self.judge(at, now - at, false);
        }
        self.last_round = now;
        if self.asks {
            self.asked.push_back((number, now));
        }
        self.health.status()
    }

    /// Takes an answer over. One that comes after its time has been counted as a failure.
    pub fn answered(&mut self, number: u64, now: Instant) -> HealthStatus {
        if let Some(index) = self.asked.iter().position(|(asked, _)| *asked == number)
            && let Some((_, at)) = self.asked.remove(index)
        {
            self.judge(at, now - at, true);
        }
        self.health.status()
    }

    fn judge(&mut self, at: Instant, took: Duration, passed: bool) {
        self.health.probed(Probe { begun: at - self.began, took, passed });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds at these times in milliseconds; every ping before `silent_from` is answered at once.
    fn status_after(rounds: impl Iterator<Item = u64>, silent_from: u64) -> Vec<(u64, HealthStatus)> {
        let began = Instant::now();
        let mut liveness = Liveness::begin(began);
        let mut seen = Vec::new();
        for (number, at_ms) in (1_u64..).zip(rounds) {
            let now = began + Duration::from_millis(at_ms);
            let mut status = liveness.round(number, now);
            if at_ms < silent_from {
                status = liveness.answered(number, now);
            }
            seen.push((at_ms, status));
        }
        seen
    }

    #[tokio::test]
    async fn silence_is_noticed_within_three_seconds() {
        let rounds = || (1..20).map(|n| n * LIVENESS_INTERVAL_MS);
        assert!(status_after(rounds(), u64::MAX).iter().all(|(_, status)| *status == HealthStatus::Healthy));
        let silent_from = 5 * LIVENESS_INTERVAL_MS + 1;
        let seen = status_after(rounds(), silent_from);
        let noticed = seen.iter().find(|(_, status)| *status == HealthStatus::Unhealthy).unwrap().0;
        assert!((1_500..=3_000).contains(&(noticed - silent_from)), "after {} ms", noticed - silent_from);
    }

    #[tokio::test]
    async fn a_host_that_slept_accuses_nobody() {
        let seen = status_after([500, 1_000, 9_000, 9_500, 10_000].into_iter(), 1_000);
        assert!(seen.iter().all(|(_, status)| *status == HealthStatus::Healthy), "{seen:?}");
    }

    #[tokio::test]
    async fn an_answer_in_time_makes_up_for_silence_and_a_late_one_does_not() {
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        let mut liveness = Liveness::begin(began);
        for number in 1..8_u64 {
            liveness.round(number, at(number * LIVENESS_INTERVAL_MS));
        }
        assert_eq!(liveness.answered(1, at(3_600)), HealthStatus::Unhealthy);
        assert_eq!(liveness.answered(7, at(3_600)), HealthStatus::Healthy);
    }
}

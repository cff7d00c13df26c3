//! Chooses an instance for a request: the less busy of two random ones among those that serve.

use std::cmp::Reverse;

/// How well an instance can take a request, the best last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fitness {
    /// It does not answer now.
    Away,
    /// It answers, and a check says that it is unhealthy.
    Unhealthy,
    /// It serves.
    Serving,
}

impl Fitness {
    /// What counts where too few are healthy: unhealthy ones serve as well.
    pub fn failing_open(self) -> Self {
        if self == Self::Unhealthy { Self::Serving } else { self }
    }
}

/// Index of one of `count` instances: the less busy of two that are drawn with `random` (the power of two choices). Where neither serves,
/// the fittest of all: a load balancer that has no healthy target fails open. `look` gives fitness and load of one.
///
/// `None` without instances.
pub(super) fn choose(
    count: usize,
    random: impl FnOnce() -> u64,
    look: impl Fn(usize) -> (Fitness, f64),
) -> Option<usize> {
    if count < 2 {
        return count.checked_sub(1);
    }
    let random = random();
    let (low, high) = (random as u32 as usize, (random >> 32) as usize);
    let first = low % count;
    let second = (first + 1 + high % (count - 1)) % count;
    let less_busy = |a: (Fitness, f64), b: (Fitness, f64)| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)).is_ge();
    let (one, other) = (look(first), look(second));
    let (chosen, fitness) = if less_busy(one, other) { (first, one.0) } else { (second, other.0) };
    if fitness == Fitness::Serving {
        return Some(chosen);
    }
    // From the first on, so that several requests don't all go to the same.
    (0..count)
        .map(|step| (first + step) % count)
        .max_by_key(|at| (look(*at).0, Reverse((*at + count - first) % count)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Fitness::{Away, Serving, Unhealthy};

    fn chosen(instances: &[(Fitness, f64)], random: u64) -> usize {
        choose(instances.len(), || random, |at| instances[at]).unwrap()
    }

    /// How often each of these is chosen, over every pair that can be drawn.
    fn shares(instances: &[(Fitness, f64)]) -> Vec<u32> {
        let mut shares = vec![0; instances.len()];
        for low in 0..60_u64 {
            for high in 0..60_u64 {
                shares[chosen(instances, high << 32 | low)] += 1;
            }
        }
        shares
    }

    #[test]
    fn nothing_is_drawn_for_one_instance_or_none() {
        let never = || unreachable!("one instance needs no choice");
        assert_eq!(choose(0, never, |_| unreachable!()), None);
        assert_eq!(choose(1, never, |_| unreachable!()), Some(0));
    }

    #[test]
    fn the_less_busy_of_two_gets_the_request_and_equals_get_the_same() {
        assert_eq!(shares(&[(Serving, 1.0), (Serving, 3.0)]), [3_600, 0]);
        assert_eq!(shares(&[(Serving, 2.0), (Serving, 2.0)]), [1_800, 1_800]);
        let shares = shares(&[(Serving, 5.0), (Serving, 5.0), (Serving, 5.0), (Serving, 9.0)]);
        assert_eq!(shares[3], 0, "the busiest is never the less busy of two: {shares:?}");
        assert!(shares[..3].iter().all(|share| (1_000..1_500).contains(share)), "{shares:?}");
    }

    #[test]
    fn what_does_not_serve_gets_nothing_while_another_serves() {
        assert_eq!(shares(&[(Away, 0.0), (Serving, 90.0)]), [0, 3_600]);
        assert_eq!(
            shares(&[(Unhealthy, 0.0), (Away, 0.0), (Serving, 90.0), (Unhealthy, 0.0)]),
            [0, 0, 3_600, 0]
        );
    }

    #[test]
    fn without_one_that_serves_the_unhealthy_get_it_and_without_those_any() {
        assert_eq!(shares(&[(Away, 0.0), (Unhealthy, 7.0)]), [0, 3_600]);
        assert_eq!(shares(&[(Away, 0.0), (Away, 4.0)]), [1_800, 1_800]);
    }
}

//! Shares by weight, of apps or variants: each unit (a visitor, for one) keeps what it has, and only those move that a changed weight
//! must move.

use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use vitrine_core::config::RoutingRules;
use vitrine_core::id::{AppName, Version};

/// Which of the weighted names a unit gets: weighted rendezvous hashing. Each name draws a number that depends on salt, unit and name
/// alone, `-ln(u) / weight`, and the smallest wins: a weight that grows makes its own number smaller and touches no other, so units
/// move to it and never between two others. None if all weights are 0.
pub(super) fn pick<'a>(
    salt: &str,
    unit: &[u8],
    weighted: impl Iterator<Item = (&'a str, u32)>,
) -> Option<usize> {
    let drawn = weighted
        .enumerate()
        .filter(|(_, (_, weight))| *weight > 0)
        .map(|(index, (name, weight))| (index, -uniform(salt, unit, name).ln() / f64::from(weight)));
    drawn.min_by(|one, two| one.1.total_cmp(&two.1)).map(|(index, _)| index)
}

/// A number above 0 and below 1 of the first 53 bits of SHA-256 over the three, each with its length in front.
fn uniform(salt: &str, unit: &[u8], name: &str) -> f64 {
    let mut hash = Sha256::new();
    for part in [salt.as_bytes(), unit, name.as_bytes()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let first = hash.finalize().first_chunk().copied().unwrap_or_default();
    ((u64::from_be_bytes(first) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// An app, or one release of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// App.
    pub app: AppName,
    /// Its release; the live one if none is named.
    pub version: Option<Version>,
}

/// Apps or releases, one or several by weight.
#[derive(Debug)]
pub struct Shares {
    /// Their names as they are written, and weights.
    names: Box<[(Box<str>, u32)]>,
    chosen: Box<[Chosen]>,
    salt: Box<str>,
}

impl Shares {
    /// One alone.
    #[must_use]
    pub(super) fn one(app: AppName, version: Option<Version>) -> Self {
        Self {
            names: Box::new([(Box::default(), 1)]),
            chosen: Box::new([Chosen { app, version }]),
            salt: Box::default(),
        }
    }

    /// Several by weight. The names together are the salt: the same visitors whatever the weights.
    #[must_use]
    pub(super) fn weighted(weights: &BTreeMap<String, u32>) -> Self {
        let known = weights.iter().filter_map(|(name, weight)| {
            let (app, version) = RoutingRules::weighted(name)?;
            Some(((name.as_str().into(), *weight), Chosen { app, version }))
        });
        let (names, chosen): (Vec<(Box<str>, u32)>, Vec<_>) = known.unzip();
        let salt = names.iter().map(|(name, _)| &**name).collect::<Vec<_>>().join(",");
        Self { names: names.into(), chosen: chosen.into(), salt: salt.into() }
    }

    /// Whether the visitor decides.
    #[must_use]
    pub const fn is_split(&self) -> bool {
        self.chosen.len() > 1
    }

    /// What a visitor gets.
    ///
    /// # Panics
    /// Never: there is always one, and a weight above 0.
    #[must_use]
    pub fn of(&self, visitor: &str) -> &Chosen {
        let index = if self.is_split() {
            pick(&self.salt, visitor.as_bytes(), self.names.iter().map(|(name, weight)| (&**name, *weight)))
        } else {
            None
        };
        &self.chosen[index.unwrap_or_default()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(salt: &str, weights: &[(&str, u32)]) -> Vec<usize> {
        let units = 0..20_000;
        units.map(|unit| pick(salt, unit.to_string().as_bytes(), weights.iter().copied()).unwrap()).collect()
    }

    #[test]
    fn shares_are_as_large_as_their_weights() {
        let drawn = shares("s", &[("a", 50), ("b", 30), ("c", 20), ("d", 0)]);
        let share = |index| drawn.iter().filter(|one| **one == index).count() as f64 / 20_000.0;
        for (index, expected) in [(0, 0.5), (1, 0.3), (2, 0.2), (3, 0.0)] {
            assert!((share(index) - expected).abs() < 0.015, "{index}: {}", share(index));
        }
    }

    #[test]
    fn a_weight_that_grows_takes_and_nobody_else_moves() {
        let before = shares("s", &[("a", 50), ("b", 30), ("c", 20)]);
        let after = shares("s", &[("a", 50), ("b", 60), ("c", 20)]);
        let moved: Vec<_> = before.iter().zip(&after).filter(|(one, two)| one != two).collect();
        assert!(!moved.is_empty() && moved.iter().all(|(_, two)| **two == 1));
    }

    #[test]
    fn experiments_with_other_salts_are_independent() {
        let weights = [("a", 50), ("b", 50)];
        let (one, two) = (shares("s", &weights), shares("t", &weights));
        let both = one.iter().zip(&two).filter(|(one, two)| one == two).count() as f64 / 20_000.0;
        assert!((both - 0.5).abs() < 0.015, "{both}");
    }

    #[test]
    fn nothing_is_picked_where_all_weights_are_0() {
        assert_eq!(pick("s", b"u", [("a", 0)].into_iter()), None);
    }
}

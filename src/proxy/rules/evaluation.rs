//! A request while rules are held against it: what is costly is done once, and only if a rule asks.

use super::experiments::Experiments;
use super::facts::Facts;
use super::jwt::{Claims, Jwt};
use std::borrow::Cow;
use std::cell::OnceCell;

/// See the module.
pub(super) struct Evaluation<'a> {
    pub(super) facts: &'a Facts<'a>,
    pub(super) path: Cow<'a, str>,
    experiments: &'a Experiments,
    jwt: Option<&'a Jwt>,
    claims: OnceCell<Option<Claims>>,
    variants: OnceCell<Box<[Option<usize>]>>,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(facts: &'a Facts<'a>, experiments: &'a Experiments, jwt: Option<&'a Jwt>) -> Self {
        let path = facts.path();
        Self { facts, path, experiments, jwt, claims: OnceCell::new(), variants: OnceCell::new() }
    }

    /// Claims of the client's token, if it has one that is valid.
    pub(super) fn claims(&self) -> Option<&Claims> {
        self.claims.get_or_init(|| self.jwt.and_then(|jwt| jwt.claims(self.facts))).as_ref()
    }

    /// The name of the request's variant of an experiment, by its place.
    pub(super) fn variant(&self, experiment: usize) -> Option<&str> {
        let chosen = self.variants.get_or_init(|| self.experiments.choose(self.facts, || self.claims()));
        let index = chosen.get(experiment).copied().flatten()?;
        self.experiments.variant_name(experiment, index)
    }
}

//! Routing rules: which app, answer or upstream a request is for, before the route table is asked for the release.
//!
//! [`Rules::compile`] makes them of an operator's tables. [`Rules::decide`] looks a request's [`Facts`] up: [`index`] names the rules that
//! may hold for its host and path, in their order, and each [`rule`]'s conditions are held against the rest; tokens are verified
//! ([`jwt`]) and variants chosen ([`experiments`]) only when a rule asks. [`explain`] goes through all rules, one by one, and says why.

mod basic_auth;
mod depends;
mod door;
mod evaluation;
mod experiments;
mod explain;
mod facts;
mod index;
mod jwt;
pub mod path;
mod rule;
mod shares;
#[cfg(test)]
mod tests;

pub use basic_auth::BasicAuthError;
pub use depends::{Depends, FORCE_HEADER};
pub use door::{Door, Entry};
pub use experiments::{FORCE_PARAMETER, ForceKeyError, force_token};
pub use explain::{Explanation, Tried};
pub use facts::Facts;
pub use jwt::JwtError;
pub use rule::{Action, Changes, Rule, UpstreamOrigin};
pub use shares::{Chosen, Shares};

use evaluation::Evaluation;
use experiments::Experiments;
use index::Index;
use jwt::Jwt;
use std::sync::Arc;
use vitrine_core::config::RoutingRules;
use vitrine_core::id::AppName;

/// Why rules can't be used. What can be said of their text alone was checked when it was read.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// A file of keys.
    #[error(transparent)]
    Jwt(#[from] JwtError),
    /// A file of users.
    #[error("route[{index}].basic_auth_file can't be used")]
    BasicAuth {
        /// Which rule.
        index: usize,
        /// Cause.
        #[source]
        source: BasicAuthError,
    },
    /// The key of an experiment's links.
    #[error("experiment[{index}].force_key_file can't be used")]
    ForceKey {
        /// Which experiment.
        index: usize,
        /// Cause.
        #[source]
        source: ForceKeyError,
    },
}

/// All rules of a host, ready to be asked. Immutable: a change makes new ones.
#[derive(Debug)]
pub struct Rules {
    rules: Box<[Rule]>,
    index: Index,
    experiments: Experiments,
    jwt: Option<Jwt>,
}

/// What rules say of a request.
#[derive(Debug)]
pub struct Decision {
    /// The first rule that holds, by its place.
    pub rule: Option<usize>,
    /// What of the request, besides its address and method, that depends on.
    pub depends: Depends,
}

impl Rules {
    /// Of an operator's tables. Reads the files that they name.
    ///
    /// # Errors
    /// See [`RulesError`]: the first file that can't be used.
    pub fn compile(rules: &RoutingRules) -> Result<Self, RulesError> {
        let (compiled, problems) = Self::compile_closed(rules);
        problems.into_iter().next().map_or(Ok(compiled), Err)
    }

    /// As [`Rules::compile`], for a host that has to start: a file that can't be used lets nobody in, makes no token valid and forces no
    /// variant. Gives what is wrong, too.
    #[must_use]
    pub fn compile_closed(rules: &RoutingRules) -> (Self, Vec<RulesError>) {
        let mut problems = Vec::new();
        let experiments = Experiments::compile(&rules.experiment, |index, source| {
            problems.push(RulesError::ForceKey { index, source });
        });
        let jwt = rules.jwt.as_ref().map(|table| {
            Jwt::load(table).unwrap_or_else(|error| {
                problems.push(error.into());
                Jwt::closed(table)
            })
        });
        let compiled = rules.route.iter().enumerate().map(|(index, rule)| {
            let door = Door::of(rule).unwrap_or_else(|source| {
                problems.push(RulesError::BasicAuth { index, source });
                Some(Door::closed())
            });
            Rule::compile(rule, &rules.experiment, rules.jwt.as_ref(), door)
        });
        let compiled: Box<[Rule]> = compiled.collect();
        (Self { index: Index::of(&compiled), rules: compiled, experiments, jwt }, problems)
    }

    /// The first rule that holds for a request.
    #[must_use]
    pub fn decide(&self, facts: &Facts<'_>) -> Decision {
        let evaluation = Evaluation::new(facts, &self.experiments, self.jwt.as_ref());
        let mut depends = Depends::default();
        let rule = self.index.candidates(facts.host, facts.path()).find(|index| {
            let rule = &self.rules[*index];
            depends.add(rule.depends());
            rule.holds(&evaluation)
        });
        Decision { rule, depends }
    }

    /// Host names of rules, without those that stand for all below one.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.index.hosts()
    }

    /// Whether a rule names this host, whole or as one below another.
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        self.index.covers(host)
    }

    /// Whether a rule names this host whole.
    #[must_use]
    pub fn names(&self, host: &str) -> bool {
        self.index.names(host)
    }

    /// A rule by its place.
    #[must_use]
    pub fn rule(&self, index: usize) -> Option<&Rule> {
        self.rules.get(index)
    }

    /// The variants that a request of an app has, as `checkout=b, banner=a`, and what they depend on. None where no experiment is for
    /// the app.
    #[must_use]
    pub fn variants(&self, app: &AppName, facts: &Facts<'_>) -> Option<(String, Depends)> {
        if !self.experiments.any_for(app) {
            return None;
        }
        let evaluation = Evaluation::new(facts, &self.experiments, self.jwt.as_ref());
        Some(self.experiments.variants(app, |at| evaluation.variant(at)))
    }

    /// Why the first rule that holds does, and those before it do not.
    #[must_use]
    pub fn explain(&self, facts: &Facts<'_>) -> Explanation {
        explain::explain(self, facts)
    }

    /// The same rules, if files that they name have changed since and can be read; none if they are as they were.
    ///
    /// # Errors
    /// See [`RulesError`]: the rules in force stay as they are.
    pub fn refreshed(&self, rules: &RoutingRules) -> Result<Option<Arc<Self>>, RulesError> {
        let fresh = Self::compile(rules)?;
        let same = self.jwt == fresh.jwt
            && self.experiments.same_keys(&fresh.experiments)
            && self.rules.iter().zip(&fresh.rules).all(|(old, new)| old.same_files(new));
        Ok((!same).then(|| Arc::new(fresh)))
    }
}

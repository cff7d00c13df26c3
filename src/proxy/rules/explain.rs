//! Why a rule decides, and those before it do not: all rules, one by one, without the index.

use super::Rules;
use super::evaluation::Evaluation;
use super::facts::Facts;

/// What became of a rule that does not decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Its place.
    pub index: usize,
    /// The first condition that does not hold, such as `header.x-beta`.
    pub failed: String,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explanation {
    /// The rule that decides, by its place.
    pub matched: Option<usize>,
    /// The rules before it.
    pub tried: Vec<Tried>,
}

pub(super) fn explain(rules: &Rules, facts: &Facts<'_>) -> Explanation {
    let evaluation = Evaluation::new(facts, &rules.experiments, rules.jwt.as_ref());
    let mut explanation = Explanation::default();
    for (index, rule) in rules.rules.iter().enumerate() {
        match rule.failed(&evaluation) {
            Some(failed) => explanation.tried.push(Tried { index, failed }),
            None => {
                explanation.matched = Some(index);
                break;
            }
        }
    }
    explanation
}

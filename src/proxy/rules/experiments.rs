//! Experiments: which variant a request has.

use super::RulesError;
use super::depends::{Depends, FORCE_HEADER, unit_depends};
use super::facts::Facts;
use super::jwt::Claims;
use super::shares::pick;
use http::HeaderName;
use ring::hmac;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use subtle::ConstantTimeEq as _;
use vitrine_core::config::ExperimentRules;
use vitrine_core::id::AppName;
use vitrine_core::limits::FORCE_KEY_BYTES_MIN;

/// Query parameter that forces a variant.
pub const FORCE_PARAMETER: &str = "__vitrine_experiment";
/// Bytes of a signature in hexadecimal digits: more than can be guessed.
const SIGNATURE_DIGITS: usize = 32;

/// Why a key of links can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ForceKeyError {
    /// The file can't be read.
    #[error("{} can't be read", path.display())]
    Read {
        /// File.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// It would be guessed.
    #[error("{} holds fewer than {FORCE_KEY_BYTES_MIN} bytes; write a longer key, such as `openssl rand -hex 32` prints", .0.display())]
    Short(PathBuf),
}

/// The token that forces a variant, under the key in a file: `checkout=b.SIGNATURE`.
///
/// # Errors
/// See [`ForceKeyError`].
pub fn force_token(key_file: &Path, experiment: &str, variant: &str) -> Result<String, ForceKeyError> {
    Ok(token(&load_key(key_file)?, experiment, variant))
}

fn load_key(path: &Path) -> Result<hmac::Key, ForceKeyError> {
    let text =
        fs::read_to_string(path).map_err(|source| ForceKeyError::Read { path: path.to_owned(), source })?;
    let key = text.trim();
    if key.len() < FORCE_KEY_BYTES_MIN {
        return Err(ForceKeyError::Short(path.to_owned()));
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()))
}

fn token(key: &hmac::Key, experiment: &str, variant: &str) -> String {
    let tag = hmac::sign(key, format!("vitrine experiment 1\0{experiment}={variant}").as_bytes());
    let mut digits = hex::encode(tag.as_ref());
    digits.truncate(SIGNATURE_DIGITS);
    format!("{experiment}={variant}.{digits}")
}

/// All experiments.
#[derive(Debug)]
pub(super) struct Experiments(Box<[Experiment]>);

#[derive(Debug)]
struct Experiment {
    name: Box<str>,
    variants: Box<[(Box<str>, u32)]>,
    unit: Unit,
    salt: Box<str>,
    apps: Box<[AppName]>,
    /// Key of the tokens that force a variant, and its digest to compare it by.
    force: Option<hmac::Key>,
    depends: Depends,
}

/// What is shared out.
#[derive(Debug)]
enum Unit {
    Visitor,
    Cookie(Box<str>),
    Header(HeaderName),
    Claim(Box<str>),
}

impl Unit {
    /// From a text that was checked.
    fn of(text: &str) -> Self {
        match text.split_once(':') {
            Some(("cookie", name)) => Self::Cookie(name.into()),
            Some(("header", name)) => name.parse().map_or(Self::Visitor, Self::Header),
            Some((_, name)) => Self::Claim(name.into()),
            None => Self::Visitor,
        }
    }
}

impl Experiments {
    /// Of tables that were checked.
    pub(super) fn compile(tables: &[ExperimentRules]) -> Result<Self, RulesError> {
        let compiled = tables.iter().enumerate().map(|(index, table)| {
            let force = table.force_key_file.as_deref().map(load_key).transpose();
            Ok(Experiment {
                name: table.name.as_str().into(),
                variants: table
                    .variants
                    .iter()
                    .map(|(name, weight)| (name.as_str().into(), *weight))
                    .collect(),
                unit: Unit::of(&table.unit),
                salt: table.salt.as_ref().unwrap_or(&table.name).as_str().into(),
                apps: table.apps.as_slice().into(),
                force: force.map_err(|source| RulesError::ForceKey { index, source })?,
                depends: unit_depends(table, None),
            })
        });
        let compiled: Result<_, RulesError> = compiled.collect();
        compiled.map(Self)
    }

    /// Whether an app is in any.
    pub(super) fn any_for(&self, app: &AppName) -> bool {
        self.0.iter().any(|experiment| experiment.is_for(app))
    }

    /// The variant of each, by its place; none where the request has no unit.
    pub(super) fn choose<'a>(
        &self,
        facts: &Facts<'_>,
        claims: impl Fn() -> Option<&'a Claims>,
    ) -> Box<[Option<usize>]> {
        self.0.iter().map(|experiment| experiment.choose(facts, &claims)).collect()
    }

    /// The name of a variant.
    pub(super) fn variant_name(&self, experiment: usize, variant: usize) -> Option<&str> {
        Some(&*self.0.get(experiment)?.variants.get(variant)?.0)
    }

    /// The variants of the experiments of an app, as `variant` names them by their places, and what they depend on.
    pub(super) fn variants<'a>(
        &self,
        app: &AppName,
        variant: impl Fn(usize) -> Option<&'a str>,
    ) -> (String, Depends) {
        let mut depends = Depends::default();
        let mut named = Vec::new();
        for (at, experiment) in self.0.iter().enumerate().filter(|(_, experiment)| experiment.is_for(app)) {
            depends.add(&experiment.depends);
            if let Some(variant) = variant(at) {
                named.push(format!("{}={variant}", experiment.name));
            }
        }
        (named.join(", "), depends)
    }

    /// Whether the keys of links are the same.
    pub(super) fn same_keys(&self, other: &Self) -> bool {
        let probe = |experiment: &Experiment| experiment.force.as_ref().map(|key| token(key, "", ""));
        self.0.iter().map(probe).eq(other.0.iter().map(probe))
    }
}

impl Experiment {
    fn is_for(&self, app: &AppName) -> bool {
        self.apps.is_empty() || self.apps.contains(app)
    }

    fn choose<'a>(&self, facts: &Facts<'_>, claims: &impl Fn() -> Option<&'a Claims>) -> Option<usize> {
        if let Some(forced) = self.force.as_ref().and_then(|key| self.forced(key, facts)) {
            return Some(forced);
        }
        let weighted = || self.variants.iter().map(|(name, weight)| (&**name, *weight));
        let of = |unit: &str| pick(&self.salt, unit, weighted());
        match &self.unit {
            Unit::Visitor => of(facts.visitor),
            Unit::Cookie(name) => of(facts.cookie(name)?),
            Unit::Header(name) => of(facts.header(name).next()?),
            Unit::Claim(name) => of(claims()?.values(name).first()?),
        }
    }

    /// The variant that a signed token names.
    fn forced(&self, key: &hmac::Key, facts: &Facts<'_>) -> Option<usize> {
        self.variants.iter().position(|(variant, _)| {
            let right = token(key, &self.name, variant);
            let is_right = |shown: &str| bool::from(shown.as_bytes().ct_eq(right.as_bytes()));
            facts.header(&FORCE_HEADER).any(is_right) || facts.parameter(FORCE_PARAMETER, is_right)
        })
    }
}

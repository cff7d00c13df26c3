//! Experiments: which variant a request has.

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
use url::form_urlencoded;
use vitrine_core::config::ExperimentRules;
use vitrine_core::id::AppName;
use vitrine_core::limits::{EXPERIMENTS_MAX, FORCE_KEY_BYTES_MIN};

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
    /// Of tables that were checked. `wrong` is told of a key that can't be used: no variant of that experiment is forced.
    pub(super) fn compile(tables: &[ExperimentRules], mut wrong: impl FnMut(usize, ForceKeyError)) -> Self {
        let compiled = tables.iter().enumerate().map(|(index, table)| {
            let force = table.force_key_file.as_deref().map(load_key).transpose();
            Experiment {
                name: table.name.as_str().into(),
                variants: table
                    .variants
                    .iter()
                    .map(|(name, weight)| (name.as_str().into(), *weight))
                    .collect(),
                unit: Unit::of(&table.unit),
                salt: table.salt.as_ref().unwrap_or(&table.name).as_str().into(),
                apps: table.apps.as_slice().into(),
                force: force.unwrap_or_else(|error| {
                    wrong(index, error);
                    None
                }),
                depends: unit_depends(table, None),
            }
        });
        Self(compiled.collect())
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
        let forced = self.forced(facts);
        self.0.iter().map(|experiment| experiment.choose(facts, &claims, &forced)).collect()
    }

    /// The tokens that a request shows to force variants, if any experiment takes some.
    fn forced(&self, facts: &Facts<'_>) -> Vec<String> {
        if self.0.iter().all(|experiment| experiment.force.is_none()) {
            return Vec::new();
        }
        let text = |shown: &[u8]| std::str::from_utf8(shown).map(str::to_owned).ok();
        let mut shown: Vec<String> = facts.header(&FORCE_HEADER).filter_map(text).collect();
        let of_query = || form_urlencoded::parse(facts.query.unwrap_or_default().as_bytes());
        if facts.query.is_some_and(|query| query.contains(FORCE_PARAMETER)) {
            let named = of_query().filter(|(name, _)| name == FORCE_PARAMETER);
            shown.extend(named.map(|(_, token)| token.into_owned()));
        }
        shown.truncate(EXPERIMENTS_MAX);
        shown
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

    fn choose<'a>(
        &self,
        facts: &Facts<'_>,
        claims: &impl Fn() -> Option<&'a Claims>,
        shown: &[String],
    ) -> Option<usize> {
        if let Some(forced) = self.force.as_ref().and_then(|key| self.forced(key, shown)) {
            return Some(forced);
        }
        let weighted = || self.variants.iter().map(|(name, weight)| (&**name, *weight));
        let of = |unit: &[u8]| pick(&self.salt, unit, weighted());
        match &self.unit {
            Unit::Visitor => of(facts.visitor.as_bytes()),
            Unit::Cookie(name) => of(facts.cookie(name)?),
            Unit::Header(name) => of(facts.header(name).next()?),
            Unit::Claim(name) => of(claims()?.values(name).first()?.as_bytes()),
        }
    }

    /// The variant that a signed token names. Only a token of this experiment and one of its variants costs a signature.
    fn forced(&self, key: &hmac::Key, shown: &[String]) -> Option<usize> {
        shown.iter().find_map(|shown| {
            let (named, _) = shown.rsplit_once('.')?;
            let (_, variant) = named.split_once('=').filter(|(experiment, _)| *experiment == &*self.name)?;
            let at = self.variants.iter().position(|(name, _)| &**name == variant)?;
            let right = token(key, &self.name, variant);
            bool::from(shown.as_bytes().ct_eq(right.as_bytes())).then_some(at)
        })
    }
}

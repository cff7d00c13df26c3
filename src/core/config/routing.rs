//! Routing rules as an operator writes them: the tables `[[route]]`, `[[experiment]]` and `[jwt]`, of `vitrine.toml` or of a file for
//! `vitrine routes set`.

mod check;
mod path_pattern;
mod rate;
mod template;
#[cfg(test)]
mod tests;

pub use path_pattern::PathPattern;
pub use rate::{RateBy, RateLimit};
pub use template::{Template, Values};

use super::ConfigError;
use super::check::Problem;
use super::load::parse_checked;
use crate::id::{AppName, Version};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a header, cookie, query parameter or claim must be: `"*"` is "present", `"!"` is "absent", everything else is the whole value.
pub type Conditions = BTreeMap<String, String>;

/// One rule: conditions, all of which must hold, and what then happens. The first rule that holds decides.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouteRule {
    /// Host name, or `*.example.com` for all names below one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// See [`PathPattern`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathPattern>,
    /// Methods, in capitals.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub method: Vec<String>,
    /// Request headers.
    #[serde(skip_serializing_if = "Conditions::is_empty")]
    pub header: Conditions,
    /// Cookies.
    #[serde(skip_serializing_if = "Conditions::is_empty")]
    pub cookie: Conditions,
    /// Query parameters.
    #[serde(skip_serializing_if = "Conditions::is_empty")]
    pub query: Conditions,
    /// Claims of a token that `[jwt]` verifies.
    #[serde(skip_serializing_if = "Conditions::is_empty")]
    pub claim: Conditions,
    /// Variants of experiments.
    #[serde(skip_serializing_if = "Conditions::is_empty")]
    pub experiment: Conditions,
    /// Networks that the client is in.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "super::proxy::networks")]
    pub client: Vec<IpNet>,

    /// App that answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<AppName>,
    /// Release of it that answers, instead of the live one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// Apps, or releases as `app@version`, among which visitors are shared out by weight.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub weights: BTreeMap<String, u32>,
    /// Address that the client is sent to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<String>,
    /// Status of the redirect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Answer that is given as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub respond: Option<FixedAnswer>,
    /// Server that the request is forwarded to: `http://HOST:PORT` or `https://HOST`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// `Host` that the upstream gets; the client's without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_host: Option<String>,

    /// Prefix that is taken off the path for the app or upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip_prefix: Option<String>,
    /// Path that the app or upstream gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rewrite: Option<String>,
    /// Headers that the app or upstream gets.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set_request_headers: BTreeMap<String, String>,
    /// Headers of the client that the app or upstream does not get.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove_request_headers: Vec<String>,
    /// Headers that the client gets.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set_response_headers: BTreeMap<String, String>,
    /// Headers of the answer that the client does not get.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove_response_headers: Vec<String>,

    /// Answers 503 with a page that says so, instead.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub maintenance: bool,
    /// Networks whose clients alone are let in; everybody if empty.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "super::proxy::networks")]
    pub allow: Vec<IpNet>,
    /// Networks whose clients are refused.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "super::proxy::networks")]
    pub deny: Vec<IpNet>,
    /// File with lines `USER:PASSWORD`, one of which a client must show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth_file: Option<PathBuf>,
    /// See [`RateLimit`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
}

/// An answer of the host's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedAnswer {
    /// Status.
    pub status: u16,
    /// Body.
    #[serde(default)]
    pub body: String,
    /// Media type of the body.
    #[serde(default = "FixedAnswer::text")]
    pub content_type: String,
}

impl FixedAnswer {
    fn text() -> String {
        "text/plain; charset=utf-8".into()
    }
}

/// An experiment: each unit (a visitor, for one) keeps its variant, whatever other experiments and splits do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentRules {
    /// Name, as rules and apps see it.
    pub name: String,
    /// Variants and how large their shares are, in relation to each other.
    pub variants: BTreeMap<String, u32>,
    /// What is shared out: `visitor`, `cookie:NAME`, `header:NAME` or `claim:NAME`.
    #[serde(default = "ExperimentRules::visitor")]
    pub unit: String,
    /// Shares out anew when it changes; the name without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// Apps that it is for; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<AppName>,
    /// File with the key of links that force a variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force_key_file: Option<PathBuf>,
}

impl ExperimentRules {
    fn visitor() -> String {
        "visitor".into()
    }
}

/// Where tokens are, and what they must be signed with. The algorithm follows from the key, never from the token.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JwtRules {
    /// Cookie that holds the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
    /// Header that holds it, with or without `Bearer` in front.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Files with public keys: PEM, or JWKS if the name ends in `.json`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<PathBuf>,
    /// File with the secret of HS256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hs256_file: Option<PathBuf>,
    /// `iss` that a token must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// `aud` that a token must have; a token with an audience is refused without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// How far clocks may differ, in seconds.
    pub leeway_s: u64,
}

/// All rules.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoutingRules {
    /// See [`RouteRule`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub route: Vec<RouteRule>,
    /// See [`ExperimentRules`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub experiment: Vec<ExperimentRules>,
    /// See [`JwtRules`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt: Option<JwtRules>,
}

impl RoutingRules {
    /// From the text of a file with nothing else in it. `path` is for messages.
    ///
    /// # Errors
    /// [`ConfigError::Parse`] with line and column.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        parse_checked(text, path, |_| (), Self::problem)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.route.is_empty() && self.experiment.is_empty() && self.jwt.is_none()
    }

    /// The apps, and releases of them, that are named, by where.
    #[must_use]
    pub fn named_apps(&self) -> Vec<(String, AppName, Option<Version>)> {
        let rules = self.route.iter().enumerate().flat_map(|(index, rule)| {
            let alone = rule.app.iter().map(move |app| {
                // The names of an upstream's releases are its own.
                let version = rule.version.clone().filter(|_| rule.upstream.is_none());
                (format!("route[{index}].app"), app.clone(), version)
            });
            let names = rule.weights.keys().filter_map(|name| check::weighted(name));
            alone.chain(names.map(move |(app, version)| (format!("route[{index}].weights"), app, version)))
        });
        let experiments = self.experiment.iter().enumerate().flat_map(|(index, experiment)| {
            experiment.apps.iter().map(move |app| (format!("experiment[{index}].apps"), app.clone(), None))
        });
        rules.chain(experiments).collect()
    }

    /// The app and the version that a name in `weights` stands for.
    #[must_use]
    pub fn weighted(name: &str) -> Option<(AppName, Option<Version>)> {
        check::weighted(name)
    }

    /// The first value that can't be used.
    pub(super) fn problem(&self) -> Option<Problem> {
        check::problem(self)
    }
}

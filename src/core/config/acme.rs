//! Certificates that an authority issues by ACME (RFC 8555).

use super::Tls;
use super::check::{Problem, problem};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How an authority sees that a name leads here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChallengeKind {
    /// A file over plain HTTP, at port 80.
    #[serde(rename = "http-01")]
    Http,
    /// A certificate of its own in a TLS handshake, at port 443 (RFC 8737).
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn,
}

/// Certificates by ACME, for the names that lead to apps. Without this table no authority is asked for anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acme {
    /// Whether the operator agrees to the terms of the authority; it issues nothing otherwise.
    pub agree_to_terms: bool,
    /// Where the authority writes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// URL of the authority's directory.
    #[serde(default = "lets_encrypt")]
    pub directory: String,
    /// PEM file of the authorities that vouch for that URL; absent is the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Ways that may be used, in this order.
    #[serde(default = "every_kind")]
    pub challenges: Vec<ChallengeKind>,
    /// Whether versions and previews get a certificate, too, when somebody first asks for one by its name.
    #[serde(default)]
    pub on_demand: bool,
}

fn lets_encrypt() -> String {
    "https://acme-v02.api.letsencrypt.org/directory".into()
}

fn every_kind() -> Vec<ChallengeKind> {
    vec![ChallengeKind::Http, ChallengeKind::TlsAlpn]
}

impl Acme {
    /// With what is usual, at this directory.
    #[must_use]
    pub fn new(directory: &str) -> Self {
        Self {
            agree_to_terms: true,
            email: None,
            directory: directory.to_owned(),
            ca: None,
            challenges: every_kind(),
            on_demand: false,
        }
    }

    pub(super) fn problem(&self, tls: Option<&Tls>) -> Option<Problem> {
        if tls.is_none() {
            return problem("acme", "needs a TLS listener: write `[tls]` with `listen`");
        }
        if !self.agree_to_terms {
            let message = "is false: the authority issues certificates only to those who agree to its terms";
            return problem("acme.agree_to_terms", message);
        }
        if self
            .email
            .as_ref()
            .is_some_and(|email| !email.contains('@') || email.contains(char::is_whitespace))
        {
            return problem("acme.email", "is no address; write one such as `ops@example.com`");
        }
        // Everything that is asked there is signed, but what the answers say is not.
        if !self.directory.starts_with("https://") {
            return problem("acme.directory", "is no https URL");
        }
        if self.challenges.is_empty() {
            return problem("acme.challenges", "is empty; write \"http-01\" or \"tls-alpn-01\"");
        }
        None
    }
}

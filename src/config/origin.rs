//! Origins as egress lists name them.

use std::str::FromStr;

/// Why a text is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no origin: {reason}; write it as `https://api.example.com` or `http://host:8080`")]
pub struct OriginError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// An origin, or every subdomain of one (`https://*.example.com`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginPattern {
    scheme: String,
    host: String,
    port: u16,
    subdomains: bool,
}

impl OriginPattern {
    /// Whether it stands for all subdomains of a name.
    #[must_use]
    pub const fn is_wildcard(&self) -> bool {
        self.subdomains
    }

    /// Whether this URL is below it.
    #[must_use]
    pub fn allows(&self, _url: &url::Url) -> bool {
        todo!()
    }
}

impl FromStr for OriginPattern {
    type Err = OriginError;
    fn from_str(_text: &str) -> Result<Self, OriginError> {
        todo!()
    }
}

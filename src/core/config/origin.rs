//! Origins as egress lists name them.

use std::str::FromStr;
use url::{Host, Url};

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

    /// Its host, unless it stands for several.
    #[must_use]
    pub fn single_host(&self) -> Option<&str> {
        (!self.subdomains).then_some(&self.host)
    }

    /// Whether this URL is below it.
    #[must_use]
    pub fn allows(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let host_fits = if self.subdomains {
            host.strip_suffix(&self.host).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            host == self.host
        };
        host_fits && url.scheme() == self.scheme && url.port_or_known_default() == Some(self.port)
    }
}

impl FromStr for OriginPattern {
    type Err = OriginError;
    fn from_str(text: &str) -> Result<Self, OriginError> {
        let refuse = |reason| OriginError { text: text.into(), reason };
        let subdomains = text.contains("://*.");
        let url = Url::parse(&text.replacen("://*.", "://", 1)).map_err(|_| refuse("it is not a URL"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refuse("its scheme is neither http nor https"));
        }
        // The parser adds the slash of an empty path; one that was written is a path.
        let has_path = url.path() != "/" || text.ends_with('/');
        if has_path || url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("it has a path; an origin ends after host and port"));
        }
        if text.contains('@') {
            return Err(refuse("it has a user name"));
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(refuse("it has no host"));
        };
        let host_text = host.to_string();
        let is_name = matches!(host, Host::Domain(_));
        if host_text.contains('*') || (subdomains && !is_name) {
            return Err(refuse(
                "`*` stands only in front, for all subdomains of a name: `https://*.example.com`",
            ));
        }
        Ok(Self { scheme: url.scheme().into(), host: host_text, port, subdomains })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(pattern: &str, url: &str) -> bool {
        pattern.parse::<OriginPattern>().unwrap().allows(&Url::parse(url).unwrap())
    }

    #[test]
    fn an_origin_allows_itself_and_nothing_that_looks_like_it() {
        assert!(allows("https://api.example.com", "https://api.example.com/a?b"));
        assert!(allows("https://API.example.com:443", "https://api.example.com/"));
        assert!(allows("http://[::1]:8080", "http://[::1]:8080/x"));
        for url in [
            "http://api.example.com/",
            "https://api.example.com:8443/",
            "https://api.example.com.evil.test/",
            "https://evil.test/https://api.example.com",
            "https://api.example.com@evil.test/",
            "https://x.api.example.com/",
        ] {
            assert!(!allows("https://api.example.com", url), "{url}");
        }
    }

    #[test]
    fn a_wildcard_is_for_subdomains_only() {
        assert!(allows("https://*.example.com", "https://a.example.com/"));
        assert!(allows("https://*.example.com:8443", "https://a.b.example.com:8443/"));
        for url in ["https://example.com/", "https://evilexample.com/", "https://a.example.com:8443/"] {
            assert!(!allows("https://*.example.com", url), "{url}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "",
            "example.com",
            "ftp://example.com",
            "https://",
            "https://example.com/",
            "https://example.com/path",
            "https://example.com?q",
            "https://user@example.com",
            "https://*",
            "https://a.*.example.com",
            "https://*.127.0.0.1",
            "https://*.*.example.com",
        ] {
            assert!(text.parse::<OriginPattern>().is_err(), "{text}");
        }
    }
}

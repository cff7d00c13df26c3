//! How people name a host: `--host`, and `host` in a `.vitrine` file.

use std::num::NonZeroU16;
use std::path::PathBuf;
use url::Url;

/// What a text can mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HostName {
    /// Its admin side: `http://HOST:PORT`, or `HOST:PORT`.
    Url(Url),
    /// The port of an admin side on this machine.
    Port(u16),
    /// The data folder of a host on this machine: anything with a `/`, and `.` and `..`.
    Folder(PathBuf),
    /// The name of such a data folder, without where it lies.
    Name(String),
}

impl HostName {
    /// Reads it; none if it can be none of these.
    #[must_use]
    pub(super) fn parse(text: &str) -> Option<Self> {
        let url = |text: &str| admin_url(text).map(Self::Url);
        if text.contains("://") {
            return url(text);
        }
        let digits = text.trim_start_matches(':');
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return digits.parse::<NonZeroU16>().ok().map(|port| Self::Port(port.get()));
        }
        if text.contains('/') || text == "." || text == ".." {
            return Some(Self::Folder(text.into()));
        }
        match text.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                url(&format!("http://{text}"))
            }
            Some(_) => None,
            None => (!text.is_empty() && !text.contains('@')).then(|| Self::Name(text.into())),
        }
    }
}

/// The URL of an admin side. A user, a password, a query or a fragment has no meaning there, and a password would be shown.
#[must_use]
pub(super) fn admin_url(text: &str) -> Option<Url> {
    let url: Url = text.parse().ok()?;
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    (matches!(url.scheme(), "http" | "https") && url.has_host() && is_bare).then_some(url)
}

/// How the URL of an admin side is written.
pub(super) const URL_FORM: &str = "http://HOST:PORT (without user, password, query or fragment)";

/// A text that names no host, as errors show it: none of it if a part of it may be a password.
#[must_use]
pub(super) fn quoted(text: &str) -> String {
    if text.contains(['@', '?', '#']) {
        return "what is given (not shown: it may hold a password)".to_owned();
    }
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_told_from_the_others() {
        let url = |text: &str| Some(HostName::Url(text.parse().unwrap()));
        for (text, meant) in [
            ("http://127.0.0.1:8081", url("http://127.0.0.1:8081")),
            ("https://host.example", url("https://host.example")),
            ("localhost:8081", url("http://localhost:8081")),
            ("[::1]:8081", url("http://[::1]:8081")),
            ("8081", Some(HostName::Port(8081))),
            (":8081", Some(HostName::Port(8081))),
            ("/srv/data", Some(HostName::Folder("/srv/data".into()))),
            ("./data", Some(HostName::Folder("./data".into()))),
            (".", Some(HostName::Folder(".".into()))),
            ("production", Some(HostName::Name("production".into()))),
            ("99999", None),
            (":99999", None),
            ("0", None),
            ("http://user@host.example", None),
            ("https://user:word@host.example", None),
            ("user:word@host.example:8081", None),
            ("user@host", None),
            ("http://host.example/?a=b", None),
            ("http://host.example/#a", None),
            ("ftp://host.example", None),
            ("host:name", None),
            (":", None),
            ("", None),
        ] {
            assert_eq!(HostName::parse(text), meant, "{text}");
        }
    }

    #[test]
    fn what_may_hold_a_password_is_not_shown() {
        for text in ["http://user:xyz@host:81/", "http://host/?token=xyz", "xyz@host", "http://a:x#yz@host"] {
            assert!(HostName::parse(text).is_none() && !quoted(text).contains('x'), "{text}");
        }
        assert_eq!(quoted("99999"), "`99999`");
    }
}

//! What of a request rules may look at.

use super::path;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue, Method};
use std::borrow::Cow;
use std::net::IpAddr;
use url::form_urlencoded;

/// A request.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Host name in lower case, without a port.
    pub host: &'a str,
    /// Path without dot segments: see [`path::resolved`].
    pub sent_path: &'a str,
    /// Query as it was sent.
    pub query: Option<&'a str>,
    /// Method.
    pub method: &'a Method,
    /// Headers.
    pub headers: &'a HeaderMap,
    /// Client, behind the proxies that are trusted.
    pub client: IpAddr,
    /// The visitor's number.
    pub visitor: &'a str,
}

impl<'a> Facts<'a> {
    /// Path that rules are held against.
    #[must_use]
    pub(super) fn path(&self) -> Cow<'a, str> {
        path::normal(self.sent_path)
    }

    /// The first value of a cookie.
    #[must_use]
    pub(super) fn cookie(&self, name: &str) -> Option<&'a [u8]> {
        let lines = self.headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
        lines.flat_map(|line| line.split(|byte| *byte == b';')).find_map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=')?;
            (pair[..at].trim_ascii() == name.as_bytes()).then(|| pair[at + 1..].trim_ascii())
        })
    }

    /// Whether a parameter of the query has a value that passes.
    #[must_use]
    pub(super) fn parameter(&self, name: &str, passes: impl Fn(&str) -> bool) -> bool {
        let query = self.query.unwrap_or_default();
        form_urlencoded::parse(query.as_bytes()).any(|(key, value)| key == name && passes(&value))
    }

    /// Values of a header.
    pub(super) fn header(&self, name: &http::HeaderName) -> impl Iterator<Item = &'a [u8]> {
        self.headers.get_all(name).iter().map(HeaderValue::as_bytes)
    }
}

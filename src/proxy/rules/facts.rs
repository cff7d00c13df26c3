//! What of a request rules may look at.

use super::path;
use http::header::COOKIE;
use http::{HeaderMap, Method};
use std::borrow::Cow;
use std::net::IpAddr;
use url::form_urlencoded;

/// A request.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Host name in lower case, without a port.
    pub host: &'a str,
    /// Path as it was sent.
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
    pub(super) fn cookie(&self, name: &str) -> Option<&'a str> {
        let lines = self.headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(';')).find_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key.trim_end() == name).then_some(value.trim())
        })
    }

    /// Whether a parameter of the query has a value that passes.
    #[must_use]
    pub(super) fn parameter(&self, name: &str, passes: impl Fn(&str) -> bool) -> bool {
        let query = self.query.unwrap_or_default();
        form_urlencoded::parse(query.as_bytes()).any(|(key, value)| key == name && passes(&value))
    }

    /// Values of a header that are text.
    pub(super) fn header(&self, name: &http::HeaderName) -> impl Iterator<Item = &'a str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }
}

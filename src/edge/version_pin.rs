//! The release that a client is pinned to, by a header or by the cookie that its page was sent with (skew protection).

use super::cookies::Cookies;
use super::own_cookie::PIN;
use super::request_info::RequestInfo;
use http::HeaderValue;
use http::header::{HeaderMap, HeaderName};

/// Request header that pins, response header that names what answered.
pub(crate) const X_VITRINE_RELEASE: HeaderName = HeaderName::from_static("x-vitrine-release");
/// Says that a pin could not be met.
pub(crate) const X_VITRINE_PIN: HeaderName = HeaderName::from_static("x-vitrine-pin");
/// `vary` of what depends on a pin.
pub(crate) const VARIES: HeaderValue = HeaderValue::from_static("x-vitrine-release, cookie");
/// `vary` of what shared caches may keep: they keep nothing that varies with a cookie. What a pin in a cookie leads to is private.
pub(crate) const VARIES_FOR_ALL: HeaderValue = HeaderValue::from_static("x-vitrine-release");

/// Where a request asks for a release.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum VersionPin {
    /// Nowhere.
    #[default]
    None,
    /// In the header.
    Header,
    /// In the cookie that its page was sent with.
    Cookie,
}

impl VersionPin {
    /// From a request's head. Navigations ignore the cookie: a user who reloads gets what is live. So do WebSockets: one that is closed because
    /// its release leaves would come back to it.
    #[must_use]
    pub(crate) fn of(info: &RequestInfo, headers: &HeaderMap, cookies: &Cookies) -> Self {
        if headers.contains_key(X_VITRINE_RELEASE) {
            return Self::Header;
        }
        let is_bound = !info.reads.navigation && !info.handshake.is_asked();
        if is_bound && cookies.get(PIN, headers).is_some() { Self::Cookie } else { Self::None }
    }

    /// What it asks for: `VERSION` or `APP@VERSION`.
    #[must_use]
    pub(crate) fn release<'a>(self, headers: &'a HeaderMap, cookies: &Cookies) -> Option<&'a str> {
        match self {
            Self::None => None,
            // A header that is no text can't name a release: it is a pin that can't be met.
            Self::Header => headers.get(X_VITRINE_RELEASE).map(|value| value.to_str().unwrap_or_default()),
            Self::Cookie => cookies.get(PIN, headers),
        }
    }
}

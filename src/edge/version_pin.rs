//! The release that a client asks to stay with: a header, or the cookie that its page was sent with.

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

/// What a request asks for: `VERSION` or `APP@VERSION`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct VersionPin<'a> {
    /// The header, or the cookie of a sub-request.
    pub release: Option<&'a str>,
    /// The cookie, whether or not it counts: a page does not set it again.
    pub cookie: Option<&'a str>,
}

impl<'a> VersionPin<'a> {
    /// From a request's head. Navigations ignore the cookie: a user who reloads gets what is live. So do WebSockets: one that is closed because
    /// its release leaves would come back to it.
    #[must_use]
    pub(crate) fn of(info: &RequestInfo, headers: &'a HeaderMap) -> Self {
        let cookie = PIN.read(headers, info.https);
        // A header that is no text can't name a release: it is a pin that can't be met.
        let header = headers.get(X_VITRINE_RELEASE).map(|value| value.to_str().unwrap_or_default());
        let is_bound = !info.reads.navigation && !info.handshake.is_asked();
        Self { release: header.or(cookie.filter(|_| is_bound)), cookie }
    }
}

//! The release that a client asks to stay with: a header, or the cookie that its page was sent with.

use super::caller::Caller;
use http::HeaderValue;
use http::header::{COOKIE, HeaderMap, HeaderName};

/// Request header that pins, response header that names what answered.
pub const X_VITRINE_RELEASE: HeaderName = HeaderName::from_static("x-vitrine-release");
/// Says that a pin could not be met.
pub const X_VITRINE_PIN: HeaderName = HeaderName::from_static("x-vitrine-pin");
/// Cookie that pins the sub-requests of a page to the release that rendered it.
pub const COOKIE_NAME: &str = "__vitrine_release";

/// What a request asks for: `VERSION` or `APP@VERSION`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The header, or the cookie of a sub-request.
    pub release: Option<&'a str>,
    /// The cookie, whether or not it counts: a page does not set it again.
    pub cookie: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// From a request's head. Navigations ignore the cookie: a user who reloads gets what is live.
    #[must_use]
    pub fn of(caller: &Caller, headers: &'a HeaderMap) -> Self {
        let cookie = headers.get_all(COOKIE).iter().find_map(|line| cookie_in(line.to_str().ok()?));
        // A header that is no text can't name a release: it is a pin that can't be met.
        let header = headers.get(X_VITRINE_RELEASE).map(|value| value.to_str().unwrap_or_default());
        Self { release: header.or(if caller.reads.navigation { None } else { cookie }), cookie }
    }
}

fn cookie_in(line: &str) -> Option<&str> {
    line.split(';').find_map(|cookie| cookie.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='))
}

/// The cookie that keeps a page's sub-requests at its release.
#[must_use]
pub fn cookie(version: &str, https: bool) -> HeaderValue {
    let secure = if https { "; Secure" } else { "" };
    HeaderValue::from_str(&format!("{COOKIE_NAME}={version}; Path=/; HttpOnly; SameSite=Lax{secure}"))
        .expect("a version's characters are legal in a header")
}

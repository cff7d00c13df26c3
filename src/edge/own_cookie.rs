//! The host's own cookies: their names, and which of them a request is believed to have from this host.
//!
//! A host name below the same domain can give a browser a cookie of any name for all of that domain. Over TLS the names begin with
//! `__Host-`: browsers take such a cookie only from the very host name that it goes back to. Plain HTTP has no such name, and a
//! signature would not help, because a value that the host signed for one client can be planted at another. There the edge passes no
//! such cookie of an app on (see `app_head`), and where two values come under one name, neither is believed.

use http::HeaderValue;

/// One of the host's own cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OwnCookie {
    plain: &'static str,
    tls: &'static str,
}

/// Pins the sub-requests of a page to the release that rendered it.
pub(crate) const PIN: OwnCookie = OwnCookie { plain: "__vitrine_release", tls: "__Host-__vitrine_release" };
/// Holds a visitor's number. Only visitors of an app whose users are split get it.
pub(crate) const VISITOR: OwnCookie = OwnCookie { plain: "__vitrine_id", tls: "__Host-__vitrine_id" };

/// Opens a guarded preview.
pub(crate) const PASS: OwnCookie = OwnCookie { plain: "__vitrine_pass", tls: "__Host-__vitrine_pass" };
/// All of them.
pub(crate) const ALL: [OwnCookie; 3] = [PIN, VISITOR, PASS];

impl OwnCookie {
    /// Its value, if a cookie of a request (`NAME=VALUE`) is this one, and whether it bears the name of TLS.
    #[must_use]
    pub(crate) fn value(self, cookie: &[u8]) -> Option<(&[u8], bool)> {
        let by = |name: &str| cookie.strip_prefix(name.as_bytes())?.strip_prefix(b"=");
        let plain = by(self.plain).map(|value| (value, false));
        plain.or_else(|| by(self.tls).map(|value| (value, true)))
    }

    /// `set-cookie` for it; without an age it ends with the browser. The value has only characters that are legal in one.
    #[must_use]
    pub(crate) fn set(self, value: &str, https: bool, max_age_s: Option<u32>) -> HeaderValue {
        let (name, secure) = if https { (self.tls, "; Secure") } else { (self.plain, "") };
        let age = max_age_s.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
        HeaderValue::try_from(format!("{name}={value}; Path=/{age}; HttpOnly; SameSite=Lax{secure}"))
            .expect("versions and numbers are legal in a header")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_out_of_scripts_reach_and_as_safe_as_it_can_be() {
        let set = |https| PIN.set("v1", https, None);
        assert_eq!(set(false), "__vitrine_release=v1; Path=/; HttpOnly; SameSite=Lax");
        assert_eq!(set(true), "__Host-__vitrine_release=v1; Path=/; HttpOnly; SameSite=Lax; Secure");
        let aged = VISITOR.set("7", true, Some(60));
        assert_eq!(aged, "__Host-__vitrine_id=7; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
    }
}

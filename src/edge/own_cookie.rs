//! The host's own cookies: their names, and which of them a request is believed to have from this host.
//!
//! A host name below the same domain can give a browser a cookie of any name for all of that domain. Over TLS the names begin with
//! `__Host-`: browsers take such a cookie only from the very host name that it goes back to. Plain HTTP has no such name, and a
//! signature would not help, because a value that the host signed for one client can be planted at another. There the edge passes no
//! such cookie of an app on (see `app_head`), and where two values come under one name, neither is believed.

use http::HeaderValue;
use http::header::{COOKIE, HeaderMap};

/// One of the host's own cookies.
#[derive(Debug, Clone, Copy)]
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

impl OwnCookie {
    /// Its value in a request; none where two differ.
    #[must_use]
    pub(crate) fn read(self, headers: &HeaderMap, https: bool) -> Option<&str> {
        let name = if https { self.tls } else { self.plain };
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut values = lines
            .flat_map(|line| line.split(';'))
            .filter_map(|cookie| cookie.trim().strip_prefix(name)?.strip_prefix('='));
        let value = values.next()?;
        values.all(|other| other == value).then_some(value)
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

/// Whether a cookie of a request (`NAME=VALUE`) is one of the host's own, over TLS or not.
#[must_use]
pub(crate) fn is_own(cookie: &[u8]) -> bool {
    let names = [PIN.plain, PIN.tls, VISITOR.plain, VISITOR.tls, PASS.plain, PASS.tls];
    names.iter().any(|name| cookie.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"=")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str], https: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, line.parse().unwrap());
        }
        PIN.read(&headers, https).map(String::from)
    }

    #[test]
    fn a_cookie_that_another_host_name_can_have_set_is_not_believed_over_tls() {
        let plain = "a=b; __vitrine_release=v1";
        let prefixed = "__Host-__vitrine_release=v2;c=d";
        assert_eq!(read(&[plain], false).as_deref(), Some("v1"));
        assert_eq!(read(&[plain], true), None);
        assert_eq!(read(&[plain, prefixed], true).as_deref(), Some("v2"));
        assert_eq!(read(&[plain, prefixed], false).as_deref(), Some("v1"));
        for other in ["", "__vitrine_release", "__vitrine_released=v1", "x__vitrine_release=v1"] {
            assert_eq!(read(&[other], false), None, "{other}");
        }
    }

    #[test]
    fn of_two_values_neither_is_believed() {
        assert_eq!(read(&["__vitrine_release=v1; __vitrine_release=v2"], false), None);
        assert_eq!(read(&["__vitrine_release=v1", "a=b;__vitrine_release=v2"], false), None);
        assert_eq!(read(&["__vitrine_release=v1; __vitrine_release=v1"], false).as_deref(), Some("v1"));
    }

    #[test]
    fn it_is_out_of_scripts_reach_and_as_safe_as_it_can_be() {
        let set = |https| PIN.set("v1", https, None);
        assert_eq!(set(false), "__vitrine_release=v1; Path=/; HttpOnly; SameSite=Lax");
        assert_eq!(set(true), "__Host-__vitrine_release=v1; Path=/; HttpOnly; SameSite=Lax; Secure");
        let aged = VISITOR.set("7", true, Some(60));
        assert_eq!(aged, "__Host-__vitrine_id=7; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
    }
}

//! Reads the cookies of a request in one pass: where the host's own ones stand, and what goes on to the app.

use super::own_cookie::{ALL, OwnCookie};
use bytes::Bytes;
use http::header::{COOKIE, HeaderMap};
use std::borrow::Cow;
use std::ops::Range;

/// What the `Cookie` lines of a request hold. It has places in them, not copies, and goes with the headers that it was read from.
#[derive(Debug, Default)]
pub(crate) struct Cookies {
    lines: usize,
    /// Whether one of the host's own is among them, by either of its names.
    has_own: bool,
    /// Whether there is any other.
    has_others: bool,
    /// The host's own ones in the order of [`ALL`], by the name that counts for this request.
    found: [Found; ALL.len()],
}

/// What a request says under one name.
#[derive(Debug, Default)]
enum Found {
    #[default]
    Nothing,
    /// A value: its line, and its bytes there.
    At(usize, Range<usize>),
    /// Several values, none of which is believed.
    Several,
}

impl Cookies {
    /// Reads them. Over TLS the names with `__Host-` count, else those without.
    #[must_use]
    pub(crate) fn of(headers: &HeaderMap, https: bool) -> Self {
        let mut cookies = Self::default();
        for (line, value) in headers.get_all(COOKIE).iter().enumerate() {
            cookies.lines += 1;
            let is_text = value.to_str().is_ok();
            let mut begin = 0;
            for cookie in value.as_bytes().split(|byte| *byte == b';') {
                let end = begin + cookie.trim_ascii_end().len();
                begin += cookie.len() + 1;
                let cookie = cookie.trim_ascii();
                match ALL.iter().enumerate().find_map(|(at, own)| Some((at, own.value(cookie)?))) {
                    None => cookies.has_others |= !cookie.is_empty(),
                    Some((at, (value, secure))) => {
                        cookies.has_own = true;
                        if is_text && secure == https {
                            cookies.add(at, value, (line, end - value.len()..end), headers);
                        }
                    }
                }
            }
        }
        cookies
    }

    fn add(&mut self, at: usize, value: &[u8], (line, bytes): (usize, Range<usize>), headers: &HeaderMap) {
        self.found[at] = match &self.found[at] {
            Found::Nothing => Found::At(line, bytes),
            known @ Found::At(..) if known.text(headers).is_some_and(|text| text.as_bytes() == value) => {
                return;
            }
            _ => Found::Several,
        };
    }

    /// Value of one of the host's own cookies; none where two differ.
    #[must_use]
    pub(crate) fn get<'a>(&self, cookie: OwnCookie, headers: &'a HeaderMap) -> Option<&'a str> {
        let at = ALL.iter().position(|own| *own == cookie)?;
        self.found[at].text(headers)
    }

    /// `Cookie` lines of the request.
    #[must_use]
    pub(crate) const fn lines(&self) -> usize {
        self.lines
    }

    /// All cookies in one line (HTTP/2 may split them), without the host's own; empty if there are none.
    #[must_use]
    pub(crate) fn visible<'a>(&self, headers: &'a HeaderMap) -> Cow<'a, [u8]> {
        if !self.has_others {
            return Cow::Borrowed(b"");
        }
        match headers.get(COOKIE).filter(|_| self.lines == 1 && !self.has_own) {
            Some(line) => Cow::Borrowed(line.as_bytes()),
            None => Cow::Owned(joined(headers, |cookie| ALL.iter().all(|own| own.value(cookie).is_none()))),
        }
    }

    /// [`Cookies::visible`] as an app gets it.
    #[must_use]
    pub(crate) fn for_app(&self, headers: &HeaderMap) -> Option<Bytes> {
        let line = self.visible(headers);
        (!line.is_empty()).then(|| Bytes::from(line.into_owned()))
    }

    /// All cookies in one line, without the host's own of this kind.
    #[must_use]
    pub(crate) fn without(&self, kind: OwnCookie, headers: &HeaderMap) -> Option<Bytes> {
        let kept = joined(headers, |cookie| kind.value(cookie).is_none());
        (!kept.is_empty()).then(|| kept.into())
    }
}

fn joined(headers: &HeaderMap, is_kept: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut joined = Vec::new();
    let lines = headers.get_all(COOKIE).iter();
    for cookie in lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';')) {
        let cookie = cookie.trim_ascii();
        if cookie.is_empty() || !is_kept(cookie) {
            continue;
        }
        if !joined.is_empty() {
            joined.extend_from_slice(b"; ");
        }
        joined.extend_from_slice(cookie);
    }
    joined
}

impl Found {
    fn text<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let Self::At(line, bytes) = self else { return None };
        let line = headers.get_all(COOKIE).iter().nth(*line)?;
        std::str::from_utf8(line.as_bytes().get(bytes.clone())?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::own_cookie::{PASS, PIN, VISITOR};
    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, line.parse().unwrap());
        }
        headers
    }

    fn pin(lines: &[&str], https: bool) -> Option<String> {
        let headers = headers(lines);
        Cookies::of(&headers, https).get(PIN, &headers).map(String::from)
    }

    fn for_app(lines: &[&str]) -> Option<String> {
        let headers = headers(lines);
        let line = Cookies::of(&headers, false).for_app(&headers)?;
        Some(String::from_utf8(line.to_vec()).unwrap())
    }

    #[test]
    fn a_cookie_that_another_host_name_can_have_set_is_not_believed_over_tls() {
        let plain = "a=b; __vitrine_release=v1";
        let prefixed = "__Host-__vitrine_release=v2;c=d";
        assert_eq!(pin(&[plain], false).as_deref(), Some("v1"));
        assert_eq!(pin(&[plain], true), None);
        assert_eq!(pin(&[plain, prefixed], true).as_deref(), Some("v2"));
        assert_eq!(pin(&[plain, prefixed], false).as_deref(), Some("v1"));
        for other in ["", "__vitrine_release", "__vitrine_released=v1", "x__vitrine_release=v1"] {
            assert_eq!(pin(&[other], false), None, "{other}");
        }
    }

    #[test]
    fn of_two_values_neither_is_believed() {
        assert_eq!(pin(&["__vitrine_release=v1; __vitrine_release=v2"], false), None);
        assert_eq!(pin(&["__vitrine_release=v1", "a=b;__vitrine_release=v2"], false), None);
        assert_eq!(pin(&["__vitrine_release=v1; __vitrine_release=v2;__vitrine_release=v1"], false), None);
        assert_eq!(pin(&["__vitrine_release=v1; __vitrine_release=v1"], false).as_deref(), Some("v1"));
    }

    #[test]
    fn each_is_found_wherever_it_stands() {
        let headers = headers(&["x=y;  __vitrine_pass= p q \t", " __vitrine_id=7 ;; __vitrine_release=v1"]);
        let cookies = Cookies::of(&headers, false);
        let found = [PIN, VISITOR, PASS].map(|cookie| cookies.get(cookie, &headers));
        assert_eq!(found, [Some("v1"), Some("7"), Some(" p q")]);
        assert_eq!(cookies.lines(), 2);
    }

    #[test]
    fn an_app_gets_one_line_without_the_hosts_own() {
        assert_eq!(for_app(&[]), None);
        assert_eq!(for_app(&[" ; ;"]), None);
        assert_eq!(for_app(&["__Host-__vitrine_id=7; __vitrine_release=v1"]), None);
        assert_eq!(for_app(&["a=1; b=2"]).as_deref(), Some("a=1; b=2"));
        assert_eq!(for_app(&["a=1", "b=2;c"]).as_deref(), Some("a=1; b=2; c"));
        assert_eq!(for_app(&["a=1; __Host-__vitrine_pass=x;b=2"]).as_deref(), Some("a=1; b=2"));
    }
}

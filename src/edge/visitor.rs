//! A visitor of an app whose users are split between two releases: a random number, kept in a cookie.

use super::cookies::Cookies;
use super::own_cookie::VISITOR;
use super::shared_caches::keep_private;
use http::header::{HeaderMap, SET_COOKIE};
use vitrine_proxy::route::split::VisitorId;

/// How long a browser keeps it, in seconds: longer than any split.
const KEPT_S: u32 = 365 * 24 * 3600;

/// A visitor. One without a cookie gets a number before the first decision, and the cookie with the first answer: the
/// decision stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Visitor {
    /// Their number.
    pub id: VisitorId,
    /// Whether they came with it.
    pub known: bool,
}

impl Visitor {
    /// From a request's headers; `fresh` is the number of a visitor without one.
    #[must_use]
    pub(crate) fn of(headers: &HeaderMap, cookies: &Cookies, fresh: impl FnOnce() -> u128) -> Self {
        match cookies.get(VISITOR, headers).and_then(VisitorId::parse) {
            Some(id) => Self { id, known: true },
            None => Self { id: VisitorId(fresh()), known: false },
        }
    }

    /// Marks an answer that depends on this visitor's bucket: no shared cache may give it to another one. A new visitor
    /// gets a number.
    pub(crate) fn mark(self, headers: &mut HeaderMap, https: bool) {
        keep_private(headers);
        if !self.known {
            headers.append(SET_COOKIE, VISITOR.set(&self.id.to_string(), https, Some(KEPT_S)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::CACHE_CONTROL;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_visitor_keeps_the_number_that_they_come_with() {
        let id = "0123456789abcdef0123456789abcdef";
        let line = format!("a=b; __vitrine_id={id};c=d");
        let of = |headers: &HeaderMap| Visitor::of(headers, &Cookies::of(headers, false), || 7);
        let visitor = of(&headers(&[("cookie", "x=y"), ("cookie", &line)]));
        assert_eq!((visitor.id.to_string().as_str(), visitor.known), (id, true));
        for line in ["", "__vitrine_id=", "__vitrine_id=7", "__vitrine_idx=0123456789abcdef0123456789abcdef"]
        {
            let visitor = of(&headers(&[("cookie", line)]));
            assert_eq!(visitor, Visitor { id: VisitorId(7), known: false }, "{line}");
        }
    }

    #[test]
    fn an_answer_that_depends_on_a_bucket_is_no_shared_caches() {
        let mut headers =
            headers(&[("cache-control", "public, max-age=60"), ("cdn-cache-control", "max-age=60")]);
        Visitor { id: VisitorId(7), known: true }.mark(&mut headers, false);
        assert_eq!(headers[CACHE_CONTROL], "private, max-age=60");
        assert_eq!(headers.len(), 1);
    }

    #[test]
    fn who_is_new_is_told_their_number() {
        let cookie = |https| {
            let mut headers = HeaderMap::new();
            Visitor { id: VisitorId(7), known: false }.mark(&mut headers, https);
            headers[SET_COOKIE].to_str().unwrap().to_owned()
        };
        let plain =
            "__vitrine_id=00000000000000000000000000000007; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax";
        assert_eq!(cookie(false), plain);
        assert_eq!(cookie(true), format!("__Host-{plain}; Secure"));
    }
}

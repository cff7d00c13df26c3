//! A visitor of an app whose users are split between two releases: a random number, kept in a cookie.

use super::cookies::Cookies;
use super::own_cookie::VISITOR;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, EXPIRES, HeaderMap, HeaderName, SET_COOKIE};
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

/// Whether a header speaks to shared caches alone. They go by it whatever `cache-control` says, `no-store` too.
#[must_use]
pub(crate) fn is_for_shared_caches(name: &HeaderName) -> bool {
    let name = name.as_str();
    // Each vendor may put its own name in front: `cloudflare-cdn-cache-control`.
    name.ends_with("cdn-cache-control") || name == "surrogate-control" || name == "x-accel-expires"
}

/// `private` instead of whatever lets a shared cache store an answer. An answer that says nothing might be stored too.
pub(super) fn keep_private(headers: &mut HeaderMap) {
    let shared: Vec<_> = headers.keys().filter(|name| is_for_shared_caches(name)).cloned().collect();
    for name in shared {
        headers.remove(name);
    }
    let mut kept = Vec::new();
    for line in headers.get_all(CACHE_CONTROL) {
        let Ok(line) = line.to_str() else { continue };
        for directive in line.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
            let name = directive.split('=').next().unwrap_or_default().trim_end().to_ascii_lowercase();
            if name == "no-store" {
                return;
            }
            let shared = ["public", "private", "s-maxage", "proxy-revalidate"].contains(&name.as_str());
            if !shared {
                kept.push(directive.to_owned());
            }
        }
    }
    kept.insert(0, "private".into());
    let control = HeaderValue::try_from(kept.join(", ")).unwrap_or(HeaderValue::from_static("private"));
    headers.insert(CACHE_CONTROL, control);
    // An old cache that knows `expires` only.
    headers.remove(EXPIRES);
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let marked = |control: &[&str]| {
            let lines: Vec<_> = control.iter().map(|value| ("cache-control", *value)).collect();
            let mut headers = headers(&lines);
            headers.insert(EXPIRES, HeaderValue::from_static("Fri, 20 Nov 2026 23:36:12 GMT"));
            Visitor { id: VisitorId(7), known: true }.mark(&mut headers, false);
            assert!(!headers.contains_key(SET_COOKIE));
            let all: Vec<_> = headers.get_all(CACHE_CONTROL).iter().map(|v| v.to_str().unwrap()).collect();
            all.join(" | ")
        };
        assert_eq!(marked(&[]), "private");
        assert_eq!(marked(&["public, max-age=60"]), "private, max-age=60");
        assert_eq!(
            marked(&["S-MaxAge=60", "max-age=5 , must-revalidate"]),
            "private, max-age=5, must-revalidate"
        );
        assert_eq!(marked(&["private=\"set-cookie\", max-age=1"]), "private, max-age=1");
        assert_eq!(marked(&["public", "no-store"]), "public | no-store");
    }

    #[test]
    fn what_speaks_to_shared_caches_alone_goes_whatever_the_rest_says() {
        for control in ["public, max-age=60", "private", "no-store"] {
            let mut headers = headers(&[
                ("cdn-cache-control", "max-age=60"),
                ("cloudflare-cdn-cache-control", "max-age=60"),
                ("vercel-cdn-cache-control", "max-age=60"),
                ("vercel-cdn-cache-control", "stale-while-revalidate=60"),
                ("surrogate-control", "max-age=60"),
                ("x-accel-expires", "60"),
                ("cache-control", control),
                ("cdn-loop", "stays"),
            ]);
            Visitor { id: VisitorId(7), known: false }.mark(&mut headers, false);
            let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
            names.sort_unstable();
            assert_eq!(names, ["cache-control", "cdn-loop", "set-cookie"], "{control}");
        }
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

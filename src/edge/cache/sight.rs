//! What the render of a page that many get may see of the one request that it is made for. Pure.
//!
//! A narrowed render sees nothing by which two requests differ, unless its page is kept apart by it: [`Sight::told_apart_by`] is a part of
//! the page's key, and all else in [`Sight::hides`] is taken out of the request. So a header either reaches the app and is in the key, or does
//! neither, and none can poison the page.

use http::HeaderName;
use http::header::{AUTHORIZATION, COOKIE};
use std::sync::Arc;
use vitrine_bundle::CacheWish;
use vitrine_wire::Headers;

/// Headers that differ between requests for one page. Those that begin with `sec-` and `if-` are among them.
const PASSING: [&str; 17] = [
    "accept-encoding",
    "cache-control",
    "cf-connecting-ip",
    "dnt",
    "from",
    "pragma",
    "priority",
    "range",
    "referer",
    "traceparent",
    "tracestate",
    "true-client-ip",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-request-id",
];
/// Headers that say the same as the URL, which is in every key.
const OF_THE_URL: [&str; 3] = ["host", "x-forwarded-host", "x-forwarded-proto"];

/// The first line of what tells narrowed renders apart.
pub(crate) const NARROWED: &[u8] = b"narrowed\n";

/// What a render sees.
#[derive(Debug, Clone)]
pub(crate) enum Sight {
    /// The request as it came.
    Full,
    /// What its page is kept apart by, and these headers, by which the page says that it varies.
    Narrowed(Arc<[HeaderName]>),
}

impl Sight {
    /// Takes out of a request that a worker gets what the render may not see.
    pub(crate) fn apply(&self, wish: &CacheWish, headers: &mut Headers) {
        let Self::Narrowed(vary) = self else { return };
        headers.retain_mut(|(name, value)| {
            if name == COOKIE.as_str() {
                let kept = keyed_cookies(wish, value);
                *value = kept.clone().into();
                return !kept.is_empty();
            }
            !hides(vary, name)
        });
    }

    /// What tells the pages of this URL apart. `visible` are the headers that the app would see, without cookies.
    pub(crate) fn told_apart_by<'a>(
        &self,
        wish: &CacheWish,
        visible: impl Iterator<Item = (HeaderName, &'a [u8])>,
        cookies: &[u8],
    ) -> Vec<u8> {
        let Self::Narrowed(vary) = self else { return Vec::new() };
        let is_in = |name: &str| !hides(vary, name) && !OF_THE_URL.contains(&name) && name != COOKIE.as_str();
        let mut lines: Vec<(HeaderName, &[u8])> = visible.filter(|(name, _)| is_in(name.as_str())).collect();
        // Values of one name stay in their order.
        lines.sort_by(|(one, _), (two, _)| one.as_str().cmp(two.as_str()));
        // A narrowed render that is told apart by nothing is no full one, which is for all who are alike in what it read.
        let mut text = NARROWED.to_vec();
        for (name, value) in lines {
            text.extend_from_slice(name.as_str().as_bytes());
            text.push(b':');
            text.extend_from_slice(value);
            text.push(b'\n');
        }
        text.extend_from_slice(&keyed_cookies(wish, cookies));
        text
    }
}

/// Whether a narrowed render does not see a header.
fn hides(vary: &[HeaderName], name: &str) -> bool {
    let passing = PASSING.contains(&name) || name.starts_with("sec-") || name.starts_with("if-");
    name == AUTHORIZATION.as_str() || (passing && !vary.iter().any(|vary| vary == name))
}

/// The cookies of a line that pages are kept apart by, by name, so that their order makes no difference.
fn keyed_cookies(wish: &CacheWish, line: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> =
        cookies(line).filter(|(name, _)| is_keyed(wish, name)).map(|(_, whole)| whole).collect();
    kept.sort_unstable();
    kept.join(&b"; "[..])
}

/// Whether all cookies of a line are ones that pages are kept apart by.
pub(crate) fn has_keyed_cookies_alone(wish: &CacheWish, line: &[u8]) -> bool {
    cookies(line).all(|(name, _)| is_keyed(wish, name))
}

fn is_keyed(wish: &CacheWish, name: &[u8]) -> bool {
    wish.keyed_cookies.iter().any(|keyed| keyed.as_bytes() == name)
}

/// Name and whole text of each cookie of a line.
pub(crate) fn cookies(line: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let cookies =
        line.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).filter(|cookie| !cookie.is_empty());
    cookies.map(|cookie| {
        (cookie.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii_end(), cookie)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn wish() -> CacheWish {
        CacheWish { keyed_cookies: vec!["theme".into()], ..CacheWish::default() }
    }

    fn narrowed(vary: &[&'static str]) -> Sight {
        Sight::Narrowed(vary.iter().map(|name| HeaderName::from_static(name)).collect())
    }

    const GIVEN: [(&str, &str); 7] = [
        ("accept", "text/html"),
        ("user-agent", "Firefox"),
        ("sec-fetch-mode", "navigate"),
        ("x-forwarded-for", "1.1.1.1"),
        ("rsc", "1"),
        ("authorization", "Bearer x"),
        ("host", "shop.localhost"),
    ];

    fn seen(sight: &Sight, cookie: &str) -> Vec<String> {
        let given = GIVEN.into_iter().chain([("cookie", cookie)]);
        let mut headers: Headers =
            given.map(|(name, value)| (name.to_owned(), Bytes::copy_from_slice(value.as_bytes()))).collect();
        sight.apply(&wish(), &mut headers);
        headers.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value))).collect()
    }

    fn key(sight: &Sight, cookie: &str) -> String {
        let names = GIVEN.map(|(name, value)| (HeaderName::from_static(name), value.as_bytes()));
        let visible = names.iter().map(|(name, value)| (name.clone(), *value));
        String::from_utf8(sight.told_apart_by(&wish(), visible, cookie.as_bytes())).unwrap()
    }

    #[test]
    fn a_narrowed_render_sees_what_is_in_its_key_and_nothing_else() {
        let sight = narrowed(&[]);
        let (sees, key) = (seen(&sight, "session=a; theme=dark"), key(&sight, "session=a; theme=dark"));
        assert_eq!(sees, ["accept: text/html", "rsc: 1", "host: shop.localhost", "cookie: theme=dark"]);
        assert_eq!(key, "narrowed\naccept:text/html\nrsc:1\ntheme=dark");
        assert_eq!(seen(&sight, "session=a").len(), 3);
    }

    #[test]
    fn a_page_sees_what_it_says_that_it_varies_by_but_never_a_credential() {
        let sight = narrowed(&["user-agent", "authorization"]);
        assert!(seen(&sight, "").contains(&"user-agent: Firefox".to_owned()));
        assert_eq!(key(&sight, ""), "narrowed\naccept:text/html\nrsc:1\nuser-agent:Firefox\n");
    }

    #[test]
    fn a_full_render_sees_everything_and_its_key_has_nothing_of_it() {
        assert_eq!(seen(&Sight::Full, "a=b").len(), GIVEN.len() + 1);
        assert_eq!(key(&Sight::Full, "a=b"), "");
    }

    #[test]
    fn who_has_other_cookies_is_somebody() {
        let nobody = |cookies: &str| has_keyed_cookies_alone(&wish(), cookies.as_bytes());
        assert!(nobody("") && nobody("theme=a; theme=b;"));
        assert!(!nobody("theme=a; x") && !nobody("themes=a") && !nobody("Theme=a"));
    }
}

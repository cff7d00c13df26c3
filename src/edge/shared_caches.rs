//! What answers say to shared caches: CDNs, and proxies that keep what they pass on. Pure.

use http::HeaderValue;
use http::header::{CACHE_CONTROL, EXPIRES, HeaderMap, HeaderName, LAST_MODIFIED};

/// Speaks to this host alone.
pub(crate) const TO_THIS_HOST: HeaderName = HeaderName::from_static("vitrine-cdn-cache-control");

/// Who may keep an answer, as its app says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Nobody but the browser, if at all.
    Private,
    /// Caches that find out by themselves how long.
    Perhaps,
    /// Shared caches, for a time.
    Shared,
}

impl Kept {
    /// From an answer's headers. An answer without a time is for no shared cache, whatever else it says.
    #[must_use]
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut targeted = headers.keys().filter(|name| is_for_shared_caches(name) && **name != TO_THIS_HOST);
        if targeted.any(|name| Directives::of(headers, name).let_a_cdn_keep_it()) {
            return Self::Shared;
        }
        let control = Directives::of(headers, &CACHE_CONTROL);
        if control.say("no-store") || control.say("private") {
            return Self::Private;
        }
        let of_browsers = || control.seconds("max-age").filter(|_| control.say("public"));
        let fresh = control.seconds("s-maxage").or_else(of_browsers).is_some_and(|seconds| seconds > 0);
        let dated = headers.contains_key(EXPIRES) || headers.contains_key(LAST_MODIFIED);
        match fresh && !control.say("no-cache") {
            true => Self::Shared,
            false if dated || !control.0.is_empty() => Self::Perhaps,
            false => Self::Private,
        }
    }
}

/// Whether nobody may keep an answer.
#[must_use]
pub(crate) fn forbids_storing(headers: &HeaderMap) -> bool {
    Directives::of(headers, &CACHE_CONTROL).say("no-store")
}

/// Whether nobody on the way may change how an answer is coded.
#[must_use]
pub(crate) fn forbids_transforms(headers: &HeaderMap) -> bool {
    Directives::of(headers, &CACHE_CONTROL).say("no-transform")
}

/// Whether a header speaks to shared caches alone. They go by it whatever `cache-control` says, `no-store` too.
#[must_use]
fn is_for_shared_caches(name: &HeaderName) -> bool {
    let name = name.as_str();
    // Each vendor may put its own name in front: `cloudflare-cdn-cache-control`.
    name.ends_with("cdn-cache-control") || name == "surrogate-control" || name == "x-accel-expires"
}

/// `private` instead of whatever lets a shared cache store an answer. An answer that says nothing might be stored too.
pub(crate) fn keep_private(headers: &mut HeaderMap) {
    let shared: Vec<_> = headers.keys().filter(|name| is_for_shared_caches(name)).cloned().collect();
    for name in shared {
        headers.remove(name);
    }
    let control = Directives::of(headers, &CACHE_CONTROL);
    if control.say("no-store") {
        return;
    }
    let is_shared = |name: &str| ["public", "private", "s-maxage", "proxy-revalidate"].contains(&name);
    let others = control.0.iter().filter(|directive| !is_shared(&directive.name));
    let kept: Vec<&str> = std::iter::once("private").chain(others.map(|directive| directive.text)).collect();
    let control = HeaderValue::try_from(kept.join(", ")).unwrap_or(HeaderValue::from_static("private"));
    headers.insert(CACHE_CONTROL, control);
    // An old cache that knows `expires` only.
    headers.remove(EXPIRES);
}

/// The directives of a field, in their order.
#[derive(Debug)]
struct Directives<'a>(Vec<Directive<'a>>);

#[derive(Debug)]
struct Directive<'a> {
    /// As it stands there.
    text: &'a str,
    /// In lower case.
    name: String,
    /// Without quotes.
    value: &'a str,
}

impl<'a> Directives<'a> {
    /// Those of all lines; of a line that is no text there are none.
    fn of(headers: &'a HeaderMap, name: &HeaderName) -> Self {
        let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
        let texts = lines.flat_map(|line| {
            let mut quoted = false;
            line.split(move |character| {
                quoted ^= character == '"';
                character == ',' && !quoted
            })
        });
        let texts = texts.map(str::trim).filter(|text| !text.is_empty());
        Self(texts.map(Directive::of).collect())
    }

    fn say(&self, name: &str) -> bool {
        self.0.iter().any(|directive| directive.name == name)
    }

    /// The shortest time that is said; one that can't be read is none at all.
    fn seconds(&self, name: &str) -> Option<u64> {
        let said = self.0.iter().filter(|directive| directive.name == name);
        said.map(|directive| directive.value.parse().unwrap_or(0)).min()
    }

    /// Whether a field for CDNs alone lets them keep the answer.
    fn let_a_cdn_keep_it(&self) -> bool {
        let seconds = self.seconds("s-maxage").or_else(|| self.seconds("max-age"));
        !["no-store", "no-cache", "private"].iter().any(|name| self.say(name)) && seconds != Some(0)
    }
}

impl<'a> Directive<'a> {
    fn of(text: &'a str) -> Self {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        Self { text, name: name.trim_end().to_ascii_lowercase(), value: value.trim().trim_matches('"') }
    }
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
    fn shared_caches_keep_what_has_a_time_for_them() {
        let kept = |control: &str| Kept::of(&headers(&[("cache-control", control)]));
        for shared in [
            "public, max-age=60",
            "s-maxage=60",
            "Public , MAX-AGE=\"60\"",
            "max-age=0, s-maxage=1",
            "public, max-age=1, stale-while-revalidate=60",
            "public, x=\"private, no-store\", max-age=60",
        ] {
            assert_eq!(kept(shared), Kept::Shared, "{shared}");
        }
        for perhaps in [
            "public",
            "max-age=60",
            "public, max-age=0",
            "public, max-age=60, s-maxage=0",
            "public, max-age=60, max-age=0",
            "public, max-age=soon",
            "public, no-cache, max-age=60",
            "s-maxage=-1",
            "x-public, max-age=60",
            "public-ish, max-age=60",
            "no-cache",
        ] {
            assert_eq!(kept(perhaps), Kept::Perhaps, "{perhaps}");
        }
        for private in [
            "private, max-age=60",
            "No-Store",
            "public, max-age=60, private=\"set-cookie, x\"",
            "s-maxage=60, private",
        ] {
            assert_eq!(kept(private), Kept::Private, "{private}");
        }
        assert_eq!(Kept::of(&HeaderMap::new()), Kept::Private);
        assert_eq!(Kept::of(&headers(&[("last-modified", "Fri, 20 Nov 2026 23:36:12 GMT")])), Kept::Perhaps);
        let lines = [("cache-control", "public"), ("cache-control", "max-age=60")];
        assert_eq!(Kept::of(&headers(&lines)), Kept::Shared, "lines are one list");
    }

    #[test]
    fn a_field_for_cdns_alone_counts_for_them() {
        let kept = |name: &'static str, value: &str| {
            Kept::of(&headers(&[("cache-control", "private, no-cache"), (name, value)]))
        };
        for (name, value) in [
            ("cdn-cache-control", "max-age=60"),
            ("netlify-cdn-cache-control", "public, durable, s-maxage=60"),
            ("surrogate-control", "max-age=60, content=\"ESI/1.0\""),
        ] {
            assert_eq!(kept(name, value), Kept::Shared, "{name}: {value}");
        }
        for value in ["no-store", "private, max-age=60", "max-age=0", "no-cache, max-age=60", "s-maxage=0"] {
            assert_eq!(kept("cdn-cache-control", value), Kept::Private, "{value}");
        }
        assert_eq!(kept("vitrine-cdn-cache-control", "max-age=60"), Kept::Private, "no CDN gets to see it");
    }

    #[test]
    fn nothing_is_left_that_lets_a_shared_cache_store_it() {
        let made = |control: &[&str]| {
            let lines: Vec<_> = control.iter().map(|value| ("cache-control", *value)).collect();
            let mut headers = headers(&lines);
            headers.insert(EXPIRES, HeaderValue::from_static("Fri, 20 Nov 2026 23:36:12 GMT"));
            keep_private(&mut headers);
            let all: Vec<_> = headers.get_all(CACHE_CONTROL).iter().map(|v| v.to_str().unwrap()).collect();
            all.join(" | ")
        };
        assert_eq!(made(&[]), "private");
        assert_eq!(made(&["public, max-age=60"]), "private, max-age=60");
        assert_eq!(
            made(&["S-MaxAge=60", "max-age=5 , must-revalidate"]),
            "private, max-age=5, must-revalidate"
        );
        assert_eq!(made(&["private=\"set-cookie, x\", max-age=1"]), "private, max-age=1");
        assert_eq!(made(&["public", "no-store"]), "public | no-store");
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
            keep_private(&mut headers);
            let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
            names.sort_unstable();
            assert_eq!(names, ["cache-control", "cdn-loop"], "{control}");
        }
    }
}

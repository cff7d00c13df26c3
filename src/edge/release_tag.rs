//! Ties the validators of pages to the release that made them.
//!
//! A page names files of its own release, so whoever has the page of one release must not be told that it is the page of another one, even
//! where the app gives both the same `etag`. This holds for browsers and for caches in front, which send no cookie: the release is a part of
//! the tag itself. Only the app's own part of it reaches the app.

use super::app_head::is_html;
use super::conditional::{is_same, tags};
use bytes::Bytes;
use http::header::{ETAG, HeaderMap, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderName, HeaderValue, StatusCode};
use std::time::UNIX_EPOCH;
use vitrine_core::id::Digest;

/// Stands before the release in a tag.
const MARK: &[u8] = b";vitrine=";
/// Digits of the release.
const DIGITS: usize = 8;
/// Conditions that [`ReleaseTag::conditions`] gives to an app.
pub(crate) const CONDITIONS: [HeaderName; 3] = [IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH];

/// What stands for a release in the tags of its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReleaseTag(u32);

impl ReleaseTag {
    /// Of a bundle: releases with the same files have the same pages. The first digits of its digest may be the version's name, and that is
    /// the operator's to tell.
    #[must_use]
    pub(crate) const fn of(bundle: Digest) -> Self {
        let [.., a, b, c, d] = bundle.0;
        Self(u32::from_be_bytes([a, b, c, d]))
    }

    /// Makes the release a part of a page's tag. A page that has only a date gets a tag.
    pub(crate) fn put_on(self, asked: &HeaderMap, status: StatusCode, headers: &mut HeaderMap) {
        let is_page =
            is_html(headers) || (status == StatusCode::NOT_MODIFIED && self.is_asked_for(asked, headers));
        let tag = is_page.then(|| self.tag(headers)).flatten();
        if let Some(tag) = tag.and_then(|tag| HeaderValue::try_from(tag).ok()) {
            headers.insert(ETAG, tag);
        }
    }

    fn tag(self, headers: &HeaderMap) -> Option<Vec<u8>> {
        if let Some(tag) = headers.get(ETAG) {
            return Some(self.added_to(tag.as_bytes()));
        }
        let date = httpdate::parse_http_date(headers.get(LAST_MODIFIED)?.to_str().ok()?).ok()?;
        let seconds = date.duration_since(UNIX_EPOCH).ok()?.as_secs();
        Some(self.added_to(format!("W/\"{seconds}\"").as_bytes()))
    }

    /// Whether an answer that does not say what it is of, is of a page: its client asked by that page's tag.
    fn is_asked_for(self, asked: &HeaderMap, headers: &HeaderMap) -> bool {
        let own = headers.get(ETAG).map(|tag| self.added_to(tag.as_bytes()));
        own.is_some_and(|own| tags(asked, &IF_NONE_MATCH).any(|tag| is_same(tag, &own)))
    }

    fn added_to(self, tag: &[u8]) -> Vec<u8> {
        let (open, end) = opened(tag);
        [open, MARK, format!("{:0DIGITS$x}", self.0).as_bytes(), end].concat()
    }

    /// The conditions of a request as its app is to see them: tags of this release's pages as the app gave them, and nothing of what another
    /// release made. A date does not say whose page a client has, so it counts beside a tag that does.
    pub(crate) fn conditions(self, asked: &HeaderMap, of_page: bool) -> Vec<(HeaderName, Bytes)> {
        let (mut seen, mut own, mut foreign) = (Vec::new(), false, false);
        if asked.contains_key(IF_NONE_MATCH) {
            let mut kept = Vec::new();
            for tag in tags(asked, &IF_NONE_MATCH) {
                match parted(tag) {
                    Some((_, release)) if release != self => foreign = true,
                    Some((of_app, _)) => {
                        own = true;
                        kept.push(of_app);
                    }
                    None => kept.push(tag.to_vec()),
                }
            }
            if !kept.is_empty() {
                seen.push((IF_NONE_MATCH, kept.join(&b", "[..]).into()));
            }
        }
        if let Some(date) = asked.get(IF_MODIFIED_SINCE).filter(|_| own || !(of_page || foreign)) {
            seen.push((IF_MODIFIED_SINCE, Bytes::copy_from_slice(date.as_bytes())));
        }
        // A change is asked for: that depends on what the app keeps, and not on the page that showed it.
        if asked.contains_key(IF_MATCH) {
            let of_app =
                tags(asked, &IF_MATCH).map(|tag| parted(tag).map_or_else(|| tag.to_vec(), |(tag, _)| tag));
            seen.push((IF_MATCH, of_app.collect::<Vec<_>>().join(&b", "[..]).into()));
        }
        seen
    }
}

/// A tag up to its last quote, and that.
fn opened(tag: &[u8]) -> (&[u8], &[u8]) {
    tag.split_at(tag.len() - usize::from(tag.ends_with(b"\"")))
}

/// The app's own part of a tag, and the release in it.
fn parted(tag: &[u8]) -> Option<(Vec<u8>, ReleaseTag)> {
    let (open, end) = opened(tag);
    let (of_app, release) = open.split_at_checked(open.len().checked_sub(MARK.len() + DIGITS)?)?;
    let release = std::str::from_utf8(release.strip_prefix(MARK)?).ok()?;
    Some(([of_app, end].concat(), ReleaseTag(u32::from_str_radix(release, 16).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: ReleaseTag = ReleaseTag(0xab);
    const DATE: &str = "Mon, 02 Nov 2026 08:00:00 GMT";

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn pages_name_their_release_in_their_tag_and_nothing_else_does() {
        const HTML: &str = "text/html; charset=utf-8";
        let tag = |status: StatusCode, given: &[(HeaderName, &str)], asked: &[(HeaderName, &str)]| {
            let mut given = headers(given);
            OURS.put_on(&headers(asked), status, &mut given);
            given.get(ETAG).map(|tag| tag.to_str().unwrap().to_owned())
        };
        let media = |media: &'static str| (http::header::CONTENT_TYPE, media);
        let of = |given: &[(HeaderName, &str)]| tag(StatusCode::OK, given, &[]);
        for (given, said) in [
            ("\"a\"", "\"a;vitrine=000000ab\""),
            ("W/\"a\"", "W/\"a;vitrine=000000ab\""),
            ("a", "a;vitrine=000000ab"),
            ("\"\"", "\";vitrine=000000ab\""),
        ] {
            assert_eq!(of(&[media(HTML), (ETAG, given)]).unwrap(), said);
            let (of_app, release) = parted(said.as_bytes()).unwrap();
            assert_eq!((of_app.as_slice(), release), (given.as_bytes(), OURS));
        }
        assert_eq!(of(&[media(HTML), (LAST_MODIFIED, DATE)]).unwrap(), "W/\"1793606400;vitrine=000000ab\"");
        assert_eq!(of(&[media(HTML)]), None);
        assert_eq!(of(&[media("text/css"), (ETAG, "\"a\"")]).unwrap(), "\"a\"");
        // What the app has compared by itself does not say that it is a page.
        let known =
            |asked| tag(StatusCode::NOT_MODIFIED, &[(ETAG, "\"a\"")], &[(IF_NONE_MATCH, asked)]).unwrap();
        assert_eq!(known("W/\"a;vitrine=000000ab\""), "\"a;vitrine=000000ab\"");
        assert_eq!(known("\"a\""), "\"a\"");
    }

    #[test]
    fn an_app_sees_its_own_tags_and_none_of_another_release() {
        let seen = |asked: &[(HeaderName, &str)], of_page: bool| {
            let seen = OURS.conditions(&headers(asked), of_page);
            let shown =
                |(name, value): &(HeaderName, Bytes)| format!("{name}: {}", String::from_utf8_lossy(value));
            seen.iter().map(shown).collect::<Vec<_>>()
        };
        let (ours, theirs) = ("W/\"a;vitrine=000000ab\"", "\"a;vitrine=000000cd\"");
        let date = (IF_MODIFIED_SINCE, DATE);
        let dated = format!("if-modified-since: {DATE}");
        assert_eq!(seen(&[(IF_NONE_MATCH, ours)], true), ["if-none-match: W/\"a\""]);
        assert_eq!(seen(&[(IF_NONE_MATCH, ours), date.clone()], true), ["if-none-match: W/\"a\"", &dated]);
        assert!(seen(&[(IF_NONE_MATCH, theirs), date.clone()], false).is_empty());
        let several = format!("{theirs}, \"x,y\", {ours}");
        assert_eq!(seen(&[(IF_NONE_MATCH, &several)], true), ["if-none-match: \"x,y\", W/\"a\""]);
        // Without a tag, a date may be of any release's page.
        assert!(seen(std::slice::from_ref(&date), true).is_empty());
        assert_eq!(seen(&[date], false), [dated]);
        assert_eq!(seen(&[(IF_NONE_MATCH, "*")], true), ["if-none-match: *"]);
        assert_eq!(seen(&[(IF_MATCH, theirs)], false), ["if-match: \"a\""]);
        for other in ["\"a;vitrine=xyz\"", "\"vitrine\"", ";vitrine=", ""] {
            assert_eq!(parted(other.as_bytes()), None, "{other}");
        }
    }
}

//! Whether a client has an app's answer already: RFC 9110, 13.1.2 and 13.1.3, by the validators that the app gave. Pure.

use super::app_head::is_html;
use super::shared_caches::forbids_storing;
use http::header::{ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderName, Method, StatusCode};
use vitrine_core::id::Digest;

/// Whether a request is answered with 304 in place of this answer.
pub(crate) fn is_not_modified(
    method: &Method,
    asked: &HeaderMap,
    status: StatusCode,
    answer: &HeaderMap,
) -> bool {
    if status != StatusCode::OK || !(method == Method::GET || method == Method::HEAD) {
        return false;
    }
    if asked.contains_key(IF_NONE_MATCH) {
        let Some(own) = answer.get(ETAG) else { return false };
        return tags(asked, &IF_NONE_MATCH).any(|tag| tag == b"*" || is_same(tag, own.as_bytes()));
    }
    // A date does not tell the pages of two releases apart, as their tags do.
    if is_html(answer) {
        return false;
    }
    let date = |value: &HeaderValue| httpdate::parse_http_date(value.to_str().ok()?).ok();
    let seen = asked.get(IF_MODIFIED_SINCE).and_then(date);
    let changed = answer.get(LAST_MODIFIED).and_then(date);
    // What is put back to an earlier state, by a rollback for instance, has an earlier date.
    seen.zip(changed).is_some_and(|(seen, changed)| changed == seen)
}

/// Gives a whole answer without a validator one of its content. What nobody may store needs none.
pub(crate) fn tag_by_content(method: &Method, status: StatusCode, headers: &mut HeaderMap, data: &[u8]) {
    let has_one = headers.contains_key(ETAG) || headers.contains_key(LAST_MODIFIED);
    if method == Method::GET && status == StatusCode::OK && !has_one && !forbids_storing(headers) {
        let tag = format!("\"{}\"", Digest::of(data).short());
        headers.insert(ETAG, HeaderValue::try_from(tag).expect("a digest's text is ASCII"));
    }
}

/// The tags of a condition. There may be commas in them.
pub(crate) fn tags<'a>(headers: &'a HeaderMap, condition: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    headers.get_all(condition).iter().flat_map(|line| {
        let mut quoted = false;
        let tags = line.as_bytes().split(move |byte| {
            quoted ^= *byte == b'"';
            *byte == b',' && !quoted
        });
        tags.map(<[u8]>::trim_ascii)
    })
}

/// Compares two tags weakly: the mark of a weak one makes no difference.
pub(crate) fn is_same(one: &[u8], other: &[u8]) -> bool {
    fn opaque(tag: &[u8]) -> &[u8] {
        tag.strip_prefix(b"W/").unwrap_or(tag)
    }
    opaque(one) == opaque(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{CACHE_CONTROL, CONTENT_TYPE};

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn validators_of_the_app_decide() {
        const EARLY: &str = "Mon, 02 Nov 2026 08:00:00 GMT";
        const LATE: &str = "Mon, 02 Nov 2026 09:00:00 GMT";
        let answer = headers(&[(ETAG, "\"a\""), (LAST_MODIFIED, EARLY)]);
        let asked = |pairs: &[(HeaderName, &str)]| {
            is_not_modified(&Method::GET, &headers(pairs), StatusCode::OK, &answer)
        };
        for tags in ["\"a\"", "W/\"a\"", "\"x\", \"a\"", "*"] {
            assert!(asked(&[(IF_NONE_MATCH, tags)]), "{tags}");
        }
        assert!(!asked(&[(IF_NONE_MATCH, "\"b\"")]) && !asked(&[]));
        assert!(asked(&[(IF_MODIFIED_SINCE, EARLY)]));
        assert!(!asked(&[(IF_MODIFIED_SINCE, LATE)]), "it was put back to what it was before");
        assert!(!asked(&[(IF_MODIFIED_SINCE, "yesterday")]));
        // A tag that differs is known better than a date that does not.
        assert!(!asked(&[(IF_NONE_MATCH, "\"b\""), (IF_MODIFIED_SINCE, EARLY)]));
    }

    #[test]
    fn a_date_says_nothing_of_a_page() {
        const DATE: &str = "Mon, 02 Nov 2026 08:00:00 GMT";
        let asked = headers(&[(IF_MODIFIED_SINCE, DATE)]);
        let answered = |media: &str| {
            let answer = headers(&[(LAST_MODIFIED, DATE), (CONTENT_TYPE, media)]);
            is_not_modified(&Method::GET, &asked, StatusCode::OK, &answer)
        };
        assert!(answered("application/json") && !answered("text/html"));
    }

    #[test]
    fn tags_may_have_commas() {
        let asked = headers(&[(IF_NONE_MATCH, "\"a,b\" , W/\"c\"")]);
        assert_eq!(tags(&asked, &IF_NONE_MATCH).collect::<Vec<_>>(), [&b"\"a,b\""[..], b"W/\"c\""]);
    }

    #[test]
    fn what_has_a_validator_or_may_not_be_stored_gets_none() {
        let tagged = |method: Method, status: u16, given: &[(HeaderName, &str)]| {
            let mut given = headers(given);
            let before = given.clone();
            tag_by_content(&method, StatusCode::from_u16(status).unwrap(), &mut given, b"page");
            given != before
        };
        assert!(tagged(Method::GET, 200, &[(CACHE_CONTROL, "private, no-cache")]));
        assert!(!tagged(Method::POST, 200, &[]) && !tagged(Method::GET, 404, &[]));
        for given in
            [(ETAG, "\"a\""), (LAST_MODIFIED, "Mon, 02 Nov 2026 08:00:00 GMT"), (CACHE_CONTROL, "No-Store")]
        {
            assert!(!tagged(Method::GET, 200, std::slice::from_ref(&given)), "{given:?}");
        }
    }

    #[test]
    fn nothing_else_is_answered_so() {
        let answer = headers(&[(ETAG, "\"a\"")]);
        let asked = headers(&[(IF_NONE_MATCH, "\"a\"")]);
        let answered = |method: Method, status: u16, answer: &HeaderMap| {
            is_not_modified(&method, &asked, StatusCode::from_u16(status).unwrap(), answer)
        };
        assert!(answered(Method::HEAD, 200, &answer));
        assert!(!answered(Method::POST, 200, &answer) && !answered(Method::GET, 404, &answer));
        assert!(!answered(Method::GET, 200, &HeaderMap::new()), "the app gives no validator");
    }
}

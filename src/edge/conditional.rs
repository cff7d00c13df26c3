//! Whether a client has an app's answer already: RFC 9110, 13.1.2 and 13.1.3, by the validators that the app gave. Pure.

use super::static_files::tags;
use http::header::{ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{Method, StatusCode};

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
        let Some(own) = answer.get(ETAG).map(|tag| opaque(tag.as_bytes())) else { return false };
        return tags(asked, &IF_NONE_MATCH).any(|tag| tag == b"*" || opaque(tag) == own);
    }
    let date = |value: &HeaderValue| httpdate::parse_http_date(value.to_str().ok()?).ok();
    let seen = asked.get(IF_MODIFIED_SINCE).and_then(date);
    let changed = answer.get(LAST_MODIFIED).and_then(date);
    seen.zip(changed).is_some_and(|(seen, changed)| changed <= seen)
}

/// The tag without the mark of a weak one, which makes no difference here.
fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::HeaderName;

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
        assert!(asked(&[(IF_MODIFIED_SINCE, EARLY)]) && asked(&[(IF_MODIFIED_SINCE, LATE)]));
        assert!(!asked(&[(IF_MODIFIED_SINCE, "yesterday")]));
        // A tag that differs is known better than a date that does not.
        assert!(!asked(&[(IF_NONE_MATCH, "\"b\""), (IF_MODIFIED_SINCE, LATE)]));
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

//! Re-encodes the head of an app's answer. Headers that only the host, a proxy or another app may set are left out.

use super::request_info::X_REQUEST_ID;
use http::HeaderValue;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, SET_COOKIE};
use vitrine_bundle::{Bundle, HOST_ORDERS};
use vitrine_core::hop_by_hop::is_hop_by_hop;
use vitrine_wire::{Headers, ResponseHead};

/// The one of them that is about its own answer alone: whether it streams.
const BUFFERING: &str = "x-accel-buffering";
/// What an adapter says of a page that was made at build time: the rules of `_headers` hold for it as for any file. It is not passed on.
const FILE_MARK: &str = "x-vitrine-file";
/// What the names of the host's own cookies begin with, in lower case.
const OWN_COOKIES: [&[u8]; 3] = [b"__vitrine_", b"__host-__vitrine_", b"__secure-__vitrine_"];

/// Status of an answer; none when it is no final one (RFC 9110, 15: 200 to 599).
#[must_use]
pub(crate) fn status(head: &ResponseHead) -> Option<StatusCode> {
    StatusCode::from_u16(head.status).ok().filter(|status| (200..=599).contains(&status.as_u16()))
}

/// Whether an answer is a page.
#[must_use]
pub(crate) fn is_html(headers: &HeaderMap) -> bool {
    const HTML: &[u8] = b"text/html";
    let media = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    media.get(..HTML.len()).is_some_and(|start| start.eq_ignore_ascii_case(HTML))
}

/// How long an app says that its answer is, in bytes.
#[must_use]
pub(crate) fn declared_bytes(headers: &Headers) -> Option<u64> {
    let mut lengths = headers.iter().filter(|(name, _)| name == CONTENT_LENGTH.as_str());
    let (_, length) = lengths.next().filter(|(_, text)| text.iter().all(u8::is_ascii_digit))?;
    if lengths.next().is_some() { None } else { std::str::from_utf8(length).ok()?.parse().ok() }
}

/// The head as every client could get it: what the app may say, and the bundle's rules for files.
pub(crate) fn said(
    bundle: &Bundle,
    host: &str,
    path: &str,
    shared_domain: Option<&str>,
    given: Headers,
) -> HeaderMap {
    let is_file = !bundle.headers.is_empty() && given.iter().any(|(name, _)| name == FILE_MARK);
    let mut headers = re_encode(given, host, shared_domain);
    if is_file {
        bundle.headers.apply(host, path, &mut headers);
    }
    headers
}

/// Headers that go on to the client. What is no legal header is left out, not passed on. `host` is the name that was asked for,
/// `shared_domain` the one below which other apps have theirs.
#[must_use]
pub(crate) fn re_encode(headers: Headers, host: &str, shared_domain: Option<&str>) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(headers.len() + 8);
    for (name, value) in headers {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { continue };
        if !passes(name.as_str()) || (name == SET_COOKIE && !stays_here(&value, host, shared_domain)) {
            continue;
        }
        if let Ok(value) = HeaderValue::from_maybe_shared(value) {
            map.append(name, value);
        }
    }
    map
}

fn passes(name: &str) -> bool {
    let kept = is_hop_by_hop(name)
        || name == X_REQUEST_ID
        || HOST_ORDERS.iter().any(|order| name.starts_with(order));
    !kept || name == BUFFERING
}

/// Whether a cookie is none of the host's own, and comes back to no other app. Below a shared domain, `Domain=` may name the host
/// name that was asked for and nothing above it. An empty name is no name: browsers send `=__vitrine_id=7` as `__vitrine_id=7`.
fn stays_here(cookie: &[u8], host: &str, shared_domain: Option<&str>) -> bool {
    let mut parts = cookie.split(|byte| *byte == b';');
    let pair = parts.next().unwrap_or_default();
    let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'=';
    let name = &pair[pair.iter().position(|byte| !blank(byte)).unwrap_or(pair.len())..];
    let begins = |own: &[u8]| name.get(..own.len()).is_some_and(|start| start.eq_ignore_ascii_case(own));
    if OWN_COOKIES.iter().any(|own| begins(own)) {
        return false;
    }
    let Some(shared) = shared_domain else { return true };
    let is_shared = host == shared;
    if !is_shared && !host.strip_suffix(shared).is_some_and(|rest| rest.ends_with('.')) {
        return true;
    }
    let mut domains = parts.filter_map(|attribute| {
        let mut sides = attribute.splitn(2, |byte| *byte == b'=').map(<[u8]>::trim_ascii);
        sides.next().filter(|name| name.eq_ignore_ascii_case(b"domain"))?;
        sides.next().filter(|domain| !domain.is_empty())
    });
    domains.all(|domain| {
        let domain = domain.strip_prefix(b".").unwrap_or(domain);
        !is_shared && domain.eq_ignore_ascii_case(host.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn map(headers: &[(&str, &str)]) -> HeaderMap {
        let owned = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Bytes::copy_from_slice(value.as_bytes())));
        re_encode(owned.collect(), "shop.apps.test", Some("apps.test"))
    }

    #[test]
    fn a_workers_head_can_neither_frame_the_answer_nor_speak_for_the_host() {
        let headers = map(&[
            ("Content-Length", "5"),
            ("transfer-encoding", "chunked"),
            ("connection", "close"),
            ("X-Vitrine-Release", "evil@v1"),
            ("x-request-id", "forged"),
            ("bad name", "x"),
            ("split", "a\r\nset-cookie: b"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
            ("content-type", "text/html"),
        ]);
        let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-type", "set-cookie"]);
        let cookies: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1", "b=2"]);
    }

    #[test]
    fn no_order_to_a_proxy_passes() {
        for order in [
            "X-Accel-Redirect",
            "x-accel-expires",
            "x-accel-limit-rate",
            "X-SendFile",
            "x-sendfile2",
            "x-sendfile-temporary",
            "X-LIGHTTPD-send-file",
            "x-lighttpd-sendfile",
            "x-litespeed-location",
            "x-litespeed-purge",
            "x-reproxy-url",
            "x-envoy-immediate-health-check-fail",
        ] {
            assert!(map(&[(order, "/internal/x")]).is_empty(), "{order}");
        }
        for own in
            ["X-Accel-Buffering", "x-frame-options", "alt-svc", "service-worker-allowed", "server-timing"]
        {
            assert_eq!(map(&[(own, "no")]).len(), 1, "{own}");
        }
    }

    #[test]
    fn a_status_is_a_final_one() {
        let is = |status| super::status(&ResponseHead::new(status, Vec::new())).is_some();
        for final_one in [200, 204, 299, 304, 418, 599] {
            assert!(is(final_one), "{final_one}");
        }
        for other in [0, 99, 100, 101, 103, 199, 600, 700, 999, 1000, u16::MAX] {
            assert!(!is(other), "{other}");
        }
    }

    #[test]
    fn a_length_is_one_number() {
        let declared = |lengths: &[&'static str]| {
            let headers = lengths.iter().map(|text| ("content-length".to_owned(), Bytes::from(*text)));
            declared_bytes(&headers.collect())
        };
        assert_eq!((declared(&["5"]), declared(&["0"]), declared(&[])), (Some(5), Some(0), None));
        for wrong in [&["5", "5"][..], &["+5"], &["5, 5"], &[""], &["-1"], &["5x"], &["18446744073709551616"]]
        {
            assert_eq!(declared(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn no_cookie_has_a_name_of_the_hosts() {
        for own in [
            "__vitrine_release=v1",
            "__vitrine_id=7; Path=/",
            "__Vitrine_Release=v1",
            "__Host-__vitrine_release=v1; Secure; Path=/",
            "__host-__vitrine_id=7",
            "__Secure-__vitrine_id=7",
            "=__vitrine_release=v1",
            " =\t=__vitrine_release=v1",
            "__vitrine_release",
        ] {
            assert!(map(&[("set-cookie", own)]).is_empty(), "{own}");
        }
        for other in ["vitrine=1", "a=__vitrine_release=v1", "__Host-session=1; Secure; Path=/", "="] {
            assert_eq!(map(&[("set-cookie", other)]).len(), 1, "{other}");
        }
    }

    #[test]
    fn no_cookie_goes_to_other_apps_of_a_shared_domain() {
        let stays = |cookie: &str, host: &str| stays_here(cookie.as_bytes(), host, Some("apps.test"));
        for wide in [
            "a=1; Domain=apps.test",
            "a=1;domain=.apps.test;Path=/",
            "a=1; DOMAIN = Apps.Test ",
            "a=1; Domain=test",
            "a=1; Domain=blog.apps.test",
            "a=1; Domain=\"apps.test\"",
            "a=1; Domain=ａpps.test",
            "a=1; Domain=shop.apps.test; Domain=apps.test",
        ] {
            assert!(!stays(wide, "shop.apps.test"), "{wide}");
            // An operator's own host name is outside of it.
            assert!(stays(wide, "www.example.com"), "{wide}");
            assert!(stays_here(wide.as_bytes(), "shop.apps.test", None), "{wide}");
        }
        for own in ["a=1", "a=1; Domain=", "a=1; Domain", "a=Domain=apps.test", "a=1; Domain=.Shop.apps.test"]
        {
            assert!(stays(own, "shop.apps.test"), "{own}");
        }
        assert!(!stays("a=1; Domain=apps.test", "apps.test"), "the only app of today");
        assert!(stays("a=1; Domain=myapps.test", "myapps.test"));
    }
}

//! Encodes the request for the app from what was parsed; nothing is passed through.

use super::address::Address;
use super::cache::shared::Shared;
use super::context::RequestContext;
use super::cookies::Cookies;
use super::forwarded::{X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO};
use super::release_tag::{CONDITIONS, ReleaseTag};
use super::request_info::{RequestInfo, TRACEPARENT, TRACESTATE, X_REQUEST_ID};
use super::routed::Routed;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, COOKIE, HeaderMap, HeaderName, UPGRADE};
use std::borrow::Cow;
use vitrine_core::hop_by_hop::is_hop_by_hop;
use vitrine_proxy::route::Target;
use vitrine_proxy::web_sockets::handshake::WEBSOCKET;
use vitrine_wire::{Headers, OWN_CALL_HEADER, RequestHead};

/// Headers that the edge makes itself, beside those that belong to one connection.
const OWN: [&str; 6] = ["cookie", "expect", "forwarded", "host", "x-real-ip", "x-request-id"];
/// How often the app has called itself on the way to a request.
const OWN_CALL: HeaderName = HeaderName::from_static(OWN_CALL_HEADER);
/// Prefixes of headers by which frameworks and this host talk to themselves: from a client they are forgeries.
const INTERNAL: [&str; 5] = ["x-forwarded-", "x-middleware-", "x-nextjs-", "x-react-router-", "x-vitrine-"];

/// The body of a request as the app hears of it beforehand.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BodyAhead {
    /// Whether there is one.
    pub is_there: bool,
    /// Its length in bytes, if the client declared it and it frames the body.
    pub declared: Option<u64>,
    /// Whether the request asks for a WebSocket.
    pub upgrade: bool,
}

/// The head that goes to a worker.
#[must_use]
pub(crate) fn request_head(
    context: &RequestContext,
    trusted_headers: &[HeaderName],
    release: ReleaseTag,
    body: BodyAhead,
) -> RequestHead {
    let given = (&context.headers, context.cookies());
    let mut head = head_of(
        &context.info,
        &context.address,
        given,
        trusted_headers,
        release,
        body,
        context.routed.as_deref(),
    );
    if let Some((shared, target)) = context.shared.as_ref().zip(context.target.as_ref()) {
        shared.edit(&target.bundle.manifest.cache, &mut head);
    }
    head
}

/// The head of a render that no client waits for.
#[must_use]
pub(crate) fn background_head(
    context: &RequestContext,
    trusted_headers: &[HeaderName],
    release: ReleaseTag,
    shared: &Shared,
    target: &Target,
) -> RequestHead {
    let mut head = request_head(context, trusted_headers, release, BodyAhead::default());
    shared.edit(&target.bundle.manifest.cache, &mut head);
    head
}

/// The headers that an app gets of a request without a body, apart from conditions.
#[must_use]
pub(crate) fn visible_headers(context: &RequestContext, trusted_headers: &[HeaderName]) -> Headers {
    let RequestContext { info, address, headers, .. } = context;
    let scheme = if info.https { "https" } else { "http" };
    let given = (headers, context.cookies());
    let mut seen = end_to_end(info, address, given, trusted_headers, scheme, BodyAhead::default());
    if let Some(routed) = &context.routed {
        routed.edit_request(&mut seen, &address.host, info.uri.path());
    }
    seen
}

fn head_of(
    info: &RequestInfo,
    address: &Address,
    (headers, cookies): (&HeaderMap, &Cookies),
    trusted_headers: &[HeaderName],
    release: ReleaseTag,
    body: BodyAhead,
    routed: Option<&Routed>,
) -> RequestHead {
    let scheme = if info.https { "https" } else { "http" };
    let target = match routed.and_then(Routed::path) {
        Some(path) => {
            Cow::Owned(info.uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}")))
        }
        None => Cow::Borrowed(info.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str)),
    };
    let target = if target == "*" { "/" } else { &*target };
    let mut kept = end_to_end(info, address, (headers, cookies), trusted_headers, scheme, body);
    let of_page = info.reads.navigation || !info.reads.fetches;
    let conditions = release.conditions(headers, of_page).into_iter();
    kept.extend(conditions.map(|(name, value)| (name.as_str().to_owned(), value)));
    if let Some(routed) = routed {
        routed.edit_request(&mut kept, &address.host, info.uri.path());
    }
    RequestHead {
        method: info.method.as_str().to_owned(),
        url: format!("{scheme}://{}{target}", address.authority),
        headers: kept,
        has_body: body.is_there || body.upgrade,
        upgrade: body.upgrade,
        request_id: info.request_id().to_owned(),
        ledger: false,
    }
}

fn end_to_end(
    info: &RequestInfo,
    address: &Address,
    (headers, cookies): (&HeaderMap, &Cookies),
    trusted_headers: &[HeaderName],
    scheme: &str,
    body: BodyAhead,
) -> Headers {
    let mut kept: Headers = Vec::with_capacity(headers.len() + 8);
    for (name, value) in headers {
        if passes(name, info, headers, trusted_headers) && !CONDITIONS.contains(name) {
            kept.push((name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes())));
        }
    }
    if let Some(cookies) = cookies.for_app(headers) {
        kept.push((COOKIE.as_str().to_owned(), cookies));
    }
    let mut put = |name: &HeaderName, value: Bytes| kept.push((name.as_str().to_owned(), value));
    put(&http::header::HOST, Bytes::copy_from_slice(address.authority.as_bytes()));
    put(&X_FORWARDED_FOR, info.client.to_string().into());
    put(&X_FORWARDED_HOST, Bytes::copy_from_slice(address.authority.as_bytes()));
    put(&X_FORWARDED_PROTO, Bytes::copy_from_slice(scheme.as_bytes()));
    put(&X_REQUEST_ID, Bytes::copy_from_slice(info.request_id.as_bytes()));
    put(&TRACEPARENT, Bytes::copy_from_slice(info.traceparent.as_bytes()));
    if let Some(call) = &info.own_call {
        put(&OWN_CALL, call.depth.to_string().into());
    }
    if body.upgrade {
        put(&UPGRADE, Bytes::copy_from_slice(WEBSOCKET.as_bytes()));
        put(&CONNECTION, Bytes::from_static(b"Upgrade"));
    }
    if let Some(bytes) = body.declared {
        put(&CONTENT_LENGTH, bytes.to_string().into());
    }
    kept
}

/// Whether a client's header goes on to an app or upstream as it is.
pub(crate) fn passes(
    name: &HeaderName,
    info: &RequestInfo,
    headers: &HeaderMap,
    trusted_headers: &[HeaderName],
) -> bool {
    let trace = name == TRACEPARENT || (name == TRACESTATE && !info.traced);
    let is_let = match trusted_headers.contains(name) {
        // What the proxy says is not the client's to take away.
        true => info.by_trusted_proxy,
        false => !is_own(name) && !is_named_by_connection(name, headers),
    };
    !trace && is_let
}

fn is_own(name: &HeaderName) -> bool {
    let name = name.as_str();
    // An underscore reads as a dash in many an app's environment: `x_forwarded_for` would pass the lists below.
    name.contains('_')
        || is_hop_by_hop(name)
        || OWN.contains(&name)
        || INTERNAL.iter().any(|prefix| name.starts_with(prefix))
}

/// `Connection: x-secret` makes `x-secret` a matter of this connection.
pub(crate) fn is_named_by_connection(name: &HeaderName, headers: &HeaderMap) -> bool {
    headers.get_all(CONNECTION).iter().any(|value| {
        let names = value.to_str().unwrap_or_default();
        names.split(',').any(|named| named.trim().eq_ignore_ascii_case(name.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::connection::Peer;
    use super::*;
    use http::Request;
    use ipnet::IpNet;
    use vitrine_core::id::Digest;
    use vitrine_proxy::connections::activity::Activity;

    const RELEASE: Digest = Digest([7; 32]);

    fn head(headers: &[(&str, &str)]) -> RequestHead {
        head_before(BodyAhead::default(), headers)
    }

    fn head_before(body: BodyAhead, headers: &[(&str, &str)]) -> RequestHead {
        head_by(&[], body, headers)
    }

    fn head_by(trusted_proxies: &[IpNet], body: BodyAhead, headers: &[(&str, &str)]) -> RequestHead {
        let mut request = Request::builder().uri("/a?b=c").header("host", "Shop.example:81");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        let peer = Peer {
            address: "9.9.9.9:1".parse().unwrap(),
            tls: true,
            activity: Activity::start(),
            excess: None,
            own_call: None,
        };
        let info = RequestInfo::of(&parts, &peer, trusted_proxies);
        let cookies = Cookies::of(&parts.headers, info.https);
        let address = Address::of(&info, &parts.headers, cookies.lines(), false).unwrap();
        let trusted_headers = ["x-real-ip", "x-forwarded-user", "x-team"].map(HeaderName::from_static);
        head_of(
            &info,
            &address,
            (&parts.headers, &cookies),
            &trusted_headers,
            ReleaseTag::of(RELEASE),
            body,
            None,
        )
    }

    fn values<'a>(head: &'a RequestHead, name: &str) -> Vec<&'a str> {
        let named = head.headers.iter().filter(|(key, _)| key == name);
        named.map(|(_, value)| std::str::from_utf8(value).unwrap()).collect()
    }

    #[test]
    fn the_url_is_the_clients_and_forwarded_headers_are_the_edges() {
        let head =
            head(&[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-proto", "gopher"), ("accept", "*/*")]);
        assert_eq!(head.url, "https://shop.example:81/a?b=c");
        assert_eq!(values(&head, "x-forwarded-for"), ["9.9.9.9"]);
        assert_eq!(values(&head, "x-forwarded-proto"), ["https"]);
        assert_eq!(values(&head, "x-forwarded-host"), ["shop.example:81"]);
        assert_eq!(values(&head, "host"), ["shop.example:81"]);
        assert_eq!(values(&head, "accept"), ["*/*"]);
        assert_eq!(values(&head, "x-request-id"), [head.request_id.as_str()]);
        assert_eq!(values(&head, "traceparent").len(), 1);
    }

    #[test]
    fn hop_by_hop_and_internal_headers_stay_outside() {
        let outside = [
            ("connection", "keep-alive, x-secret"),
            ("x-secret", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("content-length", "5"),
            ("upgrade", "websocket"),
            ("expect", "100-continue"),
            ("proxy-authorization", "x"),
            ("x-middleware-subrequest", "1"),
            ("x-react-router-spa-mode", "yes"),
            ("x-nextjs-data", "1"),
            ("x-vitrine-release", "v1"),
            ("x-vitrine-anything", "v1"),
            ("x_forwarded_for", "6.6.6.6"),
            ("forwarded", "for=6.6.6.6"),
            ("x-real-ip", "6.6.6.6"),
            ("x-forwarded-port", "1"),
            ("tracestate", "a=b"),
        ];
        let head = head(&outside);
        for (name, _) in outside {
            assert!(values(&head, name).is_empty(), "{name}");
        }
    }

    #[test]
    fn headers_that_are_trusted_come_from_trusted_proxies_alone() {
        let given = [
            ("x-forwarded-user", "bob"),
            ("x-real-ip", "1.1.1.1"),
            ("x-team", "shop"),
            ("x-forwarded-email", "b@b"),
            ("x-other", "1"),
        ];
        let seen = |trusted_proxies: &[IpNet]| {
            let head = head_by(trusted_proxies, BodyAhead::default(), &given);
            given.map(|(name, _)| values(&head, name).len())
        };
        assert_eq!(seen(&["9.9.9.0/24".parse().unwrap()]), [1, 1, 1, 0, 1]);
        assert_eq!(seen(&[]), [0, 0, 0, 0, 1], "what a client says of itself");
        let unnamed =
            [("connection", "x-forwarded-user, x-other"), ("x-forwarded-user", "bob"), ("x-other", "1")];
        let head = head_by(&["9.9.9.0/24".parse().unwrap()], BodyAhead::default(), &unnamed);
        assert_eq!(
            values(&head, "x-forwarded-user"),
            ["bob"],
            "a client does not take away what a proxy says"
        );
        assert!(values(&head, "x-other").is_empty());
    }

    #[test]
    fn tags_of_pages_reach_the_app_as_it_gave_them() {
        let tag = |release: &str| format!("\"a;vitrine={release}\"");
        let (own, other) = (tag("07070707"), tag("08080808"));
        assert_eq!(values(&head(&[("if-none-match", &own)]), "if-none-match"), ["\"a\""]);
        assert!(values(&head(&[("if-none-match", &other)]), "if-none-match").is_empty());
    }

    #[test]
    fn the_length_of_a_body_is_what_frames_it() {
        let ahead = BodyAhead { is_there: true, declared: Some(7), upgrade: false };
        assert_eq!(values(&head_before(ahead, &[("content-length", "007")]), "content-length"), ["7"]);
    }

    #[test]
    fn cookies_are_one_line_without_the_pin() {
        let head = head(&[
            ("cookie", "a=1; __vitrine_release=v1; __vitrine_id=7;b=2"),
            ("cookie", "__vitrine_release2=x; __Host-__vitrine_release=v1; __Host-__vitrine_id=7"),
        ]);
        assert_eq!(values(&head, "cookie"), ["a=1; b=2; __vitrine_release2=x"]);
        assert!(values(&self::head(&[("cookie", "__vitrine_release=v1")]), "cookie").is_empty());
    }
}

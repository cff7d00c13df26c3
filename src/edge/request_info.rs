//! Client identity, trace context and acceptable response types. Available even for malformed requests.

use super::connection::Peer;
use super::forwarded::Forwarded;
use http::header::{ACCEPT, HeaderMap, HeaderName, USER_AGENT};
use http::request::Parts;
use http::{HeaderValue, Method, Uri};
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;
use vitrine_proxy::web_sockets::handshake::Handshake;
use vitrine_proxy::worker::OwnCall;
use vitrine_wire::limits::REQUEST_ID_BYTES_MAX;

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub(super) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct RequestInfo {
    /// Method.
    pub method: Method,
    /// Target as sent.
    pub uri: Uri,
    /// Client, behind the proxies that are trusted.
    pub client: IpAddr,
    /// What these say of the request; nothing, if the peer is none of them.
    pub forwarded: Forwarded,
    /// Whether a trusted proxy passed the request on.
    pub by_trusted_proxy: bool,
    /// Whether the client speaks TLS.
    pub https: bool,
    /// Whether it is known to speak plain HTTP. What a trusted proxy says nothing about, is not known.
    pub plain: bool,
    /// Id for logs and answers.
    pub request_id: HeaderValue,
    /// W3C trace context, as honoured or as made here.
    pub traceparent: HeaderValue,
    /// Whether the trace began outside.
    pub traced: bool,
    /// The call of an app to itself that this is.
    pub own_call: Option<Arc<OwnCall>>,
    /// What they can read.
    pub reads: Accepts,
    /// What they ask of a WebSocket.
    pub handshake: Handshake,
    /// User agent.
    pub user_agent: Option<HeaderValue>,
}

/// What kind of answer the client can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accepts {
    /// A browser that goes to a page.
    pub navigation: bool,
    /// A sub-request of a page, as the browser says.
    pub fetches: bool,
    /// HTML, by name or by a wildcard of a navigation.
    pub html: bool,
    /// JSON errors rather than a page.
    pub problem_json: bool,
}

impl RequestInfo {
    /// From a request's head.
    #[must_use]
    pub(crate) fn of(parts: &Parts, peer: &Peer, trusted_proxies: &[IpNet]) -> Self {
        let address = peer.address.ip().to_canonical();
        // An app is no proxy, whatever stands on this machine.
        let trusted = peer.own_call.is_none() && trusts(trusted_proxies, address);
        let headers = &parts.headers;
        let outside = trusted.then(|| headers.get(X_REQUEST_ID).filter(|id| is_request_id(id))).flatten();
        let given = headers.get(TRACEPARENT).filter(|value| is_traceparent(value.as_bytes()));
        let trusts = |address| trusts(trusted_proxies, address);
        let forwarded = if trusted { Forwarded::of(headers, trusts) } else { Forwarded::default() };
        Self {
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            client: forwarded.client.unwrap_or(address),
            https: forwarded.https.unwrap_or(peer.tls),
            plain: if trusted { forwarded.https == Some(false) } else { !peer.tls },
            forwarded,
            by_trusted_proxy: trusted,
            own_call: peer.own_call.clone(),
            request_id: outside.cloned().unwrap_or_else(new_request_id),
            traced: given.is_some(),
            traceparent: given.cloned().unwrap_or_else(new_traceparent),
            reads: Accepts::of(headers),
            handshake: Handshake::of(parts),
            user_agent: headers.get(USER_AGENT).cloned(),
        }
    }

    /// The request's id as text.
    #[must_use]
    pub(crate) fn request_id(&self) -> &str {
        // Both sources are checked to be ASCII.
        self.request_id.to_str().unwrap_or_default()
    }

    /// The trace's id: 32 hexadecimal digits.
    #[must_use]
    pub(crate) fn trace_id(&self) -> &str {
        self.traceparent.to_str().ok().and_then(|text| text.get(3..35)).unwrap_or_default()
    }
}

impl Accepts {
    fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let lines: Vec<String> = values.map(str::to_ascii_lowercase).collect();
        let accepts = |what: &str| lines.iter().any(|line| line.contains(what));
        let by_name = accepts("text/html");
        let mode = headers.get(SEC_FETCH_MODE);
        // Browsers without fetch metadata name HTML when they go to a page; scripts and curl do not.
        let navigation = mode.map_or(by_name, |mode| mode == "navigate");
        Self {
            navigation,
            fetches: mode.is_some() && !navigation,
            html: by_name || (mode.is_some() && navigation && accepts("*/*")),
            problem_json: !by_name && (accepts("/json") || accepts("+json")),
        }
    }
}

fn trusts(trusted_proxies: &[IpNet], address: IpAddr) -> bool {
    trusted_proxies.iter().any(|net| net.contains(&address))
}

fn is_request_id(id: &HeaderValue) -> bool {
    let legal =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'/' | b'+' | b'=');
    (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.as_bytes().iter().all(legal)
}

fn new_request_id() -> HeaderValue {
    let id = uuid::Uuid::now_v7();
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    let text: &str = id.hyphenated().encode_lower(&mut text);
    HeaderValue::from_str(text).expect("a UUID's text is ASCII")
}

/// `VERSION-TRACE-PARENT-FLAGS`, lower-case hexadecimal; later versions may add fields.
fn is_traceparent(text: &[u8]) -> bool {
    let hex = |range: std::ops::Range<usize>| {
        text[range].iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b))
    };
    let some = |range: std::ops::Range<usize>| text[range].iter().any(|b| *b != b'0');
    text.len() >= 55
        && (text.len() == 55 || (text[55] == b'-' && &text[..2] != b"00"))
        && [text[2], text[35], text[52]] == [b'-'; 3]
        && hex(0..2)
        && &text[..2] != b"ff"
        && hex(3..35)
        && some(3..35)
        && hex(36..52)
        && some(36..52)
        && hex(53..55)
        && text.is_ascii()
}

fn new_traceparent() -> HeaderValue {
    let trace = u128::from_be_bytes(rand::random()).max(1);
    let parent = rand::random::<u64>().max(1);
    HeaderValue::from_str(&format!("00-{trace:032x}-{parent:016x}-00")).expect("hexadecimal digits are ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use vitrine_proxy::connections::activity::Activity;

    fn info(peer: &str, headers: &[(&str, &str)]) -> RequestInfo {
        let mut request = Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        let peer = Peer {
            address: format!("{peer}:1").parse().unwrap(),
            tls: false,
            activity: Activity::start(),
            excess: None,
            own_call: None,
        };
        RequestInfo::of(&parts, &peer, &["10.0.0.0/8".parse().unwrap()])
    }

    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn only_a_trusted_proxy_says_who_the_client_is() {
        let said = [
            ("x-forwarded-for", "6.6.6.6, 1.2.3.4, 10.9.9.9"),
            ("x-forwarded-proto", "https"),
            ("x-request-id", "abc"),
        ];
        let stranger = info("8.8.8.8", &said);
        assert_eq!(stranger.client, "8.8.8.8".parse::<IpAddr>().unwrap());
        assert!(!stranger.https);
        assert_ne!(stranger.request_id(), "abc");
        assert_eq!(stranger.request_id().len(), 36);
        let proxied = info("10.1.1.1", &said);
        assert_eq!(proxied.client, "1.2.3.4".parse::<IpAddr>().unwrap());
        assert!(proxied.https);
        assert_eq!(proxied.request_id(), "abc");
        let garbage = info("10.1.1.1", &[("x-forwarded-for", "1.1.1.1, evil"), ("x-request-id", "a b\tc")]);
        assert_eq!(garbage.client, "10.1.1.1".parse::<IpAddr>().unwrap());
        assert_eq!(garbage.request_id().len(), 36);
    }

    #[test]
    fn a_valid_trace_goes_on_and_anything_else_is_replaced() {
        let traced = info("8.8.8.8", &[("traceparent", TRACE)]);
        assert_eq!(traced.traceparent, TRACE);
        assert_eq!(traced.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        for bad in
            ["", "00-x", &TRACE.replace("0af7", "0AF7"), &TRACE.replace("00-", "ff-"), &format!("{TRACE}0")]
        {
            let made = info("8.8.8.8", &[("traceparent", bad)]);
            assert!(!made.traced, "{bad}");
            assert!(is_traceparent(made.traceparent.as_bytes()), "{:?}", made.traceparent);
        }
    }

    #[test]
    fn navigations_scripts_and_api_clients_are_told_apart() {
        let reads = |headers: &[(&str, &str)]| info("8.8.8.8", headers).reads;
        let browser =
            reads(&[("sec-fetch-mode", "navigate"), ("accept", "text/html,application/json;q=0.9")]);
        assert_eq!(browser, Accepts { navigation: true, fetches: false, html: true, problem_json: false });
        let old_browser = reads(&[("accept", "text/html, */*;q=0.8")]);
        assert_eq!(
            old_browser,
            Accepts { navigation: true, fetches: false, html: true, problem_json: false }
        );
        let script = reads(&[("sec-fetch-mode", "cors"), ("accept", "*/*")]);
        assert_eq!(script, Accepts { navigation: false, fetches: true, html: false, problem_json: false });
        let api = reads(&[("accept", "application/json")]);
        assert_eq!(api, Accepts { navigation: false, fetches: false, html: false, problem_json: true });
        let problem = reads(&[("accept", "application/problem+json")]);
        assert!(problem.problem_json);
        assert_eq!(
            reads(&[("accept", "*/*")]),
            Accepts { navigation: false, fetches: false, html: false, problem_json: false }
        );
    }
}

//! The WebSocket handshake (RFC 6455, section 4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONNECTION, HeaderMap, HeaderName, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, Version};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

/// What the answer to a key proves (RFC 6455, 1.3).
const PROOF: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The version that there is.
pub const VERSION: HeaderValue = HeaderValue::from_static("13");
/// The only protocol that a connection is upgraded to.
pub const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
/// What says so of a connection.
pub const UPGRADES: HeaderValue = HeaderValue::from_static("Upgrade");

/// What a request says of a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handshake {
    /// Nothing.
    None,
    /// It asks for one; this proves that it was understood.
    Asked(HeaderValue),
    /// It asks for one that can't be had.
    Bad(StatusCode),
}

impl Handshake {
    /// From a request's head.
    #[must_use]
    pub fn of(parts: &Parts) -> Self {
        let headers = &parts.headers;
        let Some(upgrade) = headers.get(UPGRADE) else { return Self::None };
        let is_one = parts.version == Version::HTTP_11
            && upgrade.as_bytes().eq_ignore_ascii_case(WEBSOCKET.as_bytes())
            && names(headers, &CONNECTION, "upgrade");
        if !is_one {
            // A server may leave the other protocol alone and answer as usual (RFC 9110, 7.8).
            return Self::None;
        }
        if headers.get(SEC_WEBSOCKET_VERSION) != Some(&VERSION) {
            return Self::Bad(StatusCode::UPGRADE_REQUIRED);
        }
        let key = headers.get(SEC_WEBSOCKET_KEY).filter(|key| is_key(key));
        match key {
            Some(key) if parts.method == Method::GET => Self::Asked(proof(key)),
            _ => Self::Bad(StatusCode::BAD_REQUEST),
        }
    }

    /// Whether a WebSocket is asked for.
    #[must_use]
    pub const fn is_asked(&self) -> bool {
        matches!(self, Self::Asked(_))
    }
}

/// A new key.
#[must_use]
pub fn key() -> HeaderValue {
    let key = STANDARD.encode(rand::random::<[u8; 16]>());
    HeaderValue::from_str(&key).expect("base64 is ASCII")
}

/// What the other side answers to a key.
#[must_use]
pub fn proof(key: &HeaderValue) -> HeaderValue {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[key.as_bytes(), PROOF.as_bytes()].concat());
    HeaderValue::from_str(&STANDARD.encode(hash)).expect("base64 is ASCII")
}

fn is_key(key: &HeaderValue) -> bool {
    STANDARD.decode(key.as_bytes()).is_ok_and(|key| key.len() == 16)
}

fn names(headers: &HeaderMap, list: &HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(list).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|name| name.trim().eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    fn handshake(change: &[(&str, Option<&str>)]) -> Handshake {
        let mut request = Request::builder().version(Version::HTTP_11).uri("/").body(()).unwrap();
        let good = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", KEY),
        ];
        for (name, value) in good {
            let value =
                change.iter().find(|(changed, _)| *changed == name).map_or(Some(value), |(_, to)| *to);
            if let Some(value) = value {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
        }
        Handshake::of(&request.into_parts().0)
    }

    #[test]
    fn a_key_is_answered_as_in_the_standards_example() {
        assert_eq!(
            handshake(&[]),
            Handshake::Asked(HeaderValue::from_static("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        );
        assert!(is_key(&key()) && key() != key());
    }

    #[test]
    fn other_upgrades_are_left_alone_and_bad_ones_refused() {
        for other in [("upgrade", Some("h2c")), ("upgrade", None), ("connection", None)] {
            assert_eq!(handshake(&[other]), Handshake::None, "{other:?}");
        }
        for (name, value, status) in [
            ("sec-websocket-version", Some("8"), 426),
            ("sec-websocket-version", None, 426),
            ("sec-websocket-key", Some("short"), 400),
            ("sec-websocket-key", Some("AAAA"), 400),
            ("sec-websocket-key", None, 400),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(handshake(&[(name, value)]), Handshake::Bad(status), "{name} {value:?}");
        }
    }
}

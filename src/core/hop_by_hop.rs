//! Headers that belong to one connection and are never passed on.

/// Whether a header, named in lower case, is about one connection or frames one message (RFC 9110, sections 6.4 and 7.6.1).
#[must_use]
pub fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "content-length"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

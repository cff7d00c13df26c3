//! Converts headers of calls and their answers; hop-by-hop ones are left out.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH};
use http::{HeaderMap, HeaderName, HeaderValue};
use vitrine_core::hop_by_hop::is_hop_by_hop;
use vitrine_wire::Headers;
use vitrine_wire::limits::{HEAD_BYTES_MAX, HEADERS_MAX};

/// Headers that belong to one connection, or that the client sets by itself.
fn is_own(name: &HeaderName) -> bool {
    let name = name.as_str();
    is_hop_by_hop(name) || matches!(name, "expect" | "host") || name.starts_with("proxy-")
}

/// What a call sends. `None` when one of them is no header. The length of a body goes with it where the worker knows it, and that there is
/// none: some servers take no other. The client sends no byte more and no byte less.
pub(super) fn sent(headers: &Headers, has_body: bool) -> Option<HeaderMap> {
    let mut sent = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let is_length = name == CONTENT_LENGTH && if has_body { is_number(value) } else { *value == "0" };
        if !is_own(&name) || is_length {
            sent.append(name, HeaderValue::from_maybe_shared(value.clone()).ok()?);
        }
    }
    Some(sent)
}

fn is_number(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(u8::is_ascii_digit)
}

/// Whether the server names a header as a matter of its connection alone.
fn is_of_connection(name: &HeaderName, headers: &HeaderMap) -> bool {
    let lines = headers.get_all(CONNECTION).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|named| named.trim().eq_ignore_ascii_case(name.as_str()))
}

/// What the app sees of an answer's: as many as the wire takes.
pub(super) fn received(headers: &HeaderMap) -> Headers {
    let mut bytes = 0;
    headers
        .iter()
        .filter(|(name, _)| (!is_own(name) && !is_of_connection(name, headers)) || **name == CONTENT_LENGTH)
        .take(HEADERS_MAX)
        .take_while(|(name, value)| {
            bytes += name.as_str().len() + value.len();
            bytes <= HEAD_BYTES_MAX
        })
        .map(|(name, value)| (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes())))
        .collect()
}

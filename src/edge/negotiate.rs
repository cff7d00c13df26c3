//! Chooses the precompressed variant of a file by `accept-encoding`.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{ACCEPT_ENCODING, HeaderMap, HeaderName};
use vitrine_bundle::{Asset, Encoding};
use vitrine_core::id::Digest;

/// Names the file that a client would decode a delta against.
pub(crate) const AVAILABLE_DICTIONARY: HeaderName = HeaderName::from_static("available-dictionary");
/// Name of the coding of deltas.
pub(crate) const DELTA: &str = "dcz";

/// The coding with the highest weight in `accept-encoding`; among equals the shortest. `None` is the plain file.
#[must_use]
pub(crate) fn negotiate(asset: &Asset, headers: &HeaderMap) -> Option<Encoding> {
    if asset.encodings.is_empty() || !headers.contains_key(ACCEPT_ENCODING) {
        return None;
    }
    // The plain file is acceptable unless it is refused, and preferred only if it is named.
    let plain = weight(headers, "identity", false).unwrap_or(0);
    let offers = asset.encodings.iter().filter_map(|(encoding, bytes)| {
        let weight = weight(headers, encoding_name(*encoding), true).filter(|weight| *weight > 0)?;
        Some((*encoding, weight, *bytes))
    });
    let best = offers.min_by_key(|(_, weight, bytes)| (std::cmp::Reverse(*weight), *bytes));
    best.filter(|(_, weight, _)| *weight >= plain).map(|(encoding, ..)| encoding)
}

/// Digest of the file that the client has and would decode a delta against (RFC 9842, 2.2 and 3.2), where it wants one no less than
/// the coding `other`. What can't be read is no dictionary.
#[must_use]
pub(crate) fn dictionary(headers: &HeaderMap, other: Option<Encoding>) -> Option<Digest> {
    let value = headers.get(AVAILABLE_DICTIONARY)?.as_bytes();
    let value = value.strip_prefix(b":")?.strip_suffix(b":")?;
    let digest = Digest(BASE64_STANDARD.decode(value).ok()?.try_into().ok()?);
    let others = other.and_then(|other| weight(headers, encoding_name(other), true));
    let plain = weight(headers, "identity", false);
    let wanted = weight(headers, DELTA, false).filter(|weight| *weight > 0)?;
    (others.or(plain).is_none_or(|other| other <= wanted)).then_some(digest)
}

/// Name of a coding in `content-encoding`.
#[must_use]
pub(crate) const fn encoding_name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Br => "br",
        Encoding::Zstd => "zstd",
        Encoding::Gzip => "gzip",
    }
}

/// Weight of a coding in thousandths; `None` when it is not named.
pub(crate) fn weight(headers: &HeaderMap, coding: &str, wildcard: bool) -> Option<u32> {
    let mut of_wildcard = None;
    for value in headers.get_all(ACCEPT_ENCODING) {
        for item in value.to_str().unwrap_or_default().split(',') {
            let mut parts = item.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let q = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
            let weight = q.map_or(1000, thousandths);
            if name.eq_ignore_ascii_case(coding) {
                return Some(weight);
            }
            if name == "*" && wildcard {
                of_wildcard = Some(weight);
            }
        }
    }
    of_wildcard
}

/// A weight that can't be read counts as a refusal: the plain file is never wrong.
fn thousandths(q: &str) -> u32 {
    q.parse::<f32>().map_or(0, |q| (q.clamp(0.0, 1.0) * 1000.0) as u32)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::asset;
    use super::*;

    #[test]
    fn a_dictionary_is_32_bytes_in_colons_from_a_client_that_takes_deltas() {
        let digest = Digest::of(b"x");
        let text = format!(":{}:", BASE64_STANDARD.encode(digest.0));
        let asked = |accept: &str, dictionary: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, accept.parse().unwrap());
            headers.insert(AVAILABLE_DICTIONARY, dictionary.parse().unwrap());
            dictionary_of(&headers)
        };
        for accept in ["gzip, deflate, br, zstd, dcb, dcz", "dcz", "br;q=0.5, dcz;q=0.5"] {
            assert_eq!(asked(accept, &text), Some(digest), "{accept}");
        }
        for accept in ["gzip, br, zstd", "*", "dcz;q=0", "dcb", "br, dcz;q=0.5", "identity, dcz;q=0.5"] {
            assert_eq!(asked(accept, &text), None, "{accept}");
        }
        let longer = format!(":{}:", BASE64_STANDARD.encode([0; 33]));
        for malformed in ["", ":", "::", &text[1..], &text[..44], &format!("{text}, {text}"), &longer, ":!!:"]
        {
            assert_eq!(asked("br, dcz", malformed), None, "{malformed}");
        }
    }

    fn dictionary_of(headers: &HeaderMap) -> Option<Digest> {
        dictionary(headers, Some(Encoding::Br))
    }

    #[test]
    fn the_clients_weights_decide_and_then_the_length() {
        let mut file = asset("x", true);
        file.encodings.extend([(Encoding::Br, 30), (Encoding::Zstd, 31), (Encoding::Gzip, 40)]);
        let chosen = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, accept.parse().unwrap());
            negotiate(&file, &headers)
        };
        for (accept, expected) in [
            ("gzip, deflate, br, zstd", Some(Encoding::Br)),
            ("gzip, zstd", Some(Encoding::Zstd)),
            ("br;q=0.5, gzip;q=0.9", Some(Encoding::Gzip)),
            ("br;q=0, gzip", Some(Encoding::Gzip)),
            ("*", Some(Encoding::Br)),
            ("*;q=0.1, br;q=0", Some(Encoding::Zstd)),
            ("identity, gzip;q=0.5", None),
            ("identity;q=0.5, GZIP;Q=0.9", Some(Encoding::Gzip)),
            ("deflate", None),
            ("", None),
            ("br;q=nonsense", None),
            ("brotli", None),
        ] {
            assert_eq!(chosen(accept), expected, "{accept}");
        }
        assert_eq!(negotiate(&file, &HeaderMap::new()), None);
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, "br".parse().unwrap());
        assert_eq!(negotiate(&asset("x", true), &headers), None);
    }
}

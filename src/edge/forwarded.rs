//! What the proxies in front say of a request: each of `X-Forwarded-*`, or what `Forwarded` (RFC 7239) says of it where there is none.
//!
//! Each proxy adds to the end of these lists, so they are read from there: what the nearest proxy said first, then what the one before it
//! said, as long as they are trusted. What is before that may be a client's invention.

use http::header::{FORWARDED, HeaderMap, HeaderName};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

pub(super) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(super) const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
pub(super) const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What trusted proxies say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Forwarded {
    /// The client.
    pub client: Option<IpAddr>,
    /// Whether it speaks TLS.
    pub https: Option<bool>,
    /// The host that it asked for, with its port if that was said with it.
    pub host: Option<String>,
    /// The port that it asked.
    pub port: Option<u16>,
}

impl Forwarded {
    /// From the head of a request that came from a trusted proxy.
    #[must_use]
    pub(crate) fn of(headers: &HeaderMap, trusted: impl Fn(IpAddr) -> bool) -> Self {
        let own = [X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PORT, X_FORWARDED_PROTO];
        let lists = match own.iter().any(|name| headers.contains_key(name)) {
            true => Self::of_lists(headers, &trusted),
            false => Self::default(),
        };
        if !headers.contains_key(FORWARDED) {
            return lists;
        }
        let elements = Self::of_elements(headers, trusted);
        // The proxy that says who the client is leaves the other header as a client invented it.
        if lists.client.is_some() && elements.client != lists.client {
            return lists;
        }
        Self {
            client: elements.client,
            https: lists.https.or(elements.https),
            host: lists.host.or(elements.host),
            port: lists.port.or(elements.port),
        }
    }

    fn of_lists(headers: &HeaderMap, trusted: impl Fn(IpAddr) -> bool) -> Self {
        let addresses = list(headers, &X_FORWARDED_FOR);
        let chain = Chain::of(addresses.iter().rev().map(|text| address(text)), trusted);
        let protocols = list(headers, &X_FORWARDED_PROTO);
        let ports = list(headers, &X_FORWARDED_PORT);
        Self {
            client: chain.client,
            https: chain.https(&protocols),
            host: list(headers, &X_FORWARDED_HOST).pop().filter(|host| !host.is_empty()).map(str::to_owned),
            port: chain.said(&ports).and_then(|port| port.parse().ok()),
        }
    }

    fn of_elements(headers: &HeaderMap, trusted: impl Fn(IpAddr) -> bool) -> Self {
        let lines: Option<Vec<&str>> =
            headers.get_all(FORWARDED).iter().map(|line| line.to_str().ok()).collect();
        // An element that can't be read may hide where the next one begins.
        let Some(elements) = lines.and_then(|lines| elements(&lines.join(","))) else {
            return Self::default();
        };
        let of = |name: &str, element: &Element| {
            element.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
        };
        let addresses = elements.iter().rev().map(|element| address(&of("for", element)?));
        let chain = Chain::of(addresses, trusted);
        let protocols: Vec<String> = elements.iter().filter_map(|element| of("proto", element)).collect();
        let protocols: Vec<&str> = protocols.iter().map(String::as_str).collect();
        Self {
            client: chain.client,
            https: chain.https(&protocols),
            host: elements.iter().rev().take(chain.hops + 1).find_map(|element| of("host", element)),
            port: None,
        }
    }
}

/// The proxies between the client and this host.
struct Chain {
    client: Option<IpAddr>,
    /// How many trusted ones there are beyond the nearest.
    hops: usize,
}

impl Chain {
    /// From the addresses that were said, the nearest proxy's first.
    fn of(addresses: impl Iterator<Item = Option<IpAddr>>, trusted: impl Fn(IpAddr) -> bool) -> Self {
        let mut chain = Self { client: None, hops: 0 };
        for (hops, address) in addresses.enumerate() {
            let Some(address) = address else { break };
            chain = Self { client: Some(address), hops };
            if !trusted(address) {
                break;
            }
        }
        chain
    }

    /// What the proxy said that the client has spoken to; in a list that is shorter not each has said something.
    fn said<'a>(&self, list: &[&'a str]) -> Option<&'a str> {
        list.get(list.len().saturating_sub(self.hops + 1)).copied()
    }

    /// Without addresses the proxies can't be counted: then it is enough that one of them was spoken to over TLS. A client that invents
    /// that can't send others to and fro between http and https.
    fn https(&self, protocols: &[&str]) -> Option<bool> {
        let is_https = |protocol: &str| protocol.eq_ignore_ascii_case("https");
        let uncounted = self.client.is_none() && !protocols.is_empty();
        if uncounted {
            Some(protocols.iter().copied().any(is_https))
        } else {
            self.said(protocols).map(is_https)
        }
    }
}

/// The values of all lines of a header, in order; of a line that is not ASCII one that means nothing.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let lines = headers.get_all(name).iter();
    lines.flat_map(|line| line.to_str().unwrap_or_default().split(',').map(str::trim)).collect()
}

/// `ADDRESS`, `[ADDRESS]`, or either with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    bare().or_else(with_port).or_else(bracketed).map(|address| address.to_canonical())
}

/// Names, in lower case, and values of one element of `Forwarded`.
type Element = Vec<(String, String)>;

/// The elements of `Forwarded`; `None` if one of them is malformed.
fn elements(text: &str) -> Option<Vec<Element>> {
    let (mut elements, mut element) = (Vec::new(), Element::new());
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(next) = rest.strip_prefix([',', ';']) {
            if rest.starts_with(',') && !element.is_empty() {
                elements.push(std::mem::take(&mut element));
            }
            rest = next.trim_start();
            continue;
        }
        let (name, value) = rest.split_once('=')?;
        let is_token = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&b))
        };
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let (value, after) = value.split_at(value.find([',', ';']).unwrap_or(value.len()));
                // A colon is not for tokens, and yet addresses with a port come without quotes.
                is_token(&value.trim_end().replace(':', "")).then(|| (value.trim_end().to_owned(), after))?
            }
        };
        let after = after.trim_start();
        if !is_token(name) || !(after.is_empty() || after.starts_with([',', ';'])) {
            return None;
        }
        element.push((name.to_ascii_lowercase(), value));
        rest = after;
    }
    if !element.is_empty() {
        elements.push(element);
    }
    Some(elements)
}

/// The value of a quoted string whose first quote is taken off, and what follows its last one.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(headers: &[(&'static str, &str)]) -> Forwarded {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Forwarded::of(&map, |address| matches!(address, IpAddr::V4(v4) if v4.octets()[0] == 10))
    }

    /// Client, whether over TLS, host, port; an empty text or -1 is nothing.
    type Row<'a> = (&'a [(&'static str, &'a str)], &'a str, Option<bool>, &'a str, i32);

    fn check(rows: &[Row<'_>]) {
        for (headers, client, https, host, port) in rows {
            let expected = Forwarded {
                client: (!client.is_empty()).then(|| client.parse().unwrap()),
                https: *https,
                host: (!host.is_empty()).then(|| (*host).to_owned()),
                port: u16::try_from(*port).ok(),
            };
            assert_eq!(said(headers), expected, "{headers:?}");
        }
    }

    const FOR: &str = "x-forwarded-for";
    const PROTO: &str = "x-forwarded-proto";
    const HOST: &str = "x-forwarded-host";
    const PORT: &str = "x-forwarded-port";

    #[test]
    fn lists_are_read_from_their_end_as_far_as_proxies_are_trusted() {
        check(&[
            (&[], "", None, "", -1),
            // One proxy.
            (&[(FOR, "8.8.8.8"), (PROTO, "https"), (PORT, "443")], "8.8.8.8", Some(true), "", 443),
            (&[(FOR, "8.8.8.8:4711"), (PROTO, "HTTPS")], "8.8.8.8", Some(true), "", -1),
            (&[(FOR, "[2001:db8::1]:80")], "2001:db8::1", None, "", -1),
            // It appends to what a client invents.
            (&[(FOR, "6.6.6.6, 8.8.8.8"), (PROTO, "https, http")], "8.8.8.8", Some(false), "", -1),
            (
                &[(FOR, "6.6.6.6"), (FOR, "8.8.8.8"), (PROTO, "http"), (PROTO, "https")],
                "8.8.8.8",
                Some(true),
                "",
                -1,
            ),
            (&[(FOR, "10.0.0.9, 8.8.8.8"), (PORT, "1, 8443")], "8.8.8.8", None, "", 8443),
            (&[(FOR, "8.8.8.8"), (HOST, "evil.example, shop.example")], "8.8.8.8", None, "shop.example", -1),
            (&[(HOST, "evil.example"), (HOST, "shop.example:81")], "", None, "shop.example:81", -1),
            // Two proxies that both append: the outer one speaks TLS.
            (&[(FOR, "8.8.8.8, 10.0.0.2"), (PROTO, "https, http")], "8.8.8.8", Some(true), "", -1),
            (&[(FOR, "8.8.8.8, 10.0.0.2"), (PROTO, "http, https")], "8.8.8.8", Some(false), "", -1),
            (
                &[(FOR, "6.6.6.6, 8.8.8.8, 10.0.0.2"), (PROTO, "http, https, http")],
                "8.8.8.8",
                Some(true),
                "",
                -1,
            ),
            (&[(FOR, "8.8.8.8, 10.0.0.2"), (PORT, "443, 8080")], "8.8.8.8", None, "", 443),
            // Two proxies, one of which says the scheme.
            (&[(FOR, "8.8.8.8, 10.0.0.2"), (PROTO, "https")], "8.8.8.8", Some(true), "", -1),
            // Proxies that say no addresses.
            (&[(PROTO, "https, http")], "", Some(true), "", -1),
            (&[(PROTO, "http, https")], "", Some(true), "", -1),
            (&[(PROTO, "http, http")], "", Some(false), "", -1),
            // What can't be read ends the chain.
            (&[(FOR, "1.1.1.1, evil"), (PROTO, "http")], "", Some(false), "", -1),
            (&[(FOR, "1.1.1.1, evil, 10.0.0.2")], "10.0.0.2", None, "", -1),
            (&[(FOR, ""), (HOST, "a, "), (PORT, "x")], "", None, "", -1),
        ]);
    }

    #[test]
    fn forwarded_is_read_where_there_is_nothing_else() {
        const ALL: &str = "forwarded";
        check(&[
            (
                &[(ALL, "for=8.8.8.8;proto=https;host=shop.example;by=10.0.0.1")],
                "8.8.8.8",
                Some(true),
                "shop.example",
                -1,
            ),
            (&[(ALL, "For=\"[2001:db8::1]:4711\";Proto=http")], "2001:db8::1", Some(false), "", -1),
            (&[(ALL, "for=6.6.6.6;host=evil.example, for=8.8.8.8")], "8.8.8.8", None, "", -1),
            (
                &[(ALL, "for=6.6.6.6;host=evil.example"), (ALL, "for=8.8.8.8;host=\"shop.example:81\"")],
                "8.8.8.8",
                None,
                "shop.example:81",
                -1,
            ),
            (
                &[(ALL, "for=8.8.8.8;proto=https;host=a.example, for=10.0.0.2;proto=http")],
                "8.8.8.8",
                Some(true),
                "a.example",
                -1,
            ),
            (&[(ALL, "for=unknown, for=10.0.0.2")], "10.0.0.2", None, "", -1),
            (&[(ALL, "for=_hidden;proto=https")], "", Some(true), "", -1),
            (&[(ALL, " , for=8.8.8.8 ; proto=https ,")], "8.8.8.8", Some(true), "", -1),
            // A client that opens a quote must not hide what the proxy adds, and gains nothing.
            (&[(ALL, "for=\"6.6.6.6, for=8.8.8.8")], "", None, "", -1),
            (&[(ALL, "for=\"6.6.6.6"), (ALL, "for=8.8.8.8\"")], "", None, "", -1),
            (&[(ALL, "for=\"a\\\"b\", for=8.8.8.8")], "8.8.8.8", None, "", -1),
            (&[(ALL, "for")], "", None, "", -1),
            // Each of the others counts for itself, and an invented one for nothing.
            (&[(ALL, "for=8.8.8.8"), (PROTO, "https")], "8.8.8.8", Some(true), "", -1),
            (
                &[(ALL, "for=8.8.8.8;proto=http;host=inner.example"), (PROTO, "https"), (PORT, "8443")],
                "8.8.8.8",
                Some(true),
                "inner.example",
                8443,
            ),
            (&[(ALL, "for=8.8.8.8;proto=https"), (FOR, "8.8.8.8")], "8.8.8.8", Some(true), "", -1),
            (
                &[(ALL, "for=8.8.8.8;host=in.example"), (HOST, "out.example")],
                "8.8.8.8",
                None,
                "out.example",
                -1,
            ),
            (
                &[(ALL, "for=6.6.6.6;proto=https;host=evil.example"), (FOR, "8.8.8.8")],
                "8.8.8.8",
                None,
                "",
                -1,
            ),
            (&[(ALL, "proto=https;host=evil.example"), (FOR, "8.8.8.8")], "8.8.8.8", None, "", -1),
        ]);
    }
}

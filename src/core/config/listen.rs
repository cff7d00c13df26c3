//! Addresses to listen on, in the forms that people write them.

use serde::de::{Deserializer, Error, Visitor};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Why a text is no address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no address to listen on; write 8080, localhost:8080, 127.0.0.1:8080, [::1]:8080, or 0.0.0.0:8080 for every \
     interface"
)]
pub struct ListenError {
    text: String,
}

/// Reads `ADDRESS:PORT`, `localhost:PORT`, `:PORT` or `PORT`; the last two mean the address `usual`.
///
/// # Errors
/// [`ListenError`], with an example of each form.
pub fn listen_address(text: &str, usual: IpAddr) -> Result<SocketAddr, ListenError> {
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let with_port = |ip| port.parse().ok().map(|port| SocketAddr::new(ip, port));
    let parsed = match host {
        "" => with_port(usual),
        "localhost" => with_port(Ipv4Addr::LOCALHOST.into()),
        _ => text.parse().ok(),
    };
    parsed.ok_or_else(|| ListenError { text: text.into() })
}

struct AddressVisitor;

impl Visitor<'_> for AddressVisitor {
    type Value = SocketAddr;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address to listen on such as \"127.0.0.1:8080\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SocketAddr, E> {
        listen_address(text, Ipv4Addr::LOCALHOST.into()).map_err(E::custom)
    }
}

/// Reads an address of the file; one without a host is of this machine alone.
pub(super) fn address<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    // In a visitor, because the file's reader points at what a visitor refuses.
    from.deserialize_str(AddressVisitor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        listen_address(text, Ipv4Addr::LOCALHOST.into()).ok().map(|address| address.to_string())
    }

    #[test]
    fn a_port_alone_is_enough_and_localhost_is_a_name() {
        for (text, address) in [
            ("8080", "127.0.0.1:8080"),
            (":8080", "127.0.0.1:8080"),
            ("0", "127.0.0.1:0"),
            ("localhost:8080", "127.0.0.1:8080"),
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("0.0.0.0:8080", "0.0.0.0:8080"),
            ("[::1]:8080", "[::1]:8080"),
            ("[::]:8080", "[::]:8080"),
        ] {
            assert_eq!(read(text).as_deref(), Some(address), "{text}");
        }
        let everywhere = listen_address("8000", Ipv4Addr::UNSPECIFIED.into()).unwrap();
        assert_eq!(everywhere.to_string(), "0.0.0.0:8000");
    }

    #[test]
    fn what_is_no_address_is_named_with_examples() {
        for text in
            ["", ":", "localhost", "127.0.0.1", "::1", "::1:8080", "70000", "http://localhost:1", "web:80"]
        {
            let error =
                listen_address(text, Ipv4Addr::LOCALHOST.into()).map(|_| text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is no address")), "{error}");
            assert!(error.contains("localhost:8080") && error.contains("[::1]:8080"), "{error}");
        }
    }
}

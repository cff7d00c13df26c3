//! What opens a private address to apps: one entry of `allow_private`.

use super::special::only_by_address;
use ipnet::IpNet;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// A private service, or a network of them, that the operator opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrivateRule {
    /// This address at this port. The only form that opens an address of [`only_by_address`].
    Address(SocketAddr),
    /// Whatever the name resolves to, for calls to this very name and port.
    Name {
        /// Lower case, without a dot at its end.
        host: String,
        /// Port of the service.
        port: u16,
    },
    /// Every address of a network.
    Network {
        /// The network.
        network: IpNet,
        /// The port, or any.
        port: Option<u16>,
    },
}

/// Why a text is no such rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` {reason}; write an address and a port (10.0.0.5:5432, [fd00::5]:5432), a name and a port (db.internal:5432), or a \
     network with or without a port (10.0.0.0/8, 10.0.0.0/8:443, fd00::/8)"
)]
pub struct PrivateRuleError {
    text: String,
    reason: String,
}

impl PrivateRule {
    /// Whether it opens this address to a call to `host`, the name in the call's URL, if it has one.
    #[must_use]
    pub fn opens(&self, host: Option<&str>, address: SocketAddr) -> bool {
        let (ip, port) = (address.ip(), address.port());
        match self {
            Self::Address(opened) => (opened.ip(), opened.port()) == (ip, port),
            Self::Name { .. } => host.is_some_and(|host| self.names(host, port)) && !only_by_address(ip),
            Self::Network { network, port: opened } => {
                network.contains(&ip) && opened.is_none_or(|opened| opened == port) && !only_by_address(ip)
            }
        }
    }

    /// Whether it is for calls to this name and port.
    #[must_use]
    pub fn names(&self, host: &str, port: u16) -> bool {
        matches!(self, Self::Name { host: named, port: opened } if named == host && *opened == port)
    }
}

impl FromStr for PrivateRule {
    type Err = PrivateRuleError;
    fn from_str(text: &str) -> Result<Self, PrivateRuleError> {
        let parsed = match text.split_once('/') {
            Some((prefix, rest)) => network(prefix, rest),
            None => service(text),
        };
        parsed.map_err(|reason| PrivateRuleError { text: text.into(), reason })
    }
}

fn network(prefix: &str, rest: &str) -> Result<PrivateRule, String> {
    let (length, port) = match rest.split_once(':') {
        Some((length, port)) => (length, Some(port_number(port)?)),
        None => (rest, None),
    };
    let network: IpNet = format!("{prefix}/{length}").parse().map_err(|_| "is no network".to_owned())?;
    if network != network.trunc() {
        return Err(format!("has bits behind its length, {} has none", network.trunc()));
    }
    if only_by_address(network) {
        return Err(
            "holds only addresses that no network opens: link local, metadata services, IPv4 within IPv6"
                .into(),
        );
    }
    Ok(PrivateRule::Network { network, port })
}

fn service(text: &str) -> Result<PrivateRule, String> {
    let no_port = || "has no port".to_owned();
    if text.parse::<IpAddr>().is_ok() {
        return Err(no_port());
    }
    let (host, port) = text.rsplit_once(':').ok_or_else(no_port)?;
    let port = port_number(port)?;
    match text.parse() {
        Ok(address) => Ok(PrivateRule::Address(address)),
        Err(_) if is_name(host) => Ok(PrivateRule::Name { host: host.to_ascii_lowercase(), port }),
        Err(_) => Err("is neither an address nor a name".into()),
    }
}

fn port_number(text: &str) -> Result<u16, String> {
    let port = text.parse().ok().filter(|port| *port != 0);
    port.ok_or_else(|| format!("has `{text}` for a port, which is none from 1 to 65535"))
}

/// Whether a URL has this text for a name. One whose last label is a number is an address there, in whatever spelling.
fn is_name(host: &str) -> bool {
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    host.len() <= 253 && host.split('.').all(label_ok) && !is_number
}

impl fmt::Display for PrivateRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
            Self::Network { network, port: None } => network.fmt(f),
            Self::Network { network, port: Some(port) } => write!(f, "{network}:{port}"),
        }
    }
}

impl Serialize for PrivateRule {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        into.collect_str(self)
    }
}

struct RuleVisitor;

impl Visitor<'_> for RuleVisitor {
    type Value = PrivateRule;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a private service such as \"10.0.0.5:5432\", \"db.internal:5432\" or \"10.0.0.0/8\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<PrivateRule, E> {
        text.parse().map_err(E::custom)
    }
}

// In a visitor, because the file's reader points at what a visitor refuses.
impl<'de> Deserialize<'de> for PrivateRule {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(RuleVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opens(rule: &str, host: Option<&str>, address: &str) -> bool {
        rule.parse::<PrivateRule>().unwrap().opens(host, address.parse().unwrap())
    }

    #[test]
    fn every_form_is_read_and_written() {
        for text in [
            "10.0.0.5:5432",
            "[fd00::5]:5432",
            "db.internal:5432",
            "my_service:80",
            "10.0.0.0/8",
            "10.0.0.0/8:443",
            "10.0.0.5/32",
            "fd00::/8",
            "fd00::/8:443",
            "::1/128",
            "0.0.0.0/0",
            "169.254.169.254:80",
            "[fd00:ec2::254]:80",
        ] {
            assert_eq!(text.parse::<PrivateRule>().unwrap().to_string(), text);
        }
        assert_eq!("DB.Internal:1".parse::<PrivateRule>().unwrap().to_string(), "db.internal:1");
    }

    #[test]
    fn what_is_no_rule_is_refused_with_the_value_and_an_example_of_each_form() {
        for (text, reason) in [
            ("", "has no port"),
            ("localhost", "has no port"),
            ("10.0.0.5", "has no port"),
            ("fd00::5", "has no port"),
            ("10.0.0.5:0", "`0` for a port"),
            ("localhost:http", "`http` for a port"),
            ("localhost:65536", "`65536` for a port"),
            ("127.1:80", "neither an address nor a name"),
            ("0x7f.0x1:80", "neither an address nor a name"),
            ("*.internal:80", "neither an address nor a name"),
            ("db..internal:80", "neither an address nor a name"),
            ("db.internal.:80", "neither an address nor a name"),
            ("http://db.internal:80", "no network"),
            ("10.0.0.0/33", "no network"),
            ("10.0.0.0/", "no network"),
            ("db.internal/8", "no network"),
            ("10.1.0.0/8", "10.0.0.0/8 has none"),
            ("10.0.0.0/8:0", "`0` for a port"),
            ("169.254.169.254/32", "no network opens"),
            ("169.254.0.0/16", "no network opens"),
            ("fd00:ec2::254/128", "no network opens"),
            ("::ffff:10.0.0.0/104", "no network opens"),
        ] {
            let error = text.parse::<PrivateRule>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` ")) && error.contains(reason), "{error}");
            for example in
                ["10.0.0.5:5432", "[fd00::5]:5432", "db.internal:5432", "10.0.0.0/8", "10.0.0.0/8:443"]
            {
                assert!(error.contains(example), "{error}");
            }
        }
    }

    #[test]
    fn an_address_is_opened_at_its_port() {
        assert!(opens("10.0.0.5:80", None, "10.0.0.5:80") && opens("10.0.0.5:80", Some("x"), "10.0.0.5:80"));
        assert!(!opens("10.0.0.5:80", None, "10.0.0.5:81") && !opens("10.0.0.5:80", None, "10.0.0.6:80"));
        assert!(!opens("10.0.0.5:80", None, "[::ffff:10.0.0.5]:80"));
        assert!(opens("[fd00::5]:80", None, "[fd00::5]:80"));
        assert!(opens("169.254.169.254:80", None, "169.254.169.254:80"));
        assert!(opens("[fd00:ec2::254]:80", None, "[fd00:ec2::254]:80"));
    }

    #[test]
    fn a_name_is_opened_to_calls_to_that_name() {
        assert!(opens("db.internal:80", Some("db.internal"), "10.0.0.5:80"));
        assert!(opens("localhost:80", Some("localhost"), "[::1]:80"));
        assert!(!opens("db.internal:80", Some("db.internal"), "10.0.0.5:81"));
        for host in [Some("evil.example"), Some("x.db.internal"), Some("db.internal."), None] {
            assert!(!opens("db.internal:80", host, "10.0.0.5:80"), "{host:?}");
        }
    }

    #[test]
    fn a_network_is_opened_to_its_ends_and_no_further() {
        for address in ["10.0.0.0:1", "10.255.255.255:65535"] {
            assert!(opens("10.0.0.0/8", None, address), "{address}");
        }
        for address in ["9.255.255.255:1", "11.0.0.0:1", "[::ffff:10.0.0.1]:1", "[::10.0.0.1]:1"] {
            assert!(!opens("10.0.0.0/8", None, address), "{address}");
        }
        assert!(
            opens("10.0.0.0/31:443", None, "10.0.0.1:443") && !opens("10.0.0.0/31:443", None, "10.0.0.2:443")
        );
        assert!(!opens("10.0.0.0/8:443", None, "10.0.0.1:444"));
        assert!(opens("fd00::/8", None, "[fdff::1]:1") && !opens("fd00::/8", None, "[fc00::1]:1"));
        assert!(opens("::1/128", None, "[::1]:1"));
    }

    #[test]
    fn neither_a_name_nor_a_network_opens_a_metadata_service_in_whatever_spelling() {
        for address in [
            "169.254.169.254:80",
            "169.254.170.2:80",
            "168.63.129.16:80",
            "100.100.100.200:80",
            "192.0.0.192:80",
            "[fd00:ec2::254]:80",
            "[fd00:ec2::23]:80",
            "[fd20:ce::254]:80",
            "[fe80::a9fe:a9fe]:80",
            "[::ffff:169.254.169.254]:80",
            "[::ffff:0:169.254.169.254]:80",
            "[::169.254.169.254]:80",
            "[64:ff9b::a9fe:a9fe]:80",
            "[64:ff9b:1::a9fe:a9fe]:80",
            "[2002:a9fe:a9fe::1]:80",
            "[2001:0:4136:e378:8000:63bf:5601:5601]:80",
        ] {
            for rule in ["0.0.0.0/0", "::/0", "::/1", "fd00::/8", "100.64.0.0/10", "meta.internal:80"] {
                assert!(!opens(rule, Some("meta.internal"), address), "{rule} {address}");
            }
        }
    }
}

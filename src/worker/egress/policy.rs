//! Who may be called: pure decisions.

use crate::config::{EgressPolicy, OriginPattern};
use ipnet::{IpNet, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::LazyLock;
use url::{Host, Url};
use vitrine_wire::EgressFailure;

/// The bundle's list and the operator's policy, both of which must allow a call.
#[derive(Debug)]
pub struct Rules {
    bundle: Vec<OriginPattern>,
    operator: Option<Vec<OriginPattern>>,
    opened: Vec<SocketAddr>,
}

impl Rules {
    /// Puts both together. Origins of the policy that do not parse were refused when the file was read; none of them
    /// allows anything here.
    #[must_use]
    pub fn new(bundle: &[OriginPattern], policy: &EgressPolicy) -> Self {
        let parse = |list: &Vec<String>| list.iter().filter_map(|text| text.parse().ok()).collect();
        Self {
            bundle: bundle.to_vec(),
            operator: policy.allow.as_ref().map(parse),
            opened: policy.allow_private.clone(),
        }
    }

    /// Whether the bundle names this URL's origin.
    #[must_use]
    pub fn lists(&self, url: &Url) -> bool {
        self.bundle.iter().any(|entry| entry.allows(url))
    }

    /// Checks a URL before anything is resolved; an address in it is checked here, a name by [`Rules::may_connect`].
    ///
    /// # Errors
    /// [`EgressFailure::Denied`] with the rule that refuses.
    pub fn check(&self, url: &Url) -> Result<(), EgressFailure> {
        let origin = || url.origin().ascii_serialization();
        let denied = |by: &str| EgressFailure::Denied(format!("{} is not in {by}", origin()));
        if !self.lists(url) {
            return Err(denied("the bundle's `egress` list"));
        }
        // Fetch refuses them in an app's own URL; these come from a redirect.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EgressFailure::Denied(format!(
                "the URL of {} holds a user name or a password",
                origin()
            )));
        }
        let address = match url.host() {
            Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
            _ => None,
        };
        let port = url.port_or_known_default().unwrap_or(0);
        let opened = address.is_some_and(|ip| self.opened.contains(&SocketAddr::new(ip, port)));
        let listed = self.operator.as_ref().is_none_or(|list| list.iter().any(|entry| entry.allows(url)));
        if !listed && !opened {
            return Err(denied("the operator's `egress.allow`"));
        }
        match address {
            Some(ip) if !self.may_connect(SocketAddr::new(ip, port)) => {
                Err(refused(SocketAddr::new(ip, port)))
            }
            _ => Ok(()),
        }
    }

    /// Whether this address may be connected: a public one, or one that the operator opened.
    #[must_use]
    pub fn may_connect(&self, address: SocketAddr) -> bool {
        is_public(address.ip()) || self.opened.contains(&address)
    }
}

/// What an app sees when an address is refused.
#[must_use]
pub fn refused(address: SocketAddr) -> EgressFailure {
    EgressFailure::Denied(format!(
        "{address} is not a public address; only the operator can open it (egress.allow_private)"
    ))
}

/// Everything in the registries of special-purpose addresses (RFC 6890 and its updates) that is not globally
/// reachable, and multicast.
static SPECIAL: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
    [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/127",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    ]
    .iter()
    .filter_map(|net| net.parse().ok())
    .collect()
});

/// Prefixes that carry an IPv4 address inside: NAT64 (its last 32 bits) and 6to4 (bits 16 to 48).
static NAT64: LazyLock<Option<Ipv6Net>> = LazyLock::new(|| "64:ff9b::/96".parse().ok());
static SIX_TO_FOUR: LazyLock<Option<Ipv6Net>> = LazyLock::new(|| "2002::/16".parse().ok());

/// Whether an address is reachable for everybody. Addresses that carry an IPv4 address are judged by that one.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    if let IpAddr::V6(v6) = ip {
        let octets = v6.octets();
        let inner = |at: usize| Ipv4Addr::new(octets[at], octets[at + 1], octets[at + 2], octets[at + 3]);
        if let Some(v4) = v6.to_ipv4_mapped() {
            return is_public(IpAddr::V4(v4));
        }
        if NAT64.is_none_or(|net| net.contains(&v6)) || octets[..12] == [0; 12] {
            return octets[..12] != [0; 12] && is_public(IpAddr::V4(inner(12)));
        }
        if SIX_TO_FOUR.is_none_or(|net| net.contains(&v6)) {
            return is_public(IpAddr::V4(inner(2)));
        }
    }
    !SPECIAL.iter().any(|net| net.contains(&ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(bundle: &[&str], allow: Option<&[&str]>, opened: &[&str]) -> Rules {
        let bundle: Vec<OriginPattern> = bundle.iter().map(|text| text.parse().unwrap()).collect();
        let policy = EgressPolicy {
            allow: allow.map(|list| list.iter().map(ToString::to_string).collect()),
            allow_private: opened.iter().map(|text| text.parse().unwrap()).collect(),
            ..EgressPolicy::default()
        };
        Rules::new(&bundle, &policy)
    }

    fn allowed(rules: &Rules, url: &str) -> bool {
        rules.check(&url.parse().unwrap()).is_ok()
    }

    #[test]
    fn both_lists_must_name_the_origin() {
        let both = rules(&["https://api.example.com"], Some(&["https://*.example.com"]), &[]);
        assert!(allowed(&both, "https://api.example.com/x?y"));
        assert!(!allowed(&both, "https://other.example.com/"), "not in the bundle");
        assert!(!allowed(&both, "http://api.example.com/"), "other scheme");
        assert!(!allowed(&both, "https://api.example.com:444/"), "other port");
        let operator = rules(&["https://api.example.com"], Some(&[]), &[]);
        assert!(!allowed(&operator, "https://api.example.com/"), "not in the operator's list");
        let suffix = rules(&["https://*.example.com"], None, &[]);
        assert!(allowed(&suffix, "https://a.b.example.com/"));
        assert!(!allowed(&suffix, "https://example.com/") && !allowed(&suffix, "https://evilexample.com/"));
    }

    #[test]
    fn a_url_holds_no_credentials() {
        let rules = rules(&["https://api.example.com"], None, &[]);
        assert!(!allowed(&rules, "https://user@api.example.com/"));
        assert!(!allowed(&rules, "https://:password@api.example.com/"));
        assert!(allowed(&rules, "https://api.example.com/user@"));
    }

    #[test]
    fn private_addresses_need_the_operator_by_address_and_port() {
        let closed = rules(&["http://127.0.0.1:4100", "http://127.0.0.1:4101"], None, &["127.0.0.1:4100"]);
        assert!(allowed(&closed, "http://127.0.0.1:4100/"));
        assert!(!allowed(&closed, "http://127.0.0.1:4101/"));
        assert!(!closed.may_connect("127.0.0.1:80".parse().unwrap()));
        assert!(closed.may_connect("127.0.0.1:4100".parse().unwrap()));
    }

    #[test]
    fn every_spelling_of_a_private_address_is_one() {
        for text in [
            "10.1.2.3",
            "127.9.9.9",
            "169.254.169.254",
            "172.31.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "::7f00:1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in ["1.1.1.1", "8.8.8.8", "172.32.0.1", "2606:4700::1111", "64:ff9b::101:101"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        let all = rules(&["http://127.0.0.1"], None, &[]);
        for url in [
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.0.0.1./",
        ] {
            assert!(!allowed(&all, url), "{url}");
        }
    }
}

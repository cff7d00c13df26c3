//! Addresses that are not public: IANA's registries of special-purpose addresses, as a table.
//!
//! Sources, as of 2026: "IANA IPv4 Special-Purpose Address Registry" and "IANA IPv6 Special-Purpose Address Registry" (RFC 6890,
//! RFC 8190), every block that they do not call globally reachable; "IPv4 Multicast Address Space" and "IPv6 Multicast Address
//! Space"; and what clouds give a meaning of their own.

use Opened::{ByAddress, ByAnyRule};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

/// Which rules of the operator open a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opened {
    ByAnyRule,
    /// An address and its port alone. Some of these addresses hand out credentials to any process on this machine, and others are IPv6
    /// addresses that stand for an IPv4 one, such as those: a service's DNS record could lead an app to them.
    ByAddress,
}
/// A block, what opens it, and what says that it is special.
type Block = (&'static str, Opened, &'static str);

/// RFC 6052: the translated address is in the last 32 bits. Hosts without IPv4 reach public addresses by it.
const TRANSLATED: &str = "64:ff9b::/96";

/// Blocks that no app calls without the operator's word.
const BLOCKS: [Block; 42] = [
    ("0.0.0.0/8", ByAnyRule, "RFC 791: this network"),
    ("10.0.0.0/8", ByAnyRule, "RFC 1918: private use"),
    ("100.64.0.0/10", ByAnyRule, "RFC 6598: shared address space"),
    ("127.0.0.0/8", ByAnyRule, "RFC 1122: loopback"),
    ("168.63.129.16/32", ByAddress, "Azure: the platform of a virtual machine"),
    ("169.254.0.0/16", ByAddress, "RFC 3927: link local, metadata of most clouds"),
    ("172.16.0.0/12", ByAnyRule, "RFC 1918: private use"),
    ("192.0.0.0/24", ByAnyRule, "RFC 6890: protocol assignments"),
    ("192.0.2.0/24", ByAnyRule, "RFC 5737: documentation"),
    ("192.88.99.0/24", ByAnyRule, "RFC 7526: 6to4 relays, deprecated"),
    ("192.168.0.0/16", ByAnyRule, "RFC 1918: private use"),
    ("198.18.0.0/15", ByAnyRule, "RFC 2544: benchmarks"),
    ("198.51.100.0/24", ByAnyRule, "RFC 5737: documentation"),
    ("203.0.113.0/24", ByAnyRule, "RFC 5737: documentation"),
    ("224.0.0.0/4", ByAnyRule, "RFC 5771: multicast"),
    ("240.0.0.0/4", ByAnyRule, "RFC 1112: reserved"),
    ("255.255.255.255/32", ByAnyRule, "RFC 8190: limited broadcast"),
    ("::/128", ByAnyRule, "RFC 4291: unspecified"),
    ("::1/128", ByAnyRule, "RFC 4291: loopback"),
    ("::/96", ByAddress, "RFC 4291: IPv4-compatible, deprecated"),
    ("::ffff:0:0/96", ByAddress, "RFC 4291: IPv4-mapped"),
    ("::ffff:0:0:0/96", ByAddress, "RFC 2765: IPv4-translated"),
    (TRANSLATED, ByAddress, "RFC 6052: IPv4 and IPv6 translation; judged by what it becomes"),
    ("64:ff9b:1::/48", ByAddress, "RFC 8215: IPv4 and IPv6 translation, local"),
    ("100::/64", ByAnyRule, "RFC 6666: discard only"),
    ("100:0:0:1::/64", ByAnyRule, "RFC 9780: dummy prefix"),
    ("2001::/23", ByAnyRule, "RFC 2928: protocol assignments"),
    ("2001::/32", ByAddress, "RFC 4380: Teredo"),
    ("2001:2::/48", ByAnyRule, "RFC 5180: benchmarks"),
    ("2001:10::/28", ByAnyRule, "RFC 4843: ORCHID, deprecated"),
    ("2001:db8::/32", ByAnyRule, "RFC 3849: documentation"),
    ("2002::/16", ByAddress, "RFC 3056: 6to4"),
    ("3fff::/20", ByAnyRule, "RFC 9637: documentation"),
    ("5f00::/16", ByAnyRule, "RFC 9602: segment routing"),
    ("fc00::/7", ByAnyRule, "RFC 4193: unique local"),
    ("fe80::/10", ByAddress, "RFC 4291: link local"),
    ("fec0::/10", ByAnyRule, "RFC 3879: site local, deprecated"),
    ("ff00::/8", ByAnyRule, "RFC 4291: multicast"),
    // Within blocks above, named because they hold secrets.
    ("100.100.100.200/32", ByAddress, "Alibaba Cloud: metadata"),
    ("192.0.0.192/32", ByAddress, "Oracle Cloud: metadata"),
    ("fd00:ec2::/32", ByAddress, "AWS: metadata and what else its machines ask"),
    ("fd20:ce::254/128", ByAddress, "Google Cloud: metadata"),
];

static SPECIAL: LazyLock<Vec<(IpNet, Opened)>> = LazyLock::new(|| {
    BLOCKS.iter().filter_map(|(block, opened, _)| Some((block.parse().ok()?, *opened))).collect()
});
static NAT64: LazyLock<Option<IpNet>> = LazyLock::new(|| TRANSLATED.parse().ok());

/// Whether an address is reachable for everybody. One that is translated to IPv4 is judged by what it becomes.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    if let IpAddr::V6(v6) = ip
        && NAT64.is_none_or(|net| net.contains(&ip))
    {
        let [.., a, b, c, d] = v6.octets();
        return is_public(IpAddr::V4(Ipv4Addr::new(a, b, c, d)));
    }
    !SPECIAL.iter().any(|(net, _)| net.contains(&ip))
}

/// Whether only a rule with the very address opens it, or every address of a network. `::1` lies among the IPv4-compatible addresses
/// and is none.
#[must_use]
pub fn only_by_address(addresses: impl Into<IpNet>) -> bool {
    let addresses = addresses.into();
    addresses.addr() != Ipv6Addr::LOCALHOST
        && SPECIAL.iter().any(|(net, opened)| *opened == ByAddress && net.contains(&addresses))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    #[test]
    fn every_block_is_one_and_none_of_its_ends_is_public() {
        assert!(NAT64.is_some());
        assert_eq!(SPECIAL.len(), BLOCKS.len(), "a block does not parse");
        for ((net, opened), (_, _, source)) in SPECIAL.iter().zip(&BLOCKS) {
            assert!(!source.is_empty());
            let ends = [net.network(), net.broadcast()].map(|end: IpAddr| only_by_address(end));
            assert!(*opened == ByAnyRule || ends == [true; 2], "{net}");
            assert!(!is_public(net.network()) && !is_public(net.broadcast()), "{net}");
        }
    }

    #[test]
    fn every_spelling_of_a_private_address_is_one() {
        for text in [
            "10.1.2.3",
            "127.9.9.9",
            "169.254.169.254",
            "168.63.129.16",
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
            "::ffff:0:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b::a83f:8110",
            "64:ff9b:1::a00:1",
            "2002:7f00:1::",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "::7f00:1",
        ] {
            assert!(!public(text), "{text}");
        }
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "168.63.129.17",
            "172.32.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
            "64:ff9b::101:101",
        ] {
            assert!(public(text), "{text}");
        }
    }
}

//! Who may read the metrics without a token.

use super::proxy;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Who may read the metrics without a token.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsRules {
    /// Networks that scrapers ask from.
    #[serde(deserialize_with = "proxy::networks")]
    pub allow: Vec<IpNet>,
}

impl MetricsRules {
    /// Whether a client at this address may read them that asks for this `Host`. A page that a browser has from elsewhere asks under
    /// its own name, whatever address that was made to mean: scrapers use an address, or a name without a dot.
    #[must_use]
    pub fn lets(&self, client: IpAddr, host: Option<&str>) -> bool {
        let client = client.to_canonical();
        self.allow.iter().any(|network| network.contains(&client)) && host.is_some_and(is_local)
    }
}

fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(literal) => return literal.split(']').next().is_some_and(|ip| ip.parse::<IpAddr>().is_ok()),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.parse::<IpAddr>().is_ok() || (!name.is_empty() && !name.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_networks_read_under_a_local_name_and_nobody_else() {
        let rules = MetricsRules { allow: vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()] };
        let lets = |client: &str, host| rules.lets(client.parse().unwrap(), host);
        for host in ["10.1.2.3:8081", "[::1]:8081", "localhost", "vitrine:8081"] {
            assert!(lets("10.9.9.9", Some(host)), "{host}");
        }
        assert!(lets("::ffff:10.0.0.1", Some("vitrine")) && lets("::1", Some("[::1]")));
        assert!(!lets("127.0.0.1", Some("localhost")) && !lets("11.0.0.1", Some("10.0.0.1")));
        for host in [None, Some(""), Some("rebound.attacker.example:8081"), Some("[rebound]"), Some(":80")] {
            assert!(!lets("10.9.9.9", host), "{host:?}");
        }
        assert!(!MetricsRules::default().lets("127.0.0.1".parse().unwrap(), Some("localhost")));
    }
}

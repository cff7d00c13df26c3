//! What one client may take of the edge.

use crate::hop_by_hop::is_hop_by_hop;
use crate::limits::{CONNECTIONS_PER_CLIENT, REQUESTS_PER_CLIENT};
use http::HeaderName;
use serde::{Deserialize, Serialize};

/// Headers that the host makes itself, beside those that belong to one connection.
const OWN_HEADERS: [&str; 11] = [
    "cookie",
    "expect",
    "forwarded",
    "host",
    "traceparent",
    "tracestate",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-request-id",
];
/// Prefixes of headers by which this host and frameworks talk to themselves.
const OWN_PREFIXES: [&str; 4] = ["x-middleware-", "x-nextjs-", "x-react-router-", "x-vitrine-"];

/// Bounds of a client, and what is believed of proxies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EdgeRules {
    /// Connections of one client at once: an address of IPv4, a /64 of IPv6. Not for trusted proxies.
    pub connections_per_client: u32,
    /// Requests of one client in flight at once, also of one behind trusted proxies.
    pub requests_per_client: u32,
    /// Whether `X-Forwarded-Host` of a trusted proxy says which app is meant, whatever `Host` says.
    pub trust_forwarded_host: bool,
    /// Whether open pages stay with the release that they came from, by a cookie or a header.
    pub skew_protection: bool,
    /// Headers that apps get from trusted proxies, and from nobody else, such as `x-forwarded-user`.
    pub trusted_headers: Vec<String>,
    /// Whether answers of apps are compressed.
    pub compression: bool,
    /// Whether files of a new release are sent as what differs from those that a browser has.
    pub deltas: bool,
    /// Whether answers say which release and epoch they are of, what came of them, and how long they took.
    pub diagnostic_headers: bool,
}

impl Default for EdgeRules {
    fn default() -> Self {
        Self {
            connections_per_client: CONNECTIONS_PER_CLIENT,
            requests_per_client: REQUESTS_PER_CLIENT,
            trust_forwarded_host: false,
            skew_protection: true,
            trusted_headers: Vec::new(),
            compression: true,
            deltas: true,
            diagnostic_headers: true,
        }
    }
}

impl EdgeRules {
    /// [`EdgeRules::trusted_headers`] as names. What is none is refused when the file is read.
    #[must_use]
    pub fn trusted_headers(&self) -> Vec<HeaderName> {
        self.trusted_headers.iter().filter_map(|name| name.parse().ok()).collect()
    }

    /// The first of [`EdgeRules::trusted_headers`] that is no name of a header, or that the host itself makes or keeps from apps.
    pub(super) fn unfit_header(&self) -> Option<&str> {
        let is_own = |name: &str| {
            is_hop_by_hop(name)
                || OWN_HEADERS.contains(&name)
                || OWN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        };
        let unfit = |name: &&String| {
            name.contains('_') || name.parse::<HeaderName>().map_or(true, |name| is_own(name.as_str()))
        };
        self.trusted_headers.iter().find(unfit).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_a_connection_and_of_the_host_are_not_for_proxies_to_set() {
        let unfit = |name: &str| {
            EdgeRules { trusted_headers: vec![name.to_owned()], ..EdgeRules::default() }
                .unfit_header()
                .is_some()
        };
        for name in [
            "http2-settings",
            "Proxy-Authorization",
            "te",
            "tracestate",
            "x-forwarded-for",
            "x-vitrine-a",
            "a b",
        ] {
            assert!(unfit(name), "{name}");
        }
        for name in ["x-forwarded-user", "X-Real-IP", "remote-user"] {
            assert!(!unfit(name), "{name}");
        }
    }
}

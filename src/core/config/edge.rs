//! What one client may take of the edge.

use crate::limits::{CONNECTIONS_PER_CLIENT, REQUESTS_PER_CLIENT};
use serde::{Deserialize, Serialize};

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
            diagnostic_headers: true,
        }
    }
}

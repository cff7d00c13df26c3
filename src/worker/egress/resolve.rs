//! Name resolution that gives only addresses which may be connected, so a name that changes its answer gains nothing.

use super::policy::{Rules, refused};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::SocketAddr;
use std::sync::Arc;

/// Resolves for calls to one port.
pub struct Checked {
    rules: Arc<Rules>,
    port: u16,
}

impl Checked {
    /// A resolver for calls to this port.
    pub fn new(rules: Arc<Rules>, port: u16) -> Self {
        Self { rules, port }
    }
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (rules, port) = (Arc::clone(&self.rules), self.port);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), port)).await?.collect();
            let allowed: Vec<SocketAddr> = found.iter().copied().filter(|a| rules.may_connect(*a)).collect();
            match (allowed.is_empty(), found.first()) {
                (true, Some(first)) => Err(refused(*first).into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

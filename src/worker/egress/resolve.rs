//! Name resolution that gives only addresses which may be connected, so a name that changes its answer gains nothing.

use super::policy::{Rules, refused};
use futures_util::future::BoxFuture;
use hyper_util::client::legacy::connect::dns::Name;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::Service;

/// Resolves for calls to one port.
#[derive(Debug, Clone)]
pub struct CheckedResolver {
    rules: Arc<Rules>,
    port: u16,
}

impl CheckedResolver {
    /// A resolver for calls to this port.
    pub fn new(rules: Arc<Rules>, port: u16) -> Self {
        Self { rules, port }
    }
}

impl Service<Name> for CheckedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (rules, port) = (Arc::clone(&self.rules), self.port);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), port)).await?.collect();
            let allowed: Vec<SocketAddr> = found.iter().copied().filter(|a| rules.may_connect(*a)).collect();
            match (allowed.is_empty(), found.first()) {
                (true, Some(first)) => Err(refused(*first).into()),
                _ => Ok(allowed.into_iter()),
            }
        })
    }
}

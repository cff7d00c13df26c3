//! Name resolution that gives only addresses which may be connected, so a name that changes its answer gains nothing.

use super::policy::Rules;
use futures_util::future::BoxFuture;
use hyper_util::client::legacy::connect::dns::Name;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::Semaphore;
use tower::Service;

/// What a name resolves to may not be connected. The app is not told the address: it may be one of a network that it can't see.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not a public address")]
pub struct NotPublic(pub SocketAddr);

/// Resolves for calls to one port.
#[derive(Debug, Clone)]
pub struct CheckedResolver {
    rules: Arc<Rules>,
    lookups: Arc<Semaphore>,
    port: u16,
}

impl CheckedResolver {
    /// A resolver for calls to this port, one of those that share the places of `lookups`.
    pub fn new(rules: Arc<Rules>, lookups: Arc<Semaphore>, port: u16) -> Self {
        Self { rules, lookups, port }
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
        let (rules, lookups, port) = (Arc::clone(&self.rules), Arc::clone(&self.lookups), self.port);
        Box::pin(async move {
            let place = lookups.acquire_owned().await?;
            // A call that is given up gives its place back only when the system's resolver has let go of its thread.
            let lookup = tokio::spawn(async move {
                let found = tokio::net::lookup_host((name.as_str(), port)).await;
                drop(place);
                found.map(Vec::from_iter)
            });
            let found = lookup.await??;
            let allowed: Vec<SocketAddr> = found.iter().copied().filter(|a| rules.may_connect(*a)).collect();
            match (allowed.is_empty(), found.first()) {
                (true, Some(first)) => Err(NotPublic(*first).into()),
                _ => Ok(allowed.into_iter()),
            }
        })
    }
}

//! Name resolution that gives only addresses which may be connected, so a name that changes its answer gains nothing.

use super::policy::Rules;
use futures_util::future::BoxFuture;
use hyper_util::client::legacy::connect::dns::Name;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::Semaphore;
use tower::Service;

/// What a name resolves to may not be connected. The app is not told the address: it may be one of a network that it can't see.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not a public address")]
pub(super) struct NotPublic(pub SocketAddr);

/// It leads to this machine, whose services trust what comes from it more than what comes from elsewhere.
#[derive(Debug, thiserror::Error)]
#[error("{0} is an address of this machine")]
pub(super) struct OwnAddress(pub SocketAddr);

/// A name that the system's resolver has no address for.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NotFound(pub io::Error);

/// What a name resolves to now.
pub(super) type Lookup = fn(String, u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;

/// Asks the system's resolver.
pub(super) fn system(name: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
    Box::pin(async move { tokio::net::lookup_host((name, port)).await.map(Vec::from_iter) })
}

/// Resolves for calls to one port.
#[derive(Debug, Clone)]
pub(super) struct CheckedResolver {
    rules: Arc<Rules>,
    lookups: Arc<Semaphore>,
    lookup: Lookup,
    port: u16,
}

impl CheckedResolver {
    /// A resolver for calls to this port, one of those that share the places of `lookups`.
    pub(super) fn new(rules: Arc<Rules>, lookups: Arc<Semaphore>, lookup: Lookup, port: u16) -> Self {
        Self { rules, lookups, lookup, port }
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
        let (rules, lookups) = (Arc::clone(&self.rules), Arc::clone(&self.lookups));
        let looked_up = (self.lookup)(name.as_str().to_owned(), self.port);
        Box::pin(async move {
            let place = lookups.acquire_owned().await?;
            // A call that is given up gives its place back only when the system's resolver has let go of its thread.
            let lookup = tokio::spawn(async move {
                let found = looked_up.await;
                drop(place);
                found
            });
            let found = lookup.await?.map_err(NotFound)?;
            let may_connect = |address: &SocketAddr| rules.may_connect(Some(name.as_str()), *address);
            // Only these are connected, and the name is not resolved again for it.
            let allowed: Vec<SocketAddr> = found.iter().copied().filter(may_connect).collect();
            match (allowed.is_empty(), found.first()) {
                (true, Some(first)) => Err(NotPublic(*first).into()),
                _ => Ok(allowed.into_iter()),
            }
        })
    }
}

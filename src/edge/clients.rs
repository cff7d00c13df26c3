//! Counts the requests in flight of each client, across connections and proxies.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use vitrine_core::limits::CLIENT_COUNTERS;
use vitrine_proxy::connections::client::Client;

/// Counts without a lock and without a table that grows: each client has a counter in both rows and shares it with others by chance.
/// The lower one counts. It is too high only if both are shared with busy clients, and no client can choose which ones it shares.
#[derive(Debug)]
pub(crate) struct Clients {
    per_client: u32,
    rows: [Row; 2],
}

#[derive(Debug)]
struct Row {
    hasher: RandomState,
    counters: Box<[AtomicU32]>,
}

/// A request in flight; ends when dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    clients: Arc<Clients>,
    at: [usize; 2],
}

impl Drop for Counted {
    fn drop(&mut self) {
        for (row, at) in self.clients.rows.iter().zip(self.at) {
            row.counters[at].fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Clients {
    /// Each of which may have so many requests in flight.
    #[must_use]
    pub(crate) fn new(per_client: u32) -> Arc<Self> {
        let counters = || (0..CLIENT_COUNTERS).map(|_| AtomicU32::new(0)).collect();
        let row = || Row { hasher: RandomState::new(), counters: counters() };
        Arc::new(Self { per_client, rows: [row(), row()] })
    }

    /// Counts a request, unless its client has as many as it may.
    #[must_use]
    pub(crate) fn enter(self: &Arc<Self>, client: IpAddr) -> Option<Counted> {
        let client = Client::of(client);
        let place = |row: &Row| row.hasher.hash_one(client) as usize % CLIENT_COUNTERS;
        let at = [place(&self.rows[0]), place(&self.rows[1])];
        let before = [0, 1].map(|row| self.rows[row].counters[at[row]].fetch_add(1, Ordering::Relaxed));
        // A request that is not counted after all takes its count back.
        let counted = Counted { clients: Arc::clone(self), at };
        (before[0].min(before[1]) < self.per_client).then_some(counted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_as_many_as_it_may_and_others_have_theirs() {
        let clients = Clients::new(2);
        let [one, two] = ["10.0.0.1", "10.0.0.2"].map(|address| address.parse().unwrap());
        let first = clients.enter(one).unwrap();
        let _second = clients.enter(one).unwrap();
        assert!(clients.enter(one).is_none() && clients.enter(one).is_none());
        let _others = clients.enter(two).unwrap();
        drop(first);
        assert!(clients.enter(one).is_some());
    }

    #[test]
    fn a_thousand_busy_clients_stand_in_nobodys_way() {
        let clients = Clients::new(1);
        let address = |n: u16| IpAddr::from([10, 0, (n >> 8) as u8, n as u8]);
        let mut held = Vec::new();
        let refused =
            (0..1_000).filter(|n| clients.enter(address(*n)).map(|request| held.push(request)).is_none());
        // One in a few hundred meets others in both rows at such a low bound.
        assert!(refused.count() < 50);
    }
}

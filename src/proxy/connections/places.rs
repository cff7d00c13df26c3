//! Places for connections. Each has one while it is open. If all are taken, a new connection gets the place of an idle one; if
//! none is idle, it gets a place of the reserve, where its requests are refused. Locked when a connection comes and goes, never by a request.

use super::activity::Activity;
use super::client::Client;
use super::victims::{Candidate, choose};
use ipnet::IpNet;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::limits::{EVICTED_SHARE, EXCESS_WARNING_MS, IDLE_PRESSED_MS, PRESSED_CHECK_MS};
use vitrine_core::telemetry::connections::{ConnectionSeries, Evicted, Refused, State};

/// How many connections there may be.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Of all clients together.
    pub all: usize,
    /// Beyond these: places in which a connection is told that there is none.
    pub reserve: usize,
    /// Of one client.
    pub per_client: usize,
    /// Peers that are no client but bring those of many.
    pub trusted_proxies: Vec<IpNet>,
}

impl Bounds {
    /// Connections at once in all, those among them that were told to go and have not ended yet.
    const fn sockets(&self) -> usize {
        self.all + self.reserve + self.all.div_ceil(8)
    }
}

/// Why a connection has a place of the reserve only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// All places are taken, each with a request in flight.
    All,
    /// This client's are.
    Client,
}

/// The places of one side.
#[derive(Debug)]
pub struct Places {
    bounds: Bounds,
    series: ConnectionSeries,
    table: Mutex<Table>,
    /// [`Table::evicted`], for readers without the lock.
    evicted: AtomicUsize,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    connections: HashMap<u64, Connection>,
    clients: HashMap<Client, usize>,
    open: usize,
    reserved: usize,
    pressed_look: Option<Instant>,
    warned: Option<Instant>,
}

#[derive(Debug)]
struct Connection {
    activity: Arc<Activity>,
    /// `None` is a trusted proxy.
    client: Option<Client>,
    excess: Option<Excess>,
    /// Its place is given away already.
    evicted: bool,
}

/// Which connections are looked at for one that may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Among {
    All,
    Client(Client),
    Reserve,
}

/// A connection's place, free again when dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    id: u64,
    /// Clocks of the connection.
    pub activity: Arc<Activity>,
    /// Whether it is one of the reserve.
    pub excess: Option<Excess>,
    /// Whether its peer is a trusted proxy.
    pub trusted: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.leave(self.id);
    }
}

impl Places {
    /// All of them free.
    #[must_use]
    pub fn new(bounds: Bounds, series: ConnectionSeries) -> Arc<Self> {
        Arc::new(Self { bounds, series, table: Mutex::default(), evicted: AtomicUsize::new(0) })
    }

    /// A place for a connection that was accepted now; `None` if even the reserve is full of requests in flight.
    #[must_use]
    pub fn take(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        let trusted = self.bounds.trusted_proxies.iter().any(|net| net.contains(&peer));
        let client = (!trusted).then(|| Client::of(peer));
        let mut table = self.lock();
        self.relieve(&mut table);
        let excess = self.excess(&mut table, client);
        if table.connections.len() >= self.bounds.sockets()
            || excess.is_some() && !self.has_reserve(&mut table)
        {
            self.series.refused(Refused::Reserve);
            self.show(&table);
            return None;
        }
        if let Some(excess) = excess {
            self.series.refused(excess.into());
            table.warn(excess, peer);
        }
        let id = table.next;
        table.next += 1;
        let activity = Activity::start();
        let connection = Connection { activity: Arc::clone(&activity), client, excess, evicted: false };
        table.connections.insert(id, connection);
        match (excess, client) {
            (Some(_), _) => table.reserved += 1,
            (None, client) => {
                table.open += 1;
                if let Some(client) = client {
                    *table.clients.entry(client).or_default() += 1;
                }
            }
        }
        self.show(&table);
        drop(table);
        Some(Place { places: Arc::clone(self), id, activity, excess, trusted })
    }

    /// Closes connections that are idle: the process has no file left for a new one.
    pub fn make_room(&self) {
        let mut table = self.lock();
        self.evict(&mut table, Among::All, Evicted::Files);
        self.show(&table);
    }

    /// Whether connections were told to go and have not ended yet.
    #[must_use]
    pub fn has_evicted(&self) -> bool {
        self.evicted.load(Ordering::Relaxed) > 0
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why a connection can't have a place of its own, after those that are idle have gone for it.
    fn excess(&self, table: &mut Table, client: Option<Client>) -> Option<Excess> {
        if let Some(client) = client
            && table.clients.get(&client).is_some_and(|open| *open >= self.bounds.per_client)
            && !self.evict(table, Among::Client(client), Evicted::Client)
        {
            return Some(Excess::Client);
        }
        let full = table.open >= self.bounds.all;
        (full && !self.evict(table, Among::All, Evicted::All)).then_some(Excess::All)
    }

    fn has_reserve(&self, table: &mut Table) -> bool {
        table.reserved < self.bounds.reserve || self.evict(table, Among::Reserve, Evicted::Reserve)
    }

    /// Shortens the time that connections may be idle while few places are free.
    fn relieve(&self, table: &mut Table) {
        let pressed = table.open >= self.bounds.all - self.bounds.all / 8;
        let pause = Duration::from_millis(PRESSED_CHECK_MS);
        if !pressed || table.pressed_look.is_some_and(|look| look.elapsed() < pause) {
            return;
        }
        table.pressed_look = Some(Instant::now());
        let long_idle = |candidate: &Candidate| !candidate.trusted && candidate.idle_ms >= IDLE_PRESSED_MS;
        let found: Vec<u64> = table.candidates(Among::All).filter(long_idle).map(|found| found.id).collect();
        self.end(table, &found, Evicted::Pressure);
    }

    /// Whether connections could be found that end for others.
    fn evict(&self, table: &mut Table, among: Among, why: Evicted) -> bool {
        if failpoint::at("places.evict") == Some(Fault::Skip) {
            return false;
        }
        let of = match among {
            Among::All => self.bounds.all,
            Among::Client(_) => self.bounds.per_client,
            Among::Reserve => self.bounds.reserve,
        };
        let chosen = choose(table.candidates(among).collect(), (of / EVICTED_SHARE).max(1));
        self.end(table, &chosen, why);
        !chosen.is_empty()
    }

    fn end(&self, table: &mut Table, chosen: &[u64], why: Evicted) {
        for id in chosen {
            if let Some(connection) = table.connections.get_mut(id) {
                connection.evicted = true;
                connection.activity.evict();
                let (client, excess) = (connection.client, connection.excess);
                table.give_up(client, excess);
                self.series.evicted(why);
            }
        }
    }

    fn leave(&self, id: u64) {
        let mut table = self.lock();
        if let Some(left) = table.connections.remove(&id)
            && !left.evicted
        {
            table.give_up(left.client, left.excess);
        }
        self.show(&table);
    }

    fn show(&self, table: &Table) {
        self.series.set(State::Open, table.open);
        self.series.set(State::Reserve, table.reserved);
        let evicted = table.evicted();
        self.series.set(State::Evicted, evicted);
        self.evicted.store(evicted, Ordering::Relaxed);
    }
}

impl Table {
    /// Connections that were told to go and have not ended yet.
    fn evicted(&self) -> usize {
        self.connections.len() - self.open - self.reserved
    }

    fn candidates(&self, among: Among) -> impl Iterator<Item = Candidate> {
        self.connections.iter().filter_map(move |(id, connection)| {
            let meant = !connection.evicted
                && match among {
                    Among::All => connection.excess.is_none(),
                    Among::Client(client) => connection.excess.is_none() && connection.client == Some(client),
                    Among::Reserve => connection.excess.is_some(),
                };
            let idle_ms = meant.then(|| connection.activity.idle_ms()).flatten()?;
            Some(Candidate { id: *id, trusted: connection.client.is_none(), idle_ms })
        })
    }

    fn warn(&mut self, excess: Excess, peer: IpAddr) {
        let pause = Duration::from_millis(EXCESS_WARNING_MS);
        if self.warned.is_some_and(|warned| warned.elapsed() < pause) {
            return;
        }
        self.warned = Some(Instant::now());
        match excess {
            Excess::All => tracing::warn!("every connection has a request in flight; new ones are refused"),
            Excess::Client => tracing::warn!(
                client = %peer,
                "this client has as many connections as one may, each with a request in flight; if it is a proxy, name it in trusted_proxies"
            ),
        }
    }

    fn give_up(&mut self, client: Option<Client>, excess: Option<Excess>) {
        if excess.is_some() {
            self.reserved -= 1;
            return;
        }
        self.open -= 1;
        let Some(client) = client else { return };
        if let Some(open) = self.clients.get_mut(&client) {
            *open -= 1;
            if *open == 0 {
                self.clients.remove(&client);
            }
        }
    }
}

impl From<Excess> for Refused {
    fn from(excess: Excess) -> Self {
        match excess {
            Excess::All => Self::All,
            Excess::Client => Self::Client,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitrine_core::telemetry::Metrics;
    use vitrine_core::telemetry::connections::Side;

    fn places(all: usize, reserve: usize, per_client: usize) -> (Arc<Places>, Metrics) {
        let metrics = Metrics::new();
        let trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        let bounds = Bounds { all, reserve, per_client, trusted_proxies };
        (Places::new(bounds, metrics.connections(Side::Edge)), metrics)
    }

    fn take(places: &Arc<Places>, peer: &str) -> Option<Place> {
        places.take(peer.parse().unwrap())
    }

    #[test]
    fn a_client_gets_its_own_idle_places_and_no_more() {
        let (places, _) = places(9, 1, 2);
        let one = take(&places, "9.9.9.9").unwrap();
        let _busy = one.activity.begin(false);
        let two = take(&places, "9.9.9.9").unwrap();
        let busy = two.activity.begin(false);
        assert_eq!(take(&places, "9.9.9.9").unwrap().excess, Some(Excess::Client));
        assert_eq!(take(&places, "8.8.8.8").unwrap().excess, None);
        drop(busy);
        let _three = take(&places, "9.9.9.9").filter(|place| place.excess.is_none()).unwrap();
        // The one that was told to go has no place to give a second time.
        let _busy = _three.activity.begin(false);
        assert_eq!(take(&places, "9.9.9.9").unwrap().excess, Some(Excess::Client));
        drop((one, two));
        assert_eq!(take(&places, "9.9.9.9").unwrap().excess, None);
    }

    #[test]
    fn proxies_have_any_number_and_lose_theirs_last() {
        let (places, metrics) = places(3, 1, 1);
        let proxies = [take(&places, "10.0.0.1").unwrap(), take(&places, "10.0.0.1").unwrap()];
        let visitor = take(&places, "9.9.9.9").unwrap();
        let _busy =
            take(&places, "8.8.8.8").filter(|place| place.excess.is_none()).unwrap().activity.begin(false);
        let evicted = |place: &Place| places.lock().connections[&place.id].evicted;
        assert!(evicted(&visitor) && !proxies.iter().any(evicted));
        assert!(metrics.encode().contains("connections_evicted_total{side=\"edge\",reason=\"all\"} 1"));
    }

    #[test]
    fn the_reserve_is_given_on_and_sockets_are_bounded_whatever_happens() {
        let (places, metrics) = places(8, 2, 8);
        let open: Vec<Place> = (0..8).map(|_| take(&places, "9.9.9.9").unwrap()).collect();
        let _busy: Vec<_> = open.iter().map(|place| place.activity.begin(false)).collect();
        let mut held = Vec::new();
        while let Some(place) = take(&places, "7.7.7.7") {
            assert_eq!(place.excess, Some(Excess::All));
            held.push(place);
        }
        // Those that were told to go and do not end count as well.
        assert_eq!(held.len(), 3);
        assert!(metrics.encode().contains("connections{side=\"edge\",state=\"reserve\"} 2"));
        held.truncate(1);
        assert!(take(&places, "7.7.7.7").is_some());
    }

    #[test]
    fn whether_connections_were_told_to_go_is_known_without_the_lock_also_after_a_refusal() {
        let (places, metrics) = places(1, 0, 1);
        let idle = take(&places, "9.9.9.9").unwrap();
        let evicted = |count| format!("connections{{side=\"edge\",state=\"evicted\"}} {count}");
        let second = take(&places, "8.8.8.8").unwrap();
        assert!(metrics.encode().contains(&evicted(1)));
        // The second one is idle, too, and is told to go before there turns out to be no socket for the third.
        assert!(take(&places, "7.7.7.7").is_none());
        assert!(metrics.encode().contains(&evicted(2)));
        let held = places.lock();
        let (tell, told) = std::sync::mpsc::channel();
        let asked = Arc::clone(&places);
        std::thread::spawn(move || tell.send(asked.has_evicted()));
        assert_eq!(told.recv_timeout(Duration::from_secs(20)), Ok(true), "it waits for the lock");
        drop(held);
        drop((idle, second));
        assert!(!places.has_evicted());
        assert!(metrics.encode().contains(&evicted(0)));
    }
}

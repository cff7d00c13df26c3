//! Who a rule lets in: networks, users with passwords, and how many requests.

use super::basic_auth::{BasicAuthError, Users};
use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use ipnet::IpNet;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hash};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use vitrine_core::config::{RateBy, RateLimit, RouteRule};
use vitrine_core::limits::RATE_COUNTERS;

type Limiter = RateLimiter<u32, HashMapStateStore<u32>, DefaultClock>;

/// See the module.
#[derive(Debug)]
pub struct Door {
    allow: Box<[IpNet]>,
    deny: Box<[IpNet]>,
    users: Option<Arc<Users>>,
    rate: Option<Rate>,
}

/// Whether a request is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// It is.
    Open,
    /// Its client's network is not.
    Refused,
    /// It must show a user and a password.
    NeedsPassword,
    /// There are too many.
    TooMany {
        /// When one more is let in, in seconds.
        retry_after_s: u64,
    },
}

struct Rate {
    limit: RateLimit,
    limiter: Limiter,
    hasher: RandomState,
}

impl std::fmt::Debug for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Rate").field(&self.limit).finish()
    }
}

impl Rate {
    fn of(limit: RateLimit) -> Self {
        let one = Duration::from_secs(limit.period_s.into()) / limit.requests.get();
        let quota = Quota::with_period(one.max(Duration::from_nanos(1)));
        let quota = quota.unwrap_or_else(|| Quota::per_second(limit.requests)).allow_burst(limit.requests);
        Self { limit, limiter: RateLimiter::hashmap(quota), hasher: RandomState::new() }
    }

    /// The counter of a client. There are so many of them that two clients rarely share one, and none can choose whom it shares with.
    fn place(&self, client: &impl Hash) -> u32 {
        (self.hasher.hash_one(client) % RATE_COUNTERS) as u32
    }

    fn enter(&self, client: IpAddr) -> Entry {
        let key = match (self.limit.by, client) {
            (RateBy::All, _) => 0,
            (RateBy::Client, IpAddr::V4(address)) => self.place(&address),
            // A client has a network of its own.
            (RateBy::Client, IpAddr::V6(address)) => self.place(&(address.to_bits() >> 64)),
        };
        match self.limiter.check_key(&key) {
            Ok(()) => Entry::Open,
            Err(until) => {
                let wait = until.wait_time_from(DefaultClock::default().now());
                Entry::TooMany { retry_after_s: wait.as_secs() + 1 }
            }
        }
    }
}

impl Door {
    /// Of a table that was checked; none where everybody is let in.
    pub(super) fn of(rule: &RouteRule) -> Result<Option<Self>, BasicAuthError> {
        let users = rule.basic_auth_file.as_deref().map(Users::load).transpose()?.map(Arc::new);
        let door = Self {
            allow: rule.allow.as_slice().into(),
            deny: rule.deny.as_slice().into(),
            users,
            rate: rule.rate_limit.map(Rate::of),
        };
        let is_open =
            door.allow.is_empty() && door.deny.is_empty() && door.users.is_none() && door.rate.is_none();
        Ok((!is_open).then_some(door))
    }

    /// One that nobody passes.
    pub(super) fn closed() -> Self {
        Self {
            allow: Box::default(),
            deny: Box::default(),
            users: Some(Arc::new(Users::nobody())),
            rate: None,
        }
    }

    /// What of it would refuse a request, in the words of the file; nothing is counted.
    #[must_use]
    pub fn notes(&self, client: IpAddr) -> Vec<String> {
        let is_in = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&client));
        let mut notes = Vec::new();
        if is_in(&self.deny) {
            notes.push("403: the client is in a network of `deny`".to_owned());
        } else if !self.allow.is_empty() && !is_in(&self.allow) {
            notes.push("403: the client is in no network of `allow`".to_owned());
        }
        if self.users.is_some() {
            notes.push("401 without a user and password of `basic_auth_file`".to_owned());
        }
        if let Some(rate) = &self.rate {
            notes.push(format!("429 above {}", rate.limit));
        }
        notes
    }

    /// Whether a request is let in; it counts if it is.
    #[must_use]
    pub fn enter(&self, client: IpAddr, headers: &HeaderMap) -> Entry {
        let is_in = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&client));
        if is_in(&self.deny) || (!self.allow.is_empty() && !is_in(&self.allow)) {
            return Entry::Refused;
        }
        // Before the password: guesses count, too.
        match self.rate.as_ref().map(|rate| rate.enter(client)) {
            None | Some(Entry::Open) => {}
            Some(other) => return other,
        }
        match &self.users {
            Some(users) if !users.knows(headers.get(AUTHORIZATION)) => Entry::NeedsPassword,
            _ => Entry::Open,
        }
    }

    /// Whether the answer is for those alone who were let in by who they are.
    #[must_use]
    pub const fn guards(&self) -> bool {
        !self.allow.is_empty() || !self.deny.is_empty() || self.users.is_some()
    }

    /// Whether a password opens it: it is not the app's.
    #[must_use]
    pub const fn takes_password(&self) -> bool {
        self.users.is_some()
    }

    pub(super) fn same_users(&self, other: &Self) -> bool {
        self.users == other.users
    }
}

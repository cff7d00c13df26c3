//! How many releases that users do not have may be started for strangers: each one costs a worker's memory. Their host names can be
//! guessed, and a pin is a header.

use moka::sync::Cache;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use vitrine_core::id::{AppName, ReleaseId};
use vitrine_core::limits::{
    WAKE_COUNTED_MS, WAKE_KEYS_MAX, WAKES_BY_CLIENT_EVERY_MS, WAKES_BY_CLIENT_MAX, WAKES_OF_APP_EVERY_MS,
    WAKES_OF_APP_MAX,
};
use vitrine_proxy::connections::client::Client;

/// What is left for each client of each app, and of each app for all of them.
#[derive(Debug)]
pub(crate) struct WakeQuota {
    clients: Buckets<(Client, AppName)>,
    apps: Buckets<AppName>,
    /// Releases whose start has been counted: requests meanwhile wait for the same start.
    paid: Cache<ReleaseId, ()>,
}

impl WakeQuota {
    /// Nothing is used yet.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self {
            clients: Buckets::new(WAKES_BY_CLIENT_MAX, WAKES_BY_CLIENT_EVERY_MS),
            apps: Buckets::new(WAKES_OF_APP_MAX, WAKES_OF_APP_EVERY_MS),
            paid: Cache::builder()
                .max_capacity(WAKE_KEYS_MAX)
                .time_to_live(Duration::from_millis(WAKE_COUNTED_MS))
                .build(),
        }
    }

    /// Whether a release may be started for this client.
    pub(crate) fn admits(&self, release: &ReleaseId, client: IpAddr) -> bool {
        let now = Instant::now();
        if !self.paid.entry_by_ref(release).or_insert(()).is_fresh() {
            return true;
        }
        let (client, app) = (Client::of(client), release.app.clone());
        let admitted = self.clients.take((client, app.clone()), now) && self.apps.take(app, now);
        if !admitted {
            self.paid.invalidate(release);
        }
        admitted
    }
}

impl Default for WakeQuota {
    fn default() -> Self {
        Self::new()
    }
}

/// A bucket for each key that was seen lately; one that is full again is forgotten.
#[derive(Debug)]
struct Buckets<K: Hash + Eq + Send + Sync + 'static> {
    buckets: Cache<K, Arc<Mutex<Bucket>>>,
    max: u32,
    every: Duration,
}

/// Starts that are left, and when they were counted.
#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl<K: Hash + Eq + Send + Sync + 'static> Buckets<K> {
    fn new(max: u32, every_ms: u64) -> Self {
        let every = Duration::from_millis(every_ms);
        let buckets = Cache::builder().max_capacity(WAKE_KEYS_MAX).time_to_idle(every * max).build();
        Self { buckets, max, every }
    }

    fn take(&self, key: K, now: Instant) -> bool {
        let full = f64::from(self.max);
        let bucket = self.buckets.get_with(key, || Arc::new(Mutex::new(Bucket { left: full, at: now })));
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let refilled = now.saturating_duration_since(bucket.at).div_duration_f64(self.every);
        let left = (bucket.left + refilled).min(full);
        let taken = left >= 1.0;
        *bucket = Bucket { left: if taken { left - 1.0 } else { left }, at: now };
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(app: &str, number: u32) -> ReleaseId {
        format!("{app}@v{number}").parse().unwrap()
    }

    #[test]
    fn a_client_starts_so_many_and_the_next_client_others() {
        let quota = WakeQuota::new();
        let admits = |number, client: &str| quota.admits(&release("shop", number), client.parse().unwrap());
        for number in 0..WAKES_BY_CLIENT_MAX {
            assert!(admits(number, "192.0.2.1"), "{number}");
        }
        assert!(!admits(100, "192.0.2.1") && !admits(101, "192.0.2.1"));
        assert!((0..WAKES_BY_CLIENT_MAX).all(|number| admits(number, "192.0.2.1")), "they are being started");
        assert!(admits(100, "192.0.2.2"), "the refused one is not paid for, and this client has its own");
        assert!(
            quota.admits(&release("news", 1), "192.0.2.1".parse().unwrap()),
            "another app is another matter"
        );
        for number in 0..WAKES_BY_CLIENT_MAX {
            assert!(quota.admits(&release("blog", number), format!("2001:db8::{number}").parse().unwrap()));
        }
        assert!(!quota.admits(&release("blog", 100), "2001:db8::ffff".parse().unwrap()), "one network");
        assert!(quota.admits(&release("blog", 100), "2001:db8:0:1::1".parse().unwrap()));
    }

    #[test]
    fn an_app_has_so_many_started_by_all_clients_together() {
        let quota = WakeQuota::new();
        let admits = |app: &str, number: u32| {
            quota.admits(&release(app, number), format!("192.0.2.{number}").parse().unwrap())
        };
        assert!((0..WAKES_OF_APP_MAX).all(|number| admits("shop", number)));
        assert!(!admits("shop", 200));
        assert!(admits("blog", 201), "another app has its own");
    }

    #[test]
    fn with_time_there_are_more_and_never_more_than_at_first() {
        let buckets: Buckets<u8> = Buckets::new(2, 1000);
        let begun = Instant::now();
        let take = |ms| buckets.take(7, begun + Duration::from_millis(ms));
        assert_eq!([take(0), take(0), take(0), take(999)], [true, true, false, false]);
        assert_eq!([take(1001), take(1002)], [true, false]);
        assert_eq!([take(60_000), take(60_000), take(60_000)], [true, true, false]);
    }
}

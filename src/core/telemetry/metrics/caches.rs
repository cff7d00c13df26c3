//! What came of requests that a cache was asked for. The caches count them by themselves, as they answer tens of thousands a second; they are read
//! when somebody looks.

use super::Metrics;
use super::labels::{CACHE_RESULTS, CACHES};
use crate::id::AppName;
use std::fmt::Debug;

/// Counts so far, by [`CACHE_RESULTS`].
pub type CacheCounts = [u64; CACHE_RESULTS.len()];

/// The caches of a host.
pub trait CachesCounted: Debug + Send + Sync {
    /// What came of an app's requests, for pages and for what it fetched.
    fn counts(&self, app: &AppName) -> [CacheCounts; CACHES.len()];
}

impl Metrics {
    /// There are caches: what they count is exported from now on.
    pub fn count_caches(&self, caches: std::sync::Arc<dyn CachesCounted>) {
        // There is one set of them.
        let _ = self.caches.set(caches);
    }

    /// Takes over what was counted since the last look.
    pub(super) fn read_caches(&self) {
        let Some(caches) = self.caches.get() else { return };
        for app in self.apps().keys() {
            let counts = caches.counts(app);
            for (cache, counts) in CACHES.into_iter().zip(counts) {
                for (result, count) in CACHE_RESULTS.into_iter().zip(counts) {
                    let counter = self.cache_requests.with_label_values(&[app.as_str(), cache, result]);
                    counter.inc_by(count.saturating_sub(counter.get()));
                }
            }
        }
    }

    pub(super) fn forget_caches(&self, app: &AppName) {
        for cache in CACHES {
            for result in CACHE_RESULTS {
                // What was never looked at is not there.
                let _ = self.cache_requests.remove_label_values(&[app.as_str(), cache, result]);
            }
        }
    }
}

//! The cache: looked into, filled, purged.

use crate::asked::{Asked, MadeFor, ToldApart};
use crate::decisions::{Decision, Decisions};
use crate::dependencies::{Dependencies, Renders};
use crate::entry::{Entry, NewEntry};
use crate::flight::{Flights, Turn};
use crate::key::{Key, Scope};
use crate::shelf::Shelf;
use crate::stamps::{Purged, Stamps};
use crate::stats::{Came, Stats, StatsByApp};
use bytes::Bytes;
use moka::sync::Cache as Memory;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use vitrine_bundle::Encoding;
use vitrine_core::id::AppName;
use vitrine_core::limits::{
    CACHE_ENTRY_BYTES_MAX, CACHE_ROUTE_S, CACHE_ROUTES_MAX, CACHE_TAGS_MAX, CACHE_VARIANTS_MAX,
};
use vitrine_core::telemetry::{CacheCounts, CachesCounted};
use vitrine_wire::Purge;

/// See the module.
#[derive(Debug)]
pub struct Cache {
    shelf: Shelf,
    /// Bytes that one app may take.
    of_app_max: usize,
    flights: Arc<Flights>,
    stamps: RwLock<HashMap<AppName, Stamps>>,
    /// Counts purges.
    purges: AtomicU64,
    stats: StatsByApp,
    decisions: Decisions,
    renders: Arc<Renders>,
    /// Keys whose answers are for nobody else.
    unshared: Memory<Key, ()>,
}

/// When a render began, counted in purges: what it gives is older than every later purge.
#[derive(Debug, Clone, Copy)]
pub struct Birth(u64);

/// What there is for a request.
#[derive(Debug)]
pub enum Looked {
    /// An entry that is fresh.
    Fresh(Arc<Entry>),
    /// An entry that is not.
    Stale(Arc<Entry>, Staleness),
    /// Nothing that was made for requests like this one.
    Nothing,
}

/// What a stale entry may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Staleness {
    /// To answer with while another one is fetched in the background.
    pub while_revalidating: bool,
    /// To answer with where none can be fetched.
    pub if_error: bool,
}

/// Why an entry is not kept though it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// It is too large.
    #[error("larger than {CACHE_ENTRY_BYTES_MAX} bytes")]
    TooLarge,
    /// It has too many tags.
    #[error("more than {CACHE_TAGS_MAX} tags")]
    TooManyTags,
    /// It is larger than what one app may have.
    #[error("larger than the app's share of the cache")]
    LargerThanShare,
    /// It was purged while it was made.
    #[error("purged meanwhile")]
    Purged,
}

impl Cache {
    /// One of so many bytes. One app may take half of them: it lets go what is worth the least of its own.
    #[must_use]
    pub fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self {
            shelf: Shelf::new(bytes_max),
            of_app_max: bytes_max / 2,
            flights: Arc::default(),
            stamps: RwLock::default(),
            purges: AtomicU64::new(0),
            stats: StatsByApp::default(),
            decisions: Decisions::new(),
            renders: Arc::default(),
            unshared: Memory::builder()
                .max_capacity(CACHE_ROUTES_MAX)
                .time_to_live(Duration::from_secs(CACHE_ROUTE_S))
                .build(),
        })
    }

    /// What there is for a request, now.
    pub fn look(&self, key: &Key, asked: &impl Asked, now: Instant) -> Looked {
        let Some(entry) = self.shelf.find(key, asked) else { return Looked::Nothing };
        let purged = self.purged(&entry);
        if purged == Purged::Hard {
            self.drop_entry(&entry);
            return Looked::Nothing;
        }
        let age = entry.age(now);
        let freshness = &entry.freshness;
        if purged == Purged::No && age < freshness.lifetime {
            self.shelf.used(&entry);
            return Looked::Fresh(entry);
        }
        let stale_for = age.saturating_sub(freshness.lifetime);
        let staleness = Staleness {
            // Who purges a page wants the next visitor to get a new one.
            while_revalidating: purged == Purged::No && stale_for < freshness.stale_while_revalidate,
            if_error: stale_for < freshness.stale_if_error,
        };
        Looked::Stale(entry, staleness)
    }

    /// Whether there is any entry of a key, whatever it was made for.
    #[must_use]
    pub fn has(&self, key: &Key) -> bool {
        self.shelf.has(key)
    }

    /// Whether the answer to this key was for nobody else lately: it is not worth waiting for.
    #[must_use]
    pub fn is_unshared(&self, key: &Key) -> bool {
        self.unshared.contains_key(key)
    }

    /// The answer to this key is for nobody else.
    pub fn note_unshared(&self, key: Key) {
        self.unshared.insert(key, ());
    }

    /// Whose turn it is to render. Nobody follows a render that began before the app's last purge.
    pub fn fly(&self, key: &Key) -> Turn {
        let Birth(now) = self.birth();
        let stamps = self.stamps.read().unwrap_or_else(PoisonError::into_inner);
        let purged = stamps.get(&key.app).map_or(0, Stamps::last);
        drop(stamps);
        self.flights.join(key, now, purged)
    }

    /// Notes what the calls of this request depend on from now on.
    #[must_use]
    pub fn render(&self, request_id: &str) -> Dependencies {
        self.renders.begin(request_id)
    }

    /// A call of this request depends on what has these tags.
    pub fn depends<'a>(&self, request_id: &str, tags: impl Iterator<Item = &'a str>) {
        self.renders.note(request_id, tags);
    }

    /// To be taken before a render begins.
    #[must_use]
    pub fn birth(&self) -> Birth {
        Birth(self.purges.load(Ordering::SeqCst))
    }

    /// Keeps an answer for requests that are like this one in what tells entries of the key apart.
    ///
    /// # Errors
    /// See [`NoRoom`].
    pub fn put(
        &self,
        key: Key,
        apart: ToldApart,
        asked: &impl Asked,
        new: NewEntry,
        birth: Birth,
    ) -> Result<Arc<Entry>, NoRoom> {
        if new.body.len() > CACHE_ENTRY_BYTES_MAX {
            return Err(NoRoom::TooLarge);
        }
        if new.tags.len() > CACHE_TAGS_MAX {
            return Err(NoRoom::TooManyTags);
        }
        let entry = Arc::new(Entry::new(key, MadeFor::of(apart, asked), new, birth.0));
        if self.purged(&entry) != Purged::No {
            return Err(NoRoom::Purged);
        }
        if entry.bytes() > self.of_app_max {
            return Err(NoRoom::LargerThanShare);
        }
        let stats = self.stats.of(&entry.key.app);
        while stats.bytes.load(Ordering::Relaxed) + entry.bytes() > self.of_app_max {
            let worst = self.shelf.take_worst(|other| other.key.app == entry.key.app);
            let Some(worst) = worst else { break };
            self.count_out(&worst);
        }
        stats.entries.fetch_add(1, Ordering::Relaxed);
        stats.bytes.fetch_add(entry.bytes(), Ordering::Relaxed);
        let gone = self.shelf.put(Arc::clone(&entry));
        gone.iter().for_each(|gone| self.count_out(gone));
        Ok(entry)
    }

    /// Keeps an entry in the place of a stale one that was made for requests like this one.
    ///
    /// # Errors
    /// See [`NoRoom`].
    pub fn renew(
        &self,
        stale: &Arc<Entry>,
        asked: &impl Asked,
        new: NewEntry,
        birth: Birth,
    ) -> Result<Arc<Entry>, NoRoom> {
        self.put(stale.key.clone(), stale.told_apart(), asked, new, birth)
    }

    /// Keeps a coding of an entry.
    pub fn keep_encoded(&self, entry: &Arc<Entry>, encoding: Encoding, body: Bytes) {
        self.shelf.keep_encoded(entry, encoding, body).iter().for_each(|gone| self.count_out(gone));
    }

    /// Takes an entry out.
    pub fn drop_entry(&self, entry: &Arc<Entry>) {
        if self.shelf.remove(entry) {
            self.count_out(entry);
        }
    }

    /// Purges what it holds of an app. What was begun before is purged when this returns.
    pub fn purge(&self, app: &AppName, purge: &Purge) {
        let mut stamps = self.stamps.write().unwrap_or_else(PoisonError::into_inner);
        let now = self.purges.fetch_add(1, Ordering::SeqCst) + 1;
        stamps.entry(app.clone()).or_default().raise(purge, now);
    }

    /// A request was answered. `entry` is what it was answered with.
    pub fn came(&self, app: &AppName, came: Came, entry: Option<&Entry>) {
        self.stats.of(app).came(came, entry.map_or(0, |entry| entry.cpu_us));
    }

    /// A call of an app was answered.
    pub fn fetched(&self, app: &AppName, came: Came) {
        self.stats.of(app).fetched(came);
    }

    /// Remembers what became of a render, for `why`. Reasons are counted by their first words: names in them are the app's.
    pub fn decided(&self, app: &AppName, page: &str, decision: Decision) {
        self.stats.of(app).decided(decision.reason.as_deref().map(kind));
        self.decisions.add(app, page, decision);
    }

    /// Counts an answer that is not kept.
    pub fn refused(&self, app: &AppName, reason: &str) {
        self.stats.of(app).decided(Some(kind(reason)));
    }

    /// What became of the last renders of a page, the newest first.
    #[must_use]
    pub fn decisions(&self, app: &AppName, page: &str) -> Vec<Decision> {
        self.decisions.of(app, page)
    }

    /// What is kept of a page, whatever tells it apart. `page` is a path with its query.
    #[must_use]
    pub fn kept(&self, app: &AppName, page: &str) -> Vec<Arc<Entry>> {
        self.top(
            |key| key.app == *app && key.scope != Scope::Fetched && key.page() == page,
            CACHE_VARIANTS_MAX,
        )
    }

    /// What it did for an app.
    #[must_use]
    pub fn stats(&self, app: &AppName) -> Stats {
        self.stats.of(app).read()
    }

    /// The entries of a release that saved the most CPU time, the best first.
    #[must_use]
    pub fn top(&self, is_meant: impl Fn(&Key) -> bool, count: usize) -> Vec<Arc<Entry>> {
        let mut found = Vec::new();
        self.shelf.each(|entry| {
            if is_meant(&entry.key) && self.purged(entry) == Purged::No {
                found.push(Arc::clone(entry));
            }
        });
        found.sort_by_key(|entry| std::cmp::Reverse(entry.hits().saturating_mul(entry.cpu_us.max(1))));
        found.truncate(count);
        found
    }

    fn purged(&self, entry: &Entry) -> Purged {
        let now = self.purges.load(Ordering::SeqCst);
        if entry.checked.load(Ordering::Relaxed) == now {
            return Purged::No;
        }
        let stamps = self.stamps.read().unwrap_or_else(PoisonError::into_inner);
        let purged = stamps
            .get(&entry.key.app)
            .map_or(Purged::No, |stamps| stamps.of(entry.begun, &entry.tags, entry.key.path()));
        if purged == Purged::No {
            entry.checked.store(now, Ordering::Relaxed);
        }
        purged
    }

    fn count_out(&self, entry: &Entry) {
        let stats = self.stats.of(&entry.key.app);
        stats.entries.fetch_sub(1, Ordering::Relaxed);
        stats.bytes.fetch_sub(entry.bytes(), Ordering::Relaxed);
    }
}

impl CachesCounted for Cache {
    fn counts(&self, app: &AppName) -> [CacheCounts; 2] {
        self.stats.of(app).counts()
    }
}

/// A reason without the details that an app may choose.
fn kind(reason: &str) -> &str {
    reason.split(':').next().unwrap_or(reason)
}

#[cfg(test)]
mod tests;

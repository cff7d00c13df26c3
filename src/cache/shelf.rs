//! Where entries are: in shards, each behind a lock of its own, all within one bound of bytes.
//!
//! What goes first when room is needed is what saves the least CPU for the bytes that it takes (greedy dual size frequency): an entry is
//! worth its hits times the cost of its render divided by its bytes, and what the last one that went was worth. A few random entries are
//! compared, as a heap of all would be one more lock for every hit. What can't be used any more goes before all else.

use crate::asked::Asked;
use crate::entry::Entry;
use crate::key::Key;
use bytes::Bytes;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use vitrine_bundle::Encoding;
use vitrine_core::limits::{
    CACHE_EVICTION_SAMPLE, CACHE_EVICTION_SAMPLE_OF_SHARD, CACHE_SHARDS, CACHE_VARIANTS_MAX,
};

/// Entries of one key, the newest last.
type Slot = Vec<Arc<Entry>>;

#[derive(Debug, Default)]
struct Shard {
    slots: HashMap<Key, Slot>,
    /// All entries, for picking some at random.
    all: Vec<Arc<Entry>>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Shelf {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    bytes: AtomicUsize,
    bytes_max: usize,
    /// What the last entry was worth that had to go.
    floor: AtomicU64,
}

impl Shelf {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            shards: (0..CACHE_SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            bytes: AtomicUsize::new(0),
            bytes_max,
            floor: AtomicU64::new(0),
        }
    }

    fn shard_of(&self, key: &Key) -> usize {
        usize::try_from(self.hasher.hash_one(key) % self.shards.len() as u64).unwrap_or(0)
    }

    fn lock(&self, shard: usize) -> MutexGuard<'_, Shard> {
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest entry of a key that was made for requests like this one.
    pub(crate) fn find(&self, key: &Key, asked: &impl Asked) -> Option<Arc<Entry>> {
        let shard = self.lock(self.shard_of(key));
        let slot = shard.slots.get(key)?;
        slot.iter().rev().find(|entry| entry.made_for.fits(asked)).cloned()
    }

    /// Whether there is any entry of a key.
    pub(crate) fn has(&self, key: &Key) -> bool {
        self.lock(self.shard_of(key)).slots.contains_key(key)
    }

    /// Puts an entry in the place of those that were made for the same. Gives those that had to go.
    pub(crate) fn put(&self, entry: Arc<Entry>) -> Vec<Arc<Entry>> {
        let at = self.shard_of(&entry.key);
        self.bytes.fetch_add(entry.bytes(), Ordering::Relaxed);
        entry.worth.store(self.worth(&entry), Ordering::Relaxed);
        let mut gone = Vec::new();
        {
            let mut shard = self.lock(at);
            let slot = shard.slots.entry(entry.key.clone()).or_default();
            let same = slot.iter().position(|other| other.made_for == entry.made_for);
            let excess = (slot.len() >= CACHE_VARIANTS_MAX).then_some(0);
            let replaced = same.or(excess).map(|index| slot.remove(index));
            slot.push(Arc::clone(&entry));
            if let Some(replaced) = replaced {
                shard.unlist(&replaced);
                gone.push(replaced);
            }
            entry.place.store(shard.all.len(), Ordering::Relaxed);
            shard.all.push(entry);
        }
        gone.iter().for_each(|entry| self.discount(entry));
        self.make_room(&mut gone);
        gone
    }

    /// Takes an entry out, if it is there.
    pub(crate) fn remove(&self, entry: &Arc<Entry>) -> bool {
        let is_out = self.lock(self.shard_of(&entry.key)).remove(entry);
        if is_out {
            self.discount(entry);
        }
        is_out
    }

    /// Keeps a coding of an entry that is there. Gives those that had to go for it.
    pub(crate) fn keep_encoded(
        &self,
        entry: &Arc<Entry>,
        encoding: Encoding,
        body: Bytes,
    ) -> Vec<Arc<Entry>> {
        let (at, bytes) = (self.shard_of(&entry.key), body.len());
        let mut gone = Vec::new();
        {
            // One that has gone was discounted with the bytes that it had then.
            let shard = self.lock(at);
            if !shard.is_listed(entry) || !entry.keep(encoding, body) {
                return gone;
            }
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        self.make_room(&mut gone);
        gone
    }

    /// An entry was used.
    pub(crate) fn used(&self, entry: &Entry) {
        entry.hits.fetch_add(1, Ordering::Relaxed);
        entry.worth.store(self.worth(entry), Ordering::Relaxed);
    }

    /// Looks at entries, shard by shard.
    pub(crate) fn each(&self, mut look: impl FnMut(&Arc<Entry>)) {
        for at in 0..self.shards.len() {
            self.lock(at).all.iter().for_each(&mut look);
        }
    }

    fn worth(&self, entry: &Entry) -> u64 {
        let hits = entry.hits() + 1;
        // A render of nothing costs something, too; nanoseconds, so that little is not nothing.
        let saved_ns = entry.cpu_us.max(1).saturating_mul(1000).saturating_mul(hits);
        self.floor.load(Ordering::Relaxed) + saved_ns / (entry.bytes() as u64 >> 6).max(1)
    }

    /// Lets entries go until all fit.
    fn make_room(&self, gone: &mut Vec<Arc<Entry>>) {
        while self.bytes.load(Ordering::Relaxed) > self.bytes_max {
            let Some(worst) = self.take_worst(|_| true) else { break };
            gone.push(worst);
        }
    }

    /// Takes out the one that is worth the least of some that are meant.
    pub(crate) fn take_worst(&self, is_meant: impl Fn(&Entry) -> bool) -> Option<Arc<Entry>> {
        loop {
            let now = Instant::now();
            let worth = |entry: &Arc<Entry>| {
                if entry.is_over(now) { 0 } else { entry.worth.load(Ordering::Relaxed) }
            };
            let worst = self.some(&is_meant).into_iter().min_by_key(worth)?;
            // Another thread may have taken it.
            if self.remove(&worst) {
                // What was worth much and is over says nothing of the others.
                self.floor.fetch_max(worth(&worst), Ordering::Relaxed);
                return Some(worst);
            }
        }
    }

    /// Some random entries that are meant, from several shards, as one may hold few.
    fn some(&self, is_meant: &impl Fn(&Entry) -> bool) -> Vec<Arc<Entry>> {
        let mut some = Vec::with_capacity(CACHE_EVICTION_SAMPLE + CACHE_EVICTION_SAMPLE_OF_SHARD);
        let from = rand::random_range(0..self.shards.len());
        for step in 0..self.shards.len() {
            if some.len() >= CACHE_EVICTION_SAMPLE {
                break;
            }
            let shard = self.lock((from + step) % self.shards.len());
            if shard.all.is_empty() {
                continue;
            }
            let (before, after) = shard.all.split_at(rand::random_range(0..shard.all.len()));
            let meant = after.iter().chain(before).filter(|entry| is_meant(entry));
            some.extend(meant.take(CACHE_EVICTION_SAMPLE_OF_SHARD).cloned());
        }
        some
    }

    fn discount(&self, entry: &Entry) {
        self.bytes.fetch_sub(entry.bytes() + entry.encoded_bytes(), Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Shard {
    fn is_listed(&self, entry: &Arc<Entry>) -> bool {
        self.all.get(entry.place.load(Ordering::Relaxed)).is_some_and(|listed| Arc::ptr_eq(listed, entry))
    }

    fn unlist(&mut self, entry: &Arc<Entry>) {
        let place = entry.place.load(Ordering::Relaxed);
        self.all.swap_remove(place);
        if let Some(moved) = self.all.get(place) {
            moved.place.store(place, Ordering::Relaxed);
        }
    }

    fn remove(&mut self, entry: &Arc<Entry>) -> bool {
        if !self.is_listed(entry) {
            return false;
        }
        self.unlist(entry);
        if let Some(slot) = self.slots.get_mut(&entry.key) {
            slot.retain(|other| !Arc::ptr_eq(other, entry));
            if slot.is_empty() {
                self.slots.remove(&entry.key);
            }
        }
        true
    }
}

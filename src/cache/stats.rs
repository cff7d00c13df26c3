//! What the cache does for each app.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use vitrine_core::id::AppName;
use vitrine_core::limits::CACHE_REASONS_MAX;
use vitrine_core::telemetry::CacheCounts;

/// Counts reasons beyond the bound.
const OTHER: &str = "other";

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// A fresh entry.
    Hit,
    /// A stale one.
    Stale,
    /// Nothing was kept.
    Miss,
    /// The cache was not asked.
    Bypass,
}

impl Came {
    /// Its name in metrics and `server-timing`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Miss => "miss",
            Self::Bypass => "bypass",
        }
    }
}

/// Counts of one app.
#[derive(Debug, Default)]
pub(crate) struct AppStats {
    came: [AtomicU64; 4],
    fetched: [AtomicU64; 4],
    stored: AtomicU64,
    refused: Mutex<BTreeMap<String, u64>>,
    pub(crate) entries: AtomicUsize,
    pub(crate) bytes: AtomicUsize,
    cpu_saved_us: AtomicU64,
}

/// The same, read.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Requests that a fresh entry answered.
    pub hits: u64,
    /// Requests that a stale one answered.
    pub stale: u64,
    /// Requests for which there was none.
    pub misses: u64,
    /// Requests that no entry could answer.
    pub bypassed: u64,
    /// Answers that were kept.
    pub stored: u64,
    /// Answers that were not, by their reason.
    pub refused: BTreeMap<String, u64>,
    /// Entries now.
    pub entries: u64,
    /// Their bytes, without codings.
    pub bytes: u64,
    /// CPU time of renders that were not made, in microseconds.
    pub cpu_saved_us: u64,
}

/// Of all apps.
#[derive(Debug, Default)]
pub(crate) struct StatsByApp(RwLock<HashMap<AppName, Arc<AppStats>>>);

impl StatsByApp {
    pub(crate) fn of(&self, app: &AppName) -> Arc<AppStats> {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(app) {
            return Arc::clone(known);
        }
        Arc::clone(self.0.write().unwrap_or_else(PoisonError::into_inner).entry(app.clone()).or_default())
    }
}

impl AppStats {
    pub(crate) fn came(&self, came: Came, cpu_saved_us: u64) {
        self.came[came as usize].fetch_add(1, Ordering::Relaxed);
        self.cpu_saved_us.fetch_add(cpu_saved_us, Ordering::Relaxed);
    }

    pub(crate) fn fetched(&self, came: Came) {
        self.fetched[came as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// For pages, and for what the app fetched.
    pub(crate) fn counts(&self) -> [CacheCounts; 2] {
        [&self.came, &self.fetched].map(|counts| counts.each_ref().map(|count| count.load(Ordering::Relaxed)))
    }

    pub(crate) fn decided(&self, reason: Option<&str>) {
        let Some(reason) = reason else {
            self.stored.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let known = refused.len() < CACHE_REASONS_MAX || refused.contains_key(reason);
        *refused.entry(if known { reason } else { OTHER }.to_owned()).or_default() += 1;
    }

    pub(crate) fn read(&self) -> Stats {
        let of = |came: Came| self.came[came as usize].load(Ordering::Relaxed);
        Stats {
            hits: of(Came::Hit),
            stale: of(Came::Stale),
            misses: of(Came::Miss),
            bypassed: of(Came::Bypass),
            stored: self.stored.load(Ordering::Relaxed),
            refused: self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            entries: self.entries.load(Ordering::Relaxed) as u64,
            bytes: self.bytes.load(Ordering::Relaxed) as u64,
            cpu_saved_us: self.cpu_saved_us.load(Ordering::Relaxed),
        }
    }
}

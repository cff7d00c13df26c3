//! What became of the last renders of pages: why they were kept, or not.

use moka::sync::Cache as Memory;
use std::sync::Arc;
use vitrine_core::id::AppName;
use vitrine_core::limits::{CACHE_DECISIONS_MAX, CACHE_DECISIONS_OF_PAGE_MAX};

/// What became of one render.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Release that rendered.
    pub release: String,
    /// When.
    pub at: jiff::Timestamp,
    /// Address of the page.
    pub url: String,
    /// Why it was not kept; none where it was.
    pub reason: Option<String>,
    /// How long it is fresh, in seconds.
    pub ttl_s: Option<u64>,
    /// Request headers, and cookies as `cookie NAME`, by whose values it is told apart.
    pub told_apart_by: Vec<String>,
    /// Tags by which it is purged.
    pub tags: Vec<String>,
}

/// Of the pages that were rendered last.
#[derive(Debug)]
pub(crate) struct Decisions(Memory<(AppName, Box<str>), Arc<[Decision]>>);

impl Decisions {
    pub(crate) fn new() -> Self {
        Self(Memory::new(CACHE_DECISIONS_MAX))
    }

    pub(crate) fn add(&self, app: &AppName, page: &str, decision: Decision) {
        let key = (app.clone(), Box::from(page));
        let before = self.0.get(&key).unwrap_or_default();
        let kept = before.iter().take(CACHE_DECISIONS_OF_PAGE_MAX - 1).cloned();
        self.0.insert(key, std::iter::once(decision).chain(kept).collect());
    }

    /// The newest first.
    pub(crate) fn of(&self, app: &AppName, page: &str) -> Vec<Decision> {
        self.0.get(&(app.clone(), Box::from(page))).map(|found| found.to_vec()).unwrap_or_default()
    }
}

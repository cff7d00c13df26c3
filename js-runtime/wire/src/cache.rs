//! What the two sides say about the cache: what a render read, what an app asks for what it fetches, what it purges.

use crate::limits::{PURGE_ITEMS_MAX, PURGE_TEXT_BYTES_MAX, READS_NAMES_MAX};
use serde::{Deserialize, Serialize};

/// What a render read of its request, and of the world beside it: its answer depends on nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reads {
    /// Names of headers, in lower case. `cookie` is among them when the line was read as a whole.
    pub headers: Vec<String>,
    /// Whether all headers were gone through or copied, or more than [`READS_NAMES_MAX`] were read.
    pub all_headers: bool,
    /// Names of cookies that were read one by one.
    pub cookies: Vec<String>,
    /// Whether random numbers were taken.
    pub random: bool,
}

/// What an app asks of the cache for one call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EgressCache {
    /// See [`CacheMode`].
    pub mode: CacheMode,
    /// How long the answer is fresh whatever it says itself, in seconds.
    pub ttl_s: Option<u64>,
    /// Tags by which it is purged, beside its own.
    pub tags: Vec<String>,
}

/// The `cache` of a request, as the Fetch standard has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CacheMode {
    /// As HTTP has it.
    #[default]
    Default,
    /// The cache is neither asked nor filled.
    NoStore,
    /// The cache is not asked, and filled.
    Reload,
    /// The cache is asked, and what it has is checked at its origin.
    NoCache,
    /// What the cache has is used, however old it is.
    ForceCache,
    /// The same, and nothing is fetched.
    OnlyIfCached,
}

/// What is to be purged of an app.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purge {
    /// Whatever has one of these tags.
    pub tags: Vec<String>,
    /// Pages whose path begins with one of these, which end with a slash.
    pub path_prefixes: Vec<String>,
    /// Everything.
    pub everything: bool,
    /// Whether what is purged may not even be used where nothing else is to be had.
    pub hard: bool,
}

impl Reads {
    /// Whether it keeps its bounds.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.headers.len().max(self.cookies.len()) <= READS_NAMES_MAX
    }
}

impl Purge {
    /// Whether it keeps its bounds.
    #[must_use]
    pub fn fits(&self) -> bool {
        let texts = self.tags.iter().chain(&self.path_prefixes);
        self.tags.len() + self.path_prefixes.len() <= PURGE_ITEMS_MAX
            && texts.into_iter().all(|text| text.len() <= PURGE_TEXT_BYTES_MAX)
    }
}

//! Bounds of the cache.

/// Bytes of one entry. What is larger is streamed past the cache: it would push out thousands of pages.
pub const CACHE_ENTRY_BYTES_MAX: usize = 8 << 20;
/// Entries under one key that are told apart by what their render read. A page that reads more is of little use to others.
pub const CACHE_VARIANTS_MAX: usize = 32;
/// Tags and paths of one app whose purge is remembered, each in some 100 bytes. One more purges the app.
pub const CACHE_STAMPS_OF_APP_MAX: usize = 100_000;
/// Tags of one entry, and bytes of each, as Cloudflare's Workers Cache has them. More are not kept, and neither is their page.
pub const CACHE_TAGS_MAX: usize = 1000;
/// Parts that the cache is locked in: four for each of sixteen cores.
pub const CACHE_SHARDS: usize = 64;
/// Entries that are compared when room is made. More hardly find a worse one.
pub const CACHE_EVICTION_SAMPLE: usize = 16;
/// Those of one part: large pages are few in each.
pub const CACHE_EVICTION_SAMPLE_OF_SHARD: usize = 4;
/// Pages of which is remembered what became of their last renders, each in some 500 bytes.
pub const CACHE_DECISIONS_MAX: u64 = 10_000;
/// Renders that are remembered of each.
pub const CACHE_DECISIONS_OF_PAGE_MAX: usize = 4;
/// Reasons that are counted of each app.
pub const CACHE_REASONS_MAX: usize = 64;
/// Requests that wait for the render of another one, for each key. One more renders for itself.
pub const CACHE_FOLLOWERS_MAX: usize = 10_000;
/// Addresses and tags that one page may depend on. A page that is made of more is not kept: a purge would have to reach it by each.
pub const CACHE_DEPENDENCIES_MAX: usize = 256;
/// How long calls wait for the body of an equal one whose head is there: the app that reads it may be slow, or not read at all. Then each is
/// made.
pub const EGRESS_FOLLOW_BODY_MS: u64 = 2_000;

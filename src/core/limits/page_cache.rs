//! Bounds of how the edge uses the cache for pages, and of purges.

/// Shortest value of a visitor's cookie that is looked for in a page. Shorter ones are found in any page by chance.
pub const CACHED_SECRET_BYTES_MIN: usize = 8;
/// Routes of which is remembered whether their pages are shared, each in some 200 bytes.
pub const CACHE_ROUTES_MAX: u64 = 20_000;
/// How long that is remembered, in seconds. A route that changes its mind is served from its renders meanwhile.
pub const CACHE_ROUTE_S: u64 = 600;
/// Bytes of what tells the pages of one address apart. More of it is an attempt to fill the cache.
pub const CACHE_APART_BYTES_MAX: usize = 8 << 10;
/// Renders in the background at once: each takes an isolate from visitors.
pub const CACHE_REFRESHES_MAX: usize = 64;
/// Those of one app: a page that is made anew for nobody is to take no second isolate.
pub const CACHE_REFRESHES_OF_APP_MAX: usize = 1;
/// One hit in so many is rendered again and compared.
pub const CACHE_PARITY_ONE_IN: u32 = 1000;
/// Purges of one release a second, and at once. Each makes every entry of its app be looked at once more.
pub const PURGES_OF_APP_PER_S_MAX: f64 = 50.0;
/// See [`PURGES_OF_APP_PER_S_MAX`].
pub const PURGES_OF_APP_BURST_MAX: f64 = 500.0;
/// Pages of a release that are rendered before users get it: what most visitors ask for. More would keep a deploy waiting.
pub const CACHE_GREEN_PAGES_MAX: usize = 200;
/// Those at once: the release that users have needs the processors, too.
pub const CACHE_GREEN_AT_ONCE: usize = 2;
/// Time for all of them, in milliseconds.
pub const CACHE_GREEN_MS: u64 = 3000;
/// How long a request waits for the render of another one for the same page, where no page of its route is known yet, in milliseconds. Most
/// pages are rendered by then; an answer that takes longer may be none that is shared, such as one that waits for news.
pub const CACHE_FIRST_WAIT_MS: u64 = 1000;
/// How long a call of an app waits for an equal one whose answer was kept before, in milliseconds.
pub const CACHE_WAIT_MS: u64 = 10_000;

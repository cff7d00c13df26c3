//! Bounds of routing rules.

/// Rules of a host: hundreds of apps with hundreds of rules each.
pub const ROUTE_RULES_MAX: usize = 50_000;
/// Conditions of one rule on headers, cookies, parameters, claims and experiments: each is looked for at each request that comes so far.
pub const ROUTE_CONDITIONS_MAX: usize = 16;
/// Bytes of one address, path or header value in a rule.
pub const ROUTE_TEXT_BYTES_MAX: usize = 2048;
/// Bytes of the body of an answer that stands in a rule.
pub const FIXED_ANSWER_BYTES_MAX: usize = 64 << 10;
/// Bytes of a file with rules: the most rules, with 160 bytes each.
pub const ROUTES_FILE_BYTES_MAX: usize = 8 << 20;
/// Files with rules that a host remembers, to go back to.
pub const ROUTES_REVISIONS_MAX: u32 = 10;
/// Experiments at once: each is decided for each request of an app.
pub const EXPERIMENTS_MAX: usize = 64;
/// Variants of one experiment.
pub const EXPERIMENT_VARIANTS_MAX: usize = 16;
/// Bytes of a token that is verified; cookies are no longer.
pub const JWT_BYTES_MAX: usize = 8 << 10;
/// When a site under maintenance is worth another try, in seconds.
pub const MAINTENANCE_RETRY_AFTER_S: u64 = 120;
/// How long an upstream may take until it is connected to, in milliseconds: it is on the same network.
pub const UPSTREAM_CONNECT_MS: u64 = 5_000;
/// How long an upstream may take to the head of its answer once it has the request, in milliseconds.
pub const UPSTREAM_HEAD_MS: u64 = 60_000;
/// How long an upstream may say nothing once its answer has begun, in milliseconds.
pub const UPSTREAM_IDLE_MS: u64 = 60_000;
/// How long a WebSocket of an upstream may carry nothing either way, in milliseconds: longer than servers wait between two pings.
pub const UPSTREAM_SOCKET_IDLE_MS: u64 = 600_000;
/// Connections to one upstream that are kept for the next request.
pub const UPSTREAM_IDLE_CONNECTIONS: usize = 128;
/// How long one is kept, in milliseconds: less than servers usually keep theirs.
pub const UPSTREAM_KEEP_MS: u64 = 30_000;
/// Keys that tokens are held against: each costs a verification for a token that names none.
pub const JWT_KEYS_MAX: usize = 32;
/// Bytes of a secret of HS256: as long as its digest (RFC 7518, 3.2).
pub const JWT_SECRET_BYTES_MIN: usize = 32;
/// Bytes of a key that signs links which force a variant.
pub const FORCE_KEY_BYTES_MIN: usize = 16;
/// How often the files of keys are looked at, in milliseconds: a key that is rotated out is not accepted much longer.
pub const ROUTE_FILES_CHECK_MS: u64 = 10_000;
/// Counters of one rate limit: a thousand clients at once share one by chance in four of a thousand cases, and all take 16 MB.
pub const RATE_COUNTERS: u64 = 262_144;

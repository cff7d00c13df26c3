//! Calls, uploads and tokens of the admin side.

/// Connections at once on the admin side: some operators, a dashboard and scrapers.
pub const ADMIN_CONNECTIONS_MAX: usize = 256;
/// Bytes of one admin request's head. hyper's smallest buffer is 8 KiB; tokens and names are far below.
pub const ADMIN_HEADER_BYTES_MAX: usize = 16 << 10;
/// Bytes of one JSON body on the admin side: an environment value with room to spare.
pub const ADMIN_JSON_BYTES_MAX: usize = 256 << 10;
/// Time that running admin requests get at shutdown. A boot that takes longer is undone at the next start.
pub const ADMIN_DRAIN_MS: u64 = 10_000;
/// Bytes of an `Idempotency-Key`: a UUID has 36.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// Uploads at once: each holds up to [`BUNDLE_BYTES_MAX`](super::BUNDLE_BYTES_MAX) of disk twice and a thread.
pub const UPLOADS_MAX: usize = 8;
/// Uploads at once of all tokens but the host's own, which finds a place whatever tenants do.
pub const UPLOADS_OF_TOKENS_MAX: usize = 6;
/// Uploads at once of one token: a pipeline that deploys two apps. A third waits for its turn.
pub const UPLOADS_OF_TOKEN_MAX: usize = 2;
const _: () = assert!(UPLOADS_OF_TOKEN_MAX < UPLOADS_OF_TOKENS_MAX && UPLOADS_OF_TOKENS_MAX < UPLOADS_MAX);

/// Uploads that wait for their place, each with a connection of the admin side.
pub const UPLOADS_WAITING_MAX: usize = 160;
/// Of all tokens but the host's own: half of the connections stay for other calls.
pub const UPLOADS_WAITING_OF_TOKENS_MAX: usize = 128;
/// Of one token: a pipeline that deploys all its apps at once.
pub const UPLOADS_WAITING_OF_TOKEN_MAX: usize = 32;
const _: () = assert!(UPLOADS_WAITING_OF_TOKENS_MAX <= ADMIN_CONNECTIONS_MAX / 2);
const _: () = assert!(UPLOADS_WAITING_OF_TOKENS_MAX < UPLOADS_WAITING_MAX);

/// How long an upload waits for its place: several deploys at once take their turn, and a client waits a minute by default.
pub const UPLOAD_PLACE_MS: u64 = 45_000;
/// Time that a client may let an upload wait for its body before its rate counts.
pub const UPLOAD_GRACE_MS: u64 = 10_000;
/// Slowest body of an upload after [`UPLOAD_GRACE_MS`], of the time that the host waits for it: an old DSL line's uplink sends more.
pub const UPLOAD_BYTES_PER_S_MIN: u64 = 16 << 10;
/// Time for the whole body of an upload: 256 MiB at 300 kB/s.
pub const UPLOAD_MS: u64 = 900_000;
/// Pieces of an upload between network and disk; a piece has up to 400 KiB.
pub const UPLOAD_PIECES_MAX: usize = 8;
/// Time for a release to be ready, if the caller does not say. The contract's number.
pub const BOOT_DEADLINE_MS: u64 = 60_000;
/// The longest time for a release to be ready that a caller may ask for: an upload must end some time.
pub const BOOT_DEADLINE_MAX_MS: u64 = 900_000;
/// The longest life of a preview: 30 days. What is to stay longer is a release.
pub const PREVIEW_TTL_MAX_MS: u64 = 30 * 24 * 3_600_000;
/// Log streams at once: each holds a place in the broadcast of lines.
pub const LOG_STREAMS_MAX: usize = 64;
/// Log streams at once of all tokens but the host's own.
pub const LOG_STREAMS_OF_TOKENS_MAX: usize = 56;
/// Log streams at once of one token: a team with a terminal each.
pub const LOG_STREAMS_OF_TOKEN_MAX: usize = 16;
const _: () = assert!(LOG_STREAMS_OF_TOKENS_MAX < LOG_STREAMS_MAX);
/// Time between two signs of life on a quiet stream; proxies cut idle ones at 60 s.
pub const SSE_KEEP_ALIVE_MS: u64 = 15_000;

/// Time for whatever runs workers to say that it answers, beside an answer about apps: that must not wait for it.
pub const CONDITION_CHECK_MS: u64 = 1_000;
/// A disk is said to be nearly full when it has so many times the room that uploads leave: some deploys before they are refused.
pub const DISK_SHORT_TIMES: u64 = 4;

/// Maximum lifetime of an admin token that expires: ten years. Catches typos in `--ttl`.
pub const TOKEN_TTL_MAX_MS: u64 = 10 * 365 * 24 * 3_600_000;

/// Calls with a wrong token that are answered as such at once: a pipeline with an old token, run by everybody.
pub const WRONG_TOKENS_BURST: u32 = 100;
/// Wrong tokens a second beyond them. The rest hear "too many"; calls with a good token never wait.
pub const WRONG_TOKENS_PER_S: u32 = 10;

/// Deployments of one app that run at once: a pipeline for each of several branches. One more is refused.
pub const DEPLOYS_OF_APP_MAX: usize = 16;
/// Deployments of one app that are shown once they are over: people look at the last few.
pub const DEPLOYS_KEPT_OF_APP_MAX: usize = 20;
/// Deployments of all apps that are shown once they are over. At up to 200 KiB each they take 50 MiB at most.
pub const DEPLOYS_KEPT_MAX: usize = 256;
/// Lines of its progress and log that are kept of a deployment, the newest: what a release says until it is ready.
pub const DEPLOY_LINES_MAX: usize = 100;
/// Bytes of one such line; what is longer is cut. Stacks are shorter.
pub const DEPLOY_LINE_BYTES_MAX: usize = 2 << 10;
/// Time between two signs of life of a deployment that has nothing new to say; proxies cut idle connections at 60 s.
pub const DEPLOY_KEEP_ALIVE_MS: u64 = 15_000;

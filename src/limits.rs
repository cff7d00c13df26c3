//! Every bound of the host, with its reason. Sizes in bytes, times in milliseconds, unless the name says otherwise.

/// Files in one bundle. The contract's number; a build with more is a build with its `node_modules` in it.
pub const BUNDLE_FILES_MAX: usize = 10_000;
/// Bytes of one bundle, unpacked. The contract's number.
pub const BUNDLE_BYTES_MAX: u64 = 256 << 20;
/// Bytes of one bundle as uploaded. An archive larger than what it unpacks to is no archive of ours.
pub const ARCHIVE_BYTES_MAX: u64 = BUNDLE_BYTES_MAX;
/// Bytes of `vitrine.json`: every field filled is a few kilobytes.
pub const MANIFEST_BYTES_MAX: u64 = 64 << 10;

/// Headers in one request. HTTP libraries' usual bound; browsers send about 20.
pub const REQUEST_HEADERS_MAX: usize = 100;
/// Bytes of one request's headers together.
pub const REQUEST_HEADER_BYTES_MAX: usize = 32 << 10;
/// Bytes of the request target.
pub const REQUEST_TARGET_BYTES_MAX: usize = 16 << 10;
/// Time for a complete request head, from accept or from the first byte after a keep-alive pause.
pub const HEAD_TIMEOUT_MS: u64 = 10_000;
/// Time that a client may take between two pieces of its body.
pub const BODY_STALL_MS: u64 = 30_000;
/// Connections at once on the edge. Each costs a task and some buffers, well below 64 KiB: 256 MiB at the most.
pub const CONNECTIONS_MAX: usize = 4096;
/// Streams at once on one HTTP/2 connection.
pub const H2_STREAMS_MAX: u32 = 100;

/// Requests held while a sleeping release wakes, for each release.
pub const WAKE_HELD_MAX: usize = 256;
/// Releases that may wake at once: a boot uses a core, and the running ones need the others.
pub const WAKES_AT_ONCE_MAX: usize = 2;

const _: () = assert!(ARCHIVE_BYTES_MAX <= BUNDLE_BYTES_MAX);

// The admin side.

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
/// Uploads at once: each holds up to [`BUNDLE_BYTES_MAX`] of disk twice and a thread.
pub const UPLOADS_MAX: usize = 4;
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
/// Time between two signs of life on a quiet stream; proxies cut idle ones at 60 s.
pub const SSE_KEEP_ALIVE_MS: u64 = 15_000;

// The command line.

/// Time to connect to a host: one that does not answer in this time is not there.
pub const CONNECT_MS: u64 = 5_000;
/// Time for a call beyond the boot that it may cause: the record, the switch, a slow disk.
pub const CALL_SLACK_MS: u64 = 60_000;
/// Bytes shown of an answer that is no problem of ours, such as a proxy's page.
pub const ERROR_TEXT_BYTES_MAX: usize = 300;
/// Bytes of one line of an event stream: an app's log line is far below.
pub const LOG_EVENT_BYTES_MAX: usize = 1 << 20;
/// Time between two looks of `status --watch`.
pub const WATCH_MS: u64 = 1_000;
/// Time for each step of a health check; schedulers wait 5 s by default.
pub const HEALTHCHECK_MS: u64 = 3_000;

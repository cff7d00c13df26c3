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

/// The file that is given back when the disk is full. A promotion writes a few pages to the log; a megabyte is room for
/// some hundred of them.
pub const RESERVE_BYTES: usize = 1 << 20;
/// Time after which a reserve that was freed is made again. Whoever freed the disk in a hurry gets the room first.
pub const RESERVE_AGAIN_MS: u64 = 60_000;
/// Time that a statement waits for another one's lock on the database. Only a backup tool can hold one.
pub const DATABASE_BUSY_MS: u64 = 5_000;
/// Switches remembered for each app. Rollback looks at the newest few; people look at a page or two.
pub const PROMOTIONS_KEPT_MAX: u32 = 1_000;
/// Values in one app's environment: many times what front ends have, and one message to a worker.
pub const ENV_VALUES_MAX: usize = 256;
/// Bytes of one app's environment, names and values. Linux gives a process 128 KiB for one value; so do we for all.
pub const ENV_BYTES_MAX: usize = 128 << 10;
/// How long an answer is kept for a request that is sent again under the same `Idempotency-Key`. Clients retry within
/// minutes.
pub const IDEMPOTENCY_KEPT_MS: u64 = 24 * 3_600_000;
/// Keys kept at once; the oldest go first. At 64 KiB for an answer that is below 64 MiB.
pub const IDEMPOTENCY_KEYS_MAX: u32 = 1_000;
/// Bytes of an answer that is kept. A deploy's log tail is the longest one there is.
pub const IDEMPOTENCY_BODY_BYTES_MAX: usize = 64 << 10;
/// Part size of an archive on its way to the blob store. S3 wants 5 MiB at least, except for the last one.
pub const BLOB_PART_BYTES: usize = 8 << 20;

/// Folders that the files of one bundle need, given or implied. As many as files: a path of 1 KiB can imply 500.
pub const BUNDLE_FOLDERS_MAX: usize = BUNDLE_FILES_MAX;
/// Entries of an archive, files and all the rest. Folders come with entries of their own, and some tools add notes.
pub const ARCHIVE_ENTRIES_MAX: usize = 4 * BUNDLE_FILES_MAX;
/// Bytes of one path in a bundle. Node's module resolution and browsers get by with far less; Linux allows 4 KiB.
pub const BUNDLE_PATH_BYTES_MAX: usize = 1 << 10;
/// Bytes between two files of an archive: header, long name, extended attributes. They are kept in memory.
pub const ARCHIVE_HEADER_BYTES_MAX: u64 = 64 << 10;
/// Zeros after the end marker of an archive. GNU tar fills up to 10 KiB, tapes to more.
pub const ARCHIVE_PADDING_BYTES_MAX: u64 = 1 << 20;
/// Bytes of Vite's manifest. One entry is about 200 bytes, so this is some ten thousand chunks.
pub const VITE_MANIFEST_BYTES_MAX: u64 = 4 << 20;
/// Warm paths of a bundle. Each is rendered in every isolate before `ready`.
pub const WARM_PATHS_MAX: usize = 32;
/// Origins that a bundle may name. Each call is compared with all of them.
pub const EGRESS_ORIGINS_MAX: usize = 64;
/// Bytes of a path, origin or name in `vitrine.json`.
pub const MANIFEST_TEXT_BYTES_MAX: usize = 2 << 10;
/// Smallest file that is kept precompressed. Below this the saving is less than the packet that carries it.
pub const ENCODE_BYTES_MIN: u64 = 1 << 10;
/// Largest file that is kept precompressed. It is held in memory, and compressed while somebody waits for a deploy.
pub const ENCODE_BYTES_MAX: u64 = 16 << 20;
/// Sum of files up to which the slow levels are used: all three codings of a megabyte take about a second of one core.
pub const ENCODE_SLOW_BYTES_MAX: u64 = 2 << 20;
/// Threads that precompress. The others render for users.
pub const ENCODE_THREADS_MAX: usize = 2;

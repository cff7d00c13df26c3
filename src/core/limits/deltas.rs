//! What a deploy may make of files against their earlier versions (RFC 9842).

/// Releases that were live last and whose files visitors may still have. Those who come back later get the whole file.
pub const DELTA_RELEASES_MAX: usize = 3;
/// Files of those releases that one file is compared with. A build has several `index-HASH.js`, and any of them may be what a browser has.
pub const DELTA_DICTIONARIES_MAX: usize = 6;
/// Largest file that is made a delta of or against. A decoder need not take a window of more than 8 MiB (RFC 9842), and both are held
/// in memory beside the encoder's tables.
pub const DELTA_SOURCE_BYTES_MAX: u64 = 8 << 20;
/// Bytes that all deltas of one release are made from: about 15 seconds of one core, while the others render.
pub const DELTA_INPUT_BYTES_MAX: u64 = 32 << 20;
/// Sum of a file and its dictionary up to which the slow level is used: two seconds of one core, and 80 MiB.
pub const DELTA_SLOW_BYTES_MAX: u64 = 4 << 20;
/// Largest delta: it is answered from memory.
pub const DELTA_BYTES_MAX: u64 = super::ASSET_CACHED_BYTES_MAX;
/// Deltas that one bundle keeps. Three releases with a hundred changed files each.
pub const DELTAS_MAX: usize = 300;
/// Percent of the smallest other variant that a delta may have: a smaller saving is not worth a file on the disk.
pub const DELTA_SHARE_MAX_PERCENT: u64 = 80;

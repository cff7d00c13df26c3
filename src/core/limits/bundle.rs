//! What a bundle may hold, and what taking one in may use.

/// Files in one bundle. The contract's number; a build with more is a build with its `node_modules` in it.
pub const BUNDLE_FILES_MAX: usize = 10_000;
/// Bytes of one bundle, unpacked. The contract's number.
pub const BUNDLE_BYTES_MAX: u64 = 256 << 20;
/// Bytes of one bundle as uploaded. An archive larger than what it unpacks to is no archive of ours.
pub const ARCHIVE_BYTES_MAX: u64 = BUNDLE_BYTES_MAX;
/// Bytes of `vitrine.json`: every field filled is a few kilobytes.
pub const MANIFEST_BYTES_MAX: u64 = 64 << 10;

const _: () = assert!(ARCHIVE_BYTES_MAX <= BUNDLE_BYTES_MAX);

/// Bytes of a bundle's signature: minisign's four lines are about 350. As digits it has to fit into a head of
/// [`ADMIN_HEADER_BYTES_MAX`](super::ADMIN_HEADER_BYTES_MAX).
pub const SIGNATURE_BYTES_MAX: usize = 2 << 10;

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
/// Bytes of `_headers`: a hundred rules of a few lines are a tenth of it.
pub const HEADER_RULES_BYTES_MAX: u64 = 64 << 10;
/// Paths that `_headers` may name. Each static answer is compared with all of them; Cloudflare has the same bound.
pub const HEADER_RULES_MAX: usize = 100;
/// Bytes of one line of it: a content security policy is the longest there is.
pub const HEADER_RULE_BYTES_MAX: usize = 4 << 10;
/// Gaps of one of these paths, `:name` and `*`: a path of a site has three or four parts that vary.
pub const HEADER_GAPS_MAX: usize = 10;
/// Headers that all rules of `_headers` give or take: five a path, which is what a strict site has.
pub const HEADER_CHANGES_MAX: usize = 500;
/// Bytes of one value once its gaps are filled, as a visitor's path wants it: twice the longest line of the file.
pub const HEADER_VALUE_BYTES_MAX: usize = 8 << 10;
/// Bytes that `_headers` adds to one answer. Proxies take heads of 16 KiB, and the edge's own headers are in there too.
pub const HEADERS_GIVEN_BYTES_MAX: usize = 12 << 10;
/// Largest page that is looked at for a template's placeholder: a template is a page without its content.
pub const TEMPLATE_BYTES_MAX: u64 = 1 << 20;
/// Largest shell. It is answered from memory when there is no room for anything else.
pub const SHELL_BYTES_MAX: u64 = super::ASSET_CACHED_BYTES_MAX;
/// Warm paths of a bundle. Each is rendered in every isolate before `ready`.
pub const WARM_PATHS_MAX: usize = 32;
/// Origins that a bundle may name. Each call is compared with all of them.
pub const EGRESS_ORIGINS_MAX: usize = 64;
/// Entries of each list below `cache` of `vitrine.json`. Each request is compared with all of them.
pub const CACHE_RULES_MAX: usize = 64;
/// Bytes of a path, origin or name in `vitrine.json`.
pub const MANIFEST_TEXT_BYTES_MAX: usize = 2 << 10;
/// Smallest file that is kept precompressed. Below this the saving is less than the packet that carries it.
pub const ENCODE_BYTES_MIN: u64 = 1 << 10;
/// Largest file that is kept precompressed. It is held in memory, and compressed while somebody waits for a deploy.
pub const ENCODE_BYTES_MAX: u64 = 16 << 20;
/// Sum of files up to which the slow levels are used: all three codings of a megabyte take about a second of one core.
pub const ENCODE_SLOW_BYTES_MAX: u64 = 2 << 20;
/// Threads that precompress, for all uploads together: the others render for users. The encoders of a large file take some 50 MiB.
pub const ENCODE_THREADS_MAX: usize = 2;
/// Files that wait for these threads; an upload that has more waits itself. Few, so that those of another upload come in between.
pub const ENCODE_QUEUE_MAX: usize = ENCODE_THREADS_MAX;
/// How long a thread without work keeps its encoders' memory.
pub const ENCODERS_KEPT_MS: u64 = 500;
/// Largest window of an encoder, as a power of two. Its tables are many times as large, and 8 MiB is what browsers have to accept
/// (RFC 9659): a fourth of that costs files of more than 2 MiB a percent or two.
pub const ENCODE_WINDOW_BITS_MAX: u32 = 21;
/// Largest file after which an encoder's tables are kept for the next one.
pub const ENCODER_KEPT_FILE_BYTES_MAX: u64 = 1 << 20;
/// Files of fewer bytes are kept together, one archive a bundle; each larger one by itself, once for all bundles. A block of a disk.
pub const KEPT_ALONE_BYTES_MIN: u64 = 4 << 10;
/// Bytes of the list of a bundle's files: each a digest, a length and a path.
pub const CONTENTS_LIST_BYTES_MAX: u64 = (BUNDLE_FILES_MAX * (BUNDLE_PATH_BYTES_MAX + 96)) as u64;

/// Room that uploads leave on the disk: for the database, its log, and what workers of every app write.
pub const UPLOAD_FREE_BYTES_MIN: u64 = 256 << 20;
/// The same as a part of a small disk: a sixteenth of it is left.
pub const UPLOAD_FREE_SHARE_MIN: u64 = 16;
/// Bytes of an upload between two looks at the free room: what all uploads at once write meanwhile is far below what they leave.
pub const UPLOAD_CHECK_BYTES: u64 = 1 << 20;
const _: () = assert!(UPLOAD_CHECK_BYTES * super::UPLOADS_MAX as u64 * 8 <= UPLOAD_FREE_BYTES_MIN);

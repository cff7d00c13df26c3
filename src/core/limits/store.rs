//! The data folder: its lock, its database, what is kept in it.

/// Admin tokens: some for each team and each pipeline. All are compared with each call's.
pub const TOKENS_MAX: usize = 256;

/// Records of the audit log in one answer: about 300 kB.
pub const AUDIT_PAGE_RECORDS_MAX: u32 = 1_000;

/// The file that is given back when the disk is full. A promotion writes a few pages to the log; a megabyte is room for
/// some hundred of them.
pub const RESERVE_BYTES: usize = 1 << 20;
/// Time after which a reserve that was freed is made again. The room that an operator freed in a hurry is usable first.
pub const RESERVE_AGAIN_MS: u64 = 60_000;
/// Time that a start waits for the data folder: a process that its last holder forked has it until its exec, some milliseconds on
/// a busy machine.
pub const LOCK_PATIENCE_MS: u64 = 500;
/// Time between two looks at it.
pub const LOCK_RETRY_MS: u64 = 10;
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
/// Keys of one token kept at once; the oldest go first. At 64 KiB for an answer that is below 16 MiB.
pub const IDEMPOTENCY_KEYS_MAX: u32 = 250;
/// Bytes of an answer that is kept. A deploy's log tail is the longest one there is.
pub const IDEMPOTENCY_BODY_BYTES_MAX: usize = 64 << 10;
/// Part size of an archive on its way to the blob store. S3 wants 5 MiB at least, except for the last one.
pub const BLOB_PART_BYTES: usize = 8 << 20;
/// Pictures taken for one backup until none names a bundle that was removed while it was taken: removals are minutes apart.
pub const BACKUP_TRIES: u32 = 3;
/// Bytes of a file's name in a backup: the longest has two digests and 6 characters around them.
pub const BACKUP_NAME_BYTES_MAX: u64 = 256;
/// Bytes of a backup's list of files: a hundred for each of some hundred thousand.
pub const BACKUP_MANIFEST_BYTES_MAX: u64 = 64 << 20;
/// Bytes of a backup's code: 32 in hexadecimal digits.
pub const BACKUP_CODE_BYTES_MAX: u64 = 64;
/// Pieces of a backup between the disk and the network, and bytes of one.
pub const BACKUP_PIECES_MAX: usize = 4;
/// See [`BACKUP_PIECES_MAX`].
pub const BACKUP_PIECE_BYTES: usize = 256 << 10;
/// Time that a backup waits for its reader, or a reader for the next piece.
pub const BACKUP_STALL_MS: u64 = 60_000;

//! Log lines, of requests, of apps and of the host, and metrics.

/// Bytes of lines of requests and apps that may wait for a slow stderr: a second or two of a busy host. Each app may hold as much as
/// is still free.
pub const LOG_QUEUE_BYTES_MAX: usize = 16 << 20;
/// Bytes of the host's own lines that may wait beside them: some ten thousand.
pub const HOST_LOG_BYTES_MAX: usize = 4 << 20;
/// Bytes of the audit log's records that may wait before changes do. Operators make some dozen a minute.
pub const AUDIT_QUEUE_BYTES_MAX: usize = 1 << 20;
/// Bytes that are set aside for a line at first: most requests' need no more.
pub const LOG_LINE_BYTES: usize = 768;
/// Bytes of lines in one write.
pub const LOG_BATCH_BYTES: usize = 64 << 10;
/// How long lines of requests and apps are gathered after a write: at 15,000 requests a second 75 lines share a write and a wake
/// of the writing thread, and a reader of the log notices no delay.
pub const LOG_GATHER_MS: u64 = 5;
/// Time for what is queued to be written at the end of the process.
pub const LOG_FLUSH_MS: u64 = 2_000;

/// Lines that a release may write at once beyond two seconds' worth: what its worker holds for a host that is away, and more.
pub const LOG_BURST_LINES: f64 = 1_024.0;
/// Lines a second beyond twice `log_lines_per_s`, for what the worker itself has to say. A worker that keeps its bound is below.
pub const LOG_SLACK_LINES_PER_S: f64 = 16.0;
/// Bytes a second that a release may write: 86 GB a day, many times what anybody reads.
pub const LOG_BYTES_PER_S_MAX: f64 = 1_048_576.0;
/// Bytes that it may write at once: a full queue of a worker, which is 16 MiB at worst, is an app that logs nothing but the longest
/// lines there are.
pub const LOG_BURST_BYTES_MAX: f64 = 4_194_304.0;
/// Least time between two lines that tell how many were dropped.
pub const LOG_TOLD_MS: u64 = 1_000;
/// Bytes of recent lines kept in memory for each app.
pub const JOURNAL_BYTES_MAX: usize = 256 << 10;
/// What a recent line costs beside its texts.
pub const JOURNAL_LINE_BYTES: usize = 256;
/// Lines that a follower may lag behind before it misses some: what gathers for one write of the busiest app, and more.
pub const JOURNAL_FOLLOWERS_LAG_MAX: usize = 2_048;

/// Bytes of thrown errors a second that the lines of one worker's requests may hold: a hundred stacks of a usual length.
pub const ERROR_BYTES_PER_S_MAX: f64 = 262_144.0;
/// Bytes of them at once.
pub const ERROR_BURST_BYTES_MAX: f64 = 2_097_152.0;
/// Bytes of an error's message beyond that; its stack is left out.
pub const ERROR_BRIEF_BYTES_MAX: usize = 512;

/// Hosts outside that one app has series of; those beyond are counted together. As many as a long list of permitted hosts has.
pub const EGRESS_HOSTS_MAX: usize = 64;

/// Lines that may wait for the thread that keeps them: most of a second of a busy host. What is above is counted and not kept.
pub const LOG_STORE_LINES_MAX: usize = 8_192;
/// Bytes of them.
pub const LOG_STORE_BYTES_MAX: usize = 8 << 20;
/// Questions that may wait beside them: one for each log stream, and apps that are removed.
pub const LOG_STORE_CALLS_MAX: usize = 128;
/// How long the removal of an app's log waits for its place beside them: the thread has emptied a full queue long before, unless the
/// disk hangs.
pub const LOG_FORGET_MS: u64 = 60_000;
/// Time after the removal of an app's log in which the lines of its last requests are left out: longer than any but a stream takes.
pub const LOG_FORGOTTEN_MS: u64 = 3_600_000;
/// Time in which lines gather for one write: a wake-up of the thread each, and the delay of a follower.
pub const LOG_STORE_GATHER_MS: u64 = 100;
/// Time between two looks for what is too old.
pub const LOG_STORE_TEND_MS: u64 = 60_000;
/// Bytes of one segment before it is compressed: some ten thousand lines, read in a few milliseconds.
pub const LOG_SEGMENT_BYTES_MAX: u64 = 4 << 20;
/// Least bytes of a segment, where the disk's share is small.
pub const LOG_SEGMENT_BYTES_MIN: u64 = 64 << 10;
/// Segments that the whole share is made of at least: what is removed at once is a small part of it.
pub const LOG_SEGMENTS_MIN: u64 = 16;
/// Time after which a segment is closed however small it is: it can be removed by its age then.
pub const LOG_SEGMENT_MS: u64 = 24 * 3_600_000;
/// Bytes a second of one app's requests that are kept, and of its lines: some thousand. What is above is counted and not kept.
pub const LOG_KEPT_BYTES_PER_S: f64 = 1_048_576.0;
/// Bytes of either at once.
pub const LOG_KEPT_BURST_BYTES: f64 = 4_194_304.0;
/// Free bytes of the disk that are left to what the host can't do without: its state, uploads.
pub const LOG_DISK_FREE_BYTES_MIN: u64 = 64 << 20;
/// The same as a part of a small disk: a thirty-second of it is left.
pub const LOG_DISK_FREE_SHARE_MIN: u64 = 32;
/// Time before a disk that took no line is tried again.
pub const LOG_DISK_PAUSE_MS: u64 = 10_000;

/// Lines that are shown when neither a number nor a time is given.
pub const LOG_TAIL_LINES: usize = 1_000;
/// Lines that may be asked for by number: they are held in memory, newest first.
pub const LOG_TAIL_LINES_MAX: usize = 10_000;
/// Bytes of them.
pub const LOG_TAIL_BYTES_MAX: usize = 16 << 20;
/// Time after the begin of a request in which its lines are looked for: longer than any but a stream writes some.
pub const LOG_ID_SPAN_MS: u64 = 3_600_000;
/// Lines that a search for all lines reads ahead of its reader.
pub const LOG_READ_AHEAD_LINES: usize = 64;
/// Bytes that a search reads before it goes on only for a reader that is still there: some milliseconds.
pub const LOG_SCAN_BYTES: usize = 1 << 20;
/// Reads of what is kept at once: each has a core to unpack and to search.
pub const LOG_SCANS_MAX: usize = 2;
/// Characters of a request's id that tell it from others of its app: the last eight of a UUID are random.
pub const LOG_ID_PART_MIN: usize = 8;

//! Log lines, of requests, of apps and of the host, and metrics.

/// Bytes of lines of requests and apps that may wait for a slow stderr: a second or two of a busy host. Each app may hold as much as
/// is still free.
pub const LOG_QUEUE_BYTES_MAX: usize = 16 << 20;
/// Bytes of the host's own lines that may wait beside them: some ten thousand.
pub const HOST_LOG_BYTES_MAX: usize = 4 << 20;
/// Bytes of the audit log's records that may wait before changes do. Operators make some dozen a minute.
pub const AUDIT_QUEUE_BYTES_MAX: usize = 1 << 20;
/// Bytes of lines in one write.
pub const LOG_BATCH_BYTES: usize = 64 << 10;
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
/// Lines that a follower may lag behind before it misses some, each at most 33 kB.
pub const JOURNAL_FOLLOWERS_LAG_MAX: usize = 256;

/// Bytes of thrown errors a second that the lines of one worker's requests may hold: a hundred stacks of a usual length.
pub const ERROR_BYTES_PER_S_MAX: f64 = 262_144.0;
/// Bytes of them at once.
pub const ERROR_BURST_BYTES_MAX: f64 = 2_097_152.0;
/// Bytes of an error's message beyond that; its stack is left out.
pub const ERROR_BRIEF_BYTES_MAX: usize = 512;

/// Hosts outside that one app has series of; those beyond are counted together. As many as a long list of permitted hosts has.
pub const EGRESS_HOSTS_MAX: usize = 64;

//! The engine, images and containers.

/// Calls that may wait for the engine process at once. Starts are few (one a processor); the rest are a list or a stop a worker of a
/// full host.
pub const ENGINE_CALLS_MAX: usize = 256;
/// Bytes of one line between host and engine process: a list of [`ENGINE_INSTANCES_MAX`] workers, or the log text of
/// [`OUTPUT_REPLY_BYTES_MAX`] with every byte escaped to six.
pub const ENGINE_LINE_BYTES_MAX: usize = 2 << 20;
/// Workers in one answer. A host has memory for far fewer.
pub const ENGINE_INSTANCES_MAX: usize = 4096;
/// Time for the first answer about whether workers can run: it may assemble and import an image of several hundred megabytes.
pub const ENGINE_PROBE_TIMEOUT_MS: u64 = 300_000;
/// Time for a start, the sockets among it: 0.3 s on a quiet machine, and one image import when the image was pruned.
pub const ENGINE_START_TIMEOUT_MS: u64 = 60_000;
/// Time for a stop beyond its own grace: a kill and a removal.
pub const ENGINE_STOP_MARGIN_MS: u64 = 15_000;
/// Time for removing old worker images: each takes Docker a second or so, and no call waits for it.
pub const ENGINE_PRUNE_TIMEOUT_MS: u64 = 120_000;
/// Time for list, stats and logs. They only read; what takes longer hangs.
pub const ENGINE_READ_TIMEOUT_MS: u64 = 5_000;
/// Time for the engine to say that it answers. A caller is told within 5 s that it doesn't, and the rest of a call takes its time, too.
pub const ENGINE_CHECK_TIMEOUT_MS: u64 = 3_000;
/// The same where workers are processes: there the engine waits for no other program, and its own end is seen at once. Only a machine that is
/// busy makes it late, and that is no reason to refuse a deploy.
pub const ENGINE_CHECK_ALONE_TIMEOUT_MS: u64 = 20_000;

/// First pause before an engine process that died again is started again; doubles each time. The first restart has none.
pub const ENGINE_RESTART_PAUSE_MIN_MS: u64 = 100;
/// Longest such pause: Docker's own restart takes about this long.
pub const ENGINE_RESTART_PAUSE_MAX_MS: u64 = 5_000;
/// An engine process that ran this long was sound: the next restart is immediate again.
pub const ENGINE_SOUND_MS: u64 = 10_000;
/// Time that process workers get from SIGTERM to SIGKILL when their engine ends: the host has drained them before.
pub const ENGINE_END_GRACE_MS: u64 = 2_000;

/// Time for one call of the Docker API that changes something. Creating and starting takes 0.3 s, on a busy disk seconds.
pub const DOCKER_CALL_TIMEOUT_MS: u64 = 30_000;
/// Time for handing an image to Docker: it writes it all to its disk.
pub const IMAGE_IMPORT_TIMEOUT_MS: u64 = 240_000;
/// Age from which a worker image that no container uses may be removed: a host that has just made one starts its first
/// worker from it within minutes.
pub const IMAGE_KEPT_MS: u64 = 3_600_000;
/// Bytes of the image on their way to Docker at once.
pub const IMAGE_PIPE_BYTES: usize = 1 << 20;
/// Bytes of one file of the image. A worker with its symbols has about half of this.
pub const IMAGE_FILE_BYTES_MAX: u64 = 2 << 30;
/// Time from a worker's start to its sockets: it makes them first of all, so this is one program start on a busy machine.
pub const SOCKETS_TIMEOUT_MS: u64 = 30_000;
/// Between two looks for a starting worker's sockets.
pub const SOCKET_POLL_MS: u64 = 5;
/// Bytes of a Unix socket's path (`sun_path` without its final zero).
pub const SOCKET_PATH_BYTES_MAX: usize = 107;
/// Time for the worker of a probe to print its version and end.
pub const PROBE_RUN_TIMEOUT_MS: u64 = 30_000;

/// Files that a worker may have open: two sockets, its bundle while it reads it, pipes to the render process.
pub const WORKER_FILES_MAX: i64 = 1024;
/// Bytes of one log file that Docker keeps of a worker, and how many files. An app's own lines go over the control socket;
/// this is for what a dying process says.
pub const WORKER_LOG_FILE_BYTES: u64 = 2 << 20;
/// See [`WORKER_LOG_FILE_BYTES`].
pub const WORKER_LOG_FILES: u32 = 2;
/// Lines of output kept of a process worker.
pub const OUTPUT_LINES_MAX: usize = 200;
/// Bytes of one such line; the rest of a longer one is dropped.
pub const OUTPUT_LINE_BYTES_MAX: usize = 4096;
/// Bytes of output lines in one answer.
pub const OUTPUT_REPLY_BYTES_MAX: usize = 256 << 10;
/// Lines of output told when a start fails.
pub const OUTPUT_FAILURE_LINES: u32 = 20;
/// Ended process workers that are remembered until they are stopped, the oldest given up first.
pub const ENDED_WORKERS_MAX: usize = 64;

const _: () = assert!(OUTPUT_REPLY_BYTES_MAX * 6 < ENGINE_LINE_BYTES_MAX);
const _: () = assert!(IMAGE_IMPORT_TIMEOUT_MS < ENGINE_PROBE_TIMEOUT_MS);

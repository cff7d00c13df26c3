//! The command line, and releases that run alone.

/// Bytes of a build's prerendered pages together: every isolate has them in its heap, which is 128 MiB by default.
pub const PRERENDERED_BYTES_MAX: u64 = 16 << 20;
/// Largest file of a project that a deploy reads as source or settings: bundled servers of 30 MB have been seen.
pub const SOURCE_FILE_BYTES_MAX: u64 = 64 << 20;
/// Largest file that a worker for Cloudflare can read by `env.ASSETS` and the edge serves by itself: pages, images and fonts are smaller.
pub const WORKER_FILE_BYTES_MAX: u64 = 8 << 20;
/// Bytes of all such files: each process of the release has them in its memory.
pub const WORKER_FILES_BYTES_MAX: u64 = 48 << 20;
/// Paths of such pages that a dry run shows; `--json` has all.
pub const PAGES_SHOWN_MAX: usize = 20;
/// Scripts of a build that are named when none of them is a server: enough to see which one was meant.
pub const LEFTOVERS_SHOWN_MAX: usize = 5;
/// Entries of folders that are looked at to tell whether a build is older than its sources: a tenth of a second on a slow disk. A project with
/// more of them, without its `node_modules`, is looked at in part.
pub const STALE_LOOKS_MAX: usize = 20_000;
/// Time for bundling a server build at deploy. A large one takes seconds; a build's own tools take longer.
pub const BUNDLER_RUN_MS: u64 = 120_000;
/// Bytes of a bundler's complaints that are read: enough for the errors of a broken build.
pub const BUNDLER_OUTPUT_BYTES_MAX: u64 = 64 << 10;

/// Bytes of a token's file that are read: a token has 67, and line ends.
pub const TOKEN_FILE_BYTES_MAX: u64 = 4 << 10;

/// Time for a bundle to be evaluated on the machine that deploys it: more than a worker itself gives it, on a busy machine.
pub const TRIAL_READY_MS: u64 = 60_000;
/// Time for its worker to end by itself: it serves no request.
pub const TRIAL_STOP_MS: u64 = 0;
/// Connections that it may have to what it calls while it is evaluated.
pub const TRIAL_SOCKETS_MAX: usize = 16;
/// Bytes of what those send: a configuration, and no page.
pub const TRIAL_BODIES_BYTES_MAX: usize = 16 << 20;

/// Time for the boot of a release that runs alone; a scheduler's start period is usually longer.
pub const SOLO_BOOT_DEADLINE_MS: u64 = 60_000;
/// What is left of a scheduler's time when a release that runs alone has drained: for ending its worker, and for itself.
pub const SOLO_STOP_MARGIN_MS: u64 = 2_000;

/// Time to connect to a host: one that does not answer in this time is not there.
pub const CONNECT_MS: u64 = 5_000;
/// Time for a call beyond the boot that it may cause: the record, the switch, a slow disk.
pub const CALL_SLACK_MS: u64 = 60_000;
/// Bytes shown of an answer that is no problem of ours, such as a proxy's page.
pub const ERROR_TEXT_BYTES_MAX: usize = 300;
/// Bytes of one line of an event stream: an app's log line is far below.
pub const LOG_EVENT_BYTES_MAX: usize = 1 << 20;
/// Time for the host to say what a word may be completed to: somebody waits with a finger on Tab.
pub const COMPLETION_MS: u64 = 700;
/// Time between two looks of `status --watch`.
pub const WATCH_MS: u64 = 1_000;
/// How long a host may be away while its verdict on a release is waited for: a restart with many releases.
pub const VERDICT_HOST_AWAY_MS: u64 = 60_000;
/// Time for the answer to a look: a host that leaves while it is asked may leave it open.
pub const WATCH_ANSWER_MS: u64 = 5_000;
/// Time for each step of a health check; schedulers wait 5 s by default.
pub const HEALTHCHECK_MS: u64 = 3_000;
/// Bytes of a project's `.vitrine` file that are read: it has two fields.
pub const PROJECT_FILE_BYTES_MAX: u64 = 16 << 10;
/// Bytes that are read of the list of trusted hosts: some thousand hosts.
pub const TRUSTED_HOSTS_BYTES_MAX: u64 = 1 << 20;
/// Apps that a list is asked for at once: some hundred kilobytes in full.
pub const APPS_PAGE: usize = 200;
/// Silence of a host that carries a deployment out after which it counts as gone: it misses four signs of life.
pub const DEPLOY_SILENCE_MS: u64 = 4 * super::DEPLOY_KEEP_ALIVE_MS;
/// Bytes of one line that it answers: the last one has the release, its warnings and log lines.
pub const DEPLOY_ANSWER_LINE_BYTES_MAX: usize = 8 << 20;
/// How long an interrupted command waits to hear whether its upload was whole: the host checks the end of the archive.
pub const INTERRUPT_ANSWER_MS: u64 = 3_000;

//! Bounds of the worker, each with its reason. What both sides assert is in `vitrine_wire::limits`.

pub mod isolate;

use vitrine_wire::limits::STREAMS_MAX;

/// Entries in a connection's write queue beyond one reserved slot for the end of each stream. An entry is at most one
/// window of body bytes, so a host that stops reading is felt by the writers of answers after this many.
pub const WRITE_QUEUE_ENTRIES: usize = 256;

/// Capacity of a connection's write queue: see [`WRITE_QUEUE_ENTRIES`].
pub const WRITE_QUEUE_CAPACITY: usize = WRITE_QUEUE_ENTRIES + STREAMS_MAX;

/// Entries taken from the write queue before one flush: enough for one system call to carry many small answers, few
/// enough that the first of them is not held back noticeably.
pub const WRITE_BATCH_ENTRIES: usize = 64;

/// Bytes collected before the socket is written to, so that a page and its neighbours leave in one system call.
pub const WRITE_BUFFER_BYTES: usize = 256 << 10;

/// How long one flush may make no progress, in milliseconds. The host is on the same machine and always reads; one that
/// does not for this long is gone or stuck, and its connection ends.
pub const WRITE_STALL_MS: u64 = 30_000;

/// Egress calls at once on one worker. The host's broker has its own, lower bound for a request.
pub const EGRESS_STREAMS_MAX: usize = 1024;

/// Log lines that wait for the host. At `LOG_BYTES_MAX` for message and stack each this is 16 MiB at worst; a host that
/// restarts finds the newest lines before the restart, the rest is counted.
pub const LOG_QUEUE_LINES: usize = 512;

/// Bytes of log text in one frame: far below the frame's bound, since each line has a message, a stack and an id.
pub const LOG_BATCH_BYTES: usize = 256 << 10;

/// Files in the server part of a bundle: what a host accepts for a whole bundle.
pub const BUNDLE_FILES_MAX: usize = 10_000;

/// Bytes in the server part of a bundle: what a host accepts for a whole bundle.
pub const BUNDLE_BYTES_MAX: u64 = 256 << 20;

/// Folders in one another in a bundle. Builds stay below ten; the bound keeps the walk off the end of the stack.
pub const BUNDLE_DEPTH_MAX: usize = 64;

/// Bytes of a snapshot's file. One of a large app (2 MB of script) has 8 MB; the bound keeps a damaged length from being mapped.
pub const SNAPSHOT_BYTES_MAX: usize = 64 << 20;

/// Bytes of a snapshot in one frame: half of what a frame may hold.
pub const SNAPSHOT_PIECE_BYTES: usize = 512 << 10;

/// Connections at once on one socket, said hello or not. A host needs one or a few; the rest is room for those of a
/// host that was killed and whose end is not noticed yet.
pub const CONNECTIONS_MAX: usize = 64;

/// Pause after a failed accept, in milliseconds: out of descriptors for a moment is not a reason to spin.
pub const ACCEPT_PAUSE_MS: u64 = 100;

/// Requests that wait for the first `Ready`. A host sends none before it; one that restarted may for a moment.
pub const EARLY_REQUESTS_MAX: usize = 256;

/// Control messages of one connection that are being worked on at once; the next is read when one is done.
pub const CONTROL_TASKS_MAX: usize = 32;

/// How long the pool may take to tell its status or to freeze and thaw, in milliseconds. The pool bounds its own look at
/// each isolate below this; an answer that does not come is a worker that does not live, and the host acts on that.
pub const POOL_ANSWER_MS: u64 = 5_000;

/// How long in-flight requests may go on after SIGTERM, in milliseconds: below the ten seconds that `docker stop` grants.
pub const SHUTDOWN_DRAIN_MS: u64 = 8_000;

/// How long written answers may take to leave after the last one ended, in milliseconds.
pub const SHUTDOWN_FLUSH_MS: u64 = 1_000;

/// With `--end-with-control`: how long a worker waits for its first control connection, in milliseconds. The host
/// connects as soon as the sockets exist; a minute covers a host that boots many workers on a busy machine.
pub const HOST_CONNECT_MS: u64 = 60_000;

/// With `--end-with-control`: how long a worker waits for a lost control connection to come back, in milliseconds. A
/// host that restarts does not take process workers over, so only a reconnect of the same host is waited for.
pub const HOST_RETURN_MS: u64 = 2_000;

/// How long after drain and flush a render process that was told to end may still live, in milliseconds.
pub const SHUTDOWN_KILL_MS: u64 = 500;

/// A render process that lived this long was fine, in milliseconds: its death does not count towards the pause before
/// the next start.
pub const STABLE_MS: u64 = 10_000;

/// Pause before the third start in a row, in milliseconds; it doubles with each further early death.
pub const RESTART_PAUSE_MS: u64 = 100;

/// Longest pause before a start, in milliseconds: a host that fixed the cause is not kept waiting longer.
pub const RESTART_PAUSE_MS_MAX: u64 = 10_000;

/// Descriptors that a render process may have: its connections, their accept queue and the runtime's own.
pub const DESCRIPTORS_MAX: u64 = 1_024;

const _: () = assert!(SHUTDOWN_DRAIN_MS + SHUTDOWN_FLUSH_MS + SHUTDOWN_KILL_MS < 10_000);

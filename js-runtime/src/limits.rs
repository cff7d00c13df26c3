//! Bounds of the worker, each with its reason. What both sides assert is in `vitrine_wire::limits`.

pub mod isolate;

use vitrine_wire::limits::{BODY_FRAME_BYTES_MAX, STREAMS_MAX, WINDOW_BYTES};

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

/// Body bytes taken before they are credited. A quarter of the window: few frames, and the sender never runs dry.
pub const CREDIT_STEP_BYTES: u32 = WINDOW_BYTES / 4;

/// Names and values of one head together, in bytes. Proxies and browsers refuse far less; what an app sets beyond this
/// is a mistake, and must not end the connection that other answers share.
pub const HEAD_BYTES_MAX: usize = 256 << 10;

/// Egress calls at once on one worker. The host's broker has its own, lower bound for a request.
pub const EGRESS_STREAMS_MAX: usize = 1024;

/// Log lines that wait for the host. At `LOG_BYTES_MAX` for message and stack each this is 16 MiB at worst; a host that
/// restarts finds the newest lines before the restart, the rest is counted.
pub const LOG_QUEUE_LINES: usize = 512;

/// Bytes of log text in one frame: far below the frame's bound, since each line has a message, a stack and an id.
pub const LOG_BATCH_BYTES: usize = 256 << 10;

const _: () = assert!(CREDIT_STEP_BYTES as usize + BODY_FRAME_BYTES_MAX <= WINDOW_BYTES as usize);

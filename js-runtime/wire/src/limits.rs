//! Bounds that both sides assert, each with its reason.

/// Largest payload of one frame, in bytes. A response flush of a large page (React writes 2 kB to 80 kB at once) fits;
/// a peer that claims more is broken or hostile, and its connection ends before anything is allocated.
pub const FRAME_BYTES_MAX: usize = 1 << 20;

/// Largest piece of a body in one frame, in bytes: a sender splits what is longer. Kept far below
/// [`FRAME_BYTES_MAX`] so that a large body cannot hold up the other streams of its connection.
pub const BODY_FRAME_BYTES_MAX: usize = 64 << 10;

/// Body bytes that a sender may have sent and not had credited, for each stream and direction. One 80 kB page is
/// sent without waiting; a stalled client holds at most this much in the host.
pub const WINDOW_BYTES: u32 = 256 << 10;

/// Body bytes that a receiver takes before it credits them. Half of the window: few frames, none for most pages, and the
/// sender never runs dry.
pub const CREDIT_STEP_BYTES: u32 = WINDOW_BYTES / 2;

/// Streams open at once on one connection. The host's queue bound for one release is far below it.
pub const STREAMS_MAX: usize = 4096;

/// Answers of one worker that are whole and wait for slow clients, beside those that it works on: a visitor with a slow line
/// must not keep a page from another one, and each holds a window of the host's memory.
pub const ANSWERS_LEAVING_MAX: usize = 512;

/// Bytes of one message of a WebSocket: what other hosts of such apps take, and what each of many sockets may have the host hold.
pub const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// Bytes of the payload of a close, of RFC 6455.
pub const CLOSE_BYTES_MAX: usize = 125;

/// WebSockets of one worker, beside its requests. As many as a host has places for in all would leave other apps none.
pub const SOCKETS_OF_WORKER_MAX: usize = 1_024;

/// Headers in one head. The edge refuses more than 100 from a client; the rest is room for what it adds.
pub const HEADERS_MAX: usize = 128;

/// Names and values of one head together, in bytes. Proxies and browsers refuse far less; what an app sets beyond this
/// is a mistake, and must not end the connection that other answers share.
pub const HEAD_BYTES_MAX: usize = 256 << 10;

/// Bytes of a reason phrase. Servers have words there; what is longer is taken for the usual one.
pub const REASON_BYTES_MAX: usize = 512;

/// Bytes of the id of a request: a UUID has 36, and a trusted proxy may send longer ones.
pub const REQUEST_ID_BYTES_MAX: usize = 128;

/// Log lines in one frame, so that a noisy app cannot build one frame of unbounded size.
pub const LOG_LINES_MAX: usize = 64;

/// Bytes of one log line's message or stack; longer ones are cut with a mark.
pub const LOG_BYTES_MAX: usize = 16 << 10;

/// Bytes of the body of an answer that says why a release does not start: a JSON error or the title of an error page.
pub const ANSWER_SHOWN_BYTES_MAX: usize = 300;

/// How long either side waits for the other's hello, in milliseconds. Both are on one machine: a second is long.
pub const HELLO_TIMEOUT_MS: u64 = 5_000;

const _: () = assert!(BODY_FRAME_BYTES_MAX < FRAME_BYTES_MAX);
const _: () = assert!(WINDOW_BYTES as usize >= BODY_FRAME_BYTES_MAX);
const _: () = assert!(CREDIT_STEP_BYTES as usize + BODY_FRAME_BYTES_MAX <= WINDOW_BYTES as usize);
const _: () = assert!(LOG_LINES_MAX * LOG_BYTES_MAX <= FRAME_BYTES_MAX);

/// Names of headers, cookies or parameters that a render is said to have read, each. One that reads more reads everything.
pub const READS_NAMES_MAX: usize = 64;
/// Tags and paths of one purge, as Cloudflare's Workers Cache has it. Each is one number that is raised.
pub const PURGE_ITEMS_MAX: usize = 1000;
/// Bytes of a tag or path, as there.
pub const PURGE_TEXT_BYTES_MAX: usize = 1024;

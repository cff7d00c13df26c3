//! Connections, requests and answers of the public side.

/// Headers in one request. HTTP libraries' usual bound; browsers send about 20.
pub const REQUEST_HEADERS_MAX: usize = 100;
/// Headers that the edge adds to those of a request.
const ADDED_HEADERS_MAX: usize = 7;
// A worker ends the connection that brings it more than the protocol allows, with everybody's requests on it.
const _: () = assert!(REQUEST_HEADERS_MAX + ADDED_HEADERS_MAX <= vitrine_wire::limits::HEADERS_MAX);
/// Bytes of one request's headers together.
pub const REQUEST_HEADER_BYTES_MAX: usize = 32 << 10;
/// Bytes of the request target.
pub const REQUEST_TARGET_BYTES_MAX: usize = 16 << 10;
/// Time for a complete request head, from accept or from the first byte after a keep-alive pause.
pub const HEAD_TIMEOUT_MS: u64 = 10_000;
/// Time that a client may take between two pieces of its body.
pub const BODY_STALL_MS: u64 = 30_000;
/// Connections at once on the edge. Each costs a task and some buffers, well below 64 KiB: 256 MiB at the most.
pub const CONNECTIONS_MAX: usize = 4096;
/// Connections that wait to be accepted, each to be one of [`CONNECTIONS_MAX`]; the kernel takes no more than `net.core.somaxconn`.
pub const LISTEN_BACKLOG: u32 = CONNECTIONS_MAX as u32;
/// Streams at once on one HTTP/2 connection.
pub const H2_STREAMS_MAX: u32 = 100;

/// Idle time between two requests of a connection. Longer than the 60 s that load balancers keep theirs, so that the
/// balancer closes first and never sends a request into a connection that is being closed.
pub const KEEPALIVE_IDLE_MS: u64 = 75_000;
/// Pause after `accept` failed (no file descriptors left): long enough not to spin, short enough to recover at once.
pub const ACCEPT_RETRY_MS: u64 = 50;
/// How often a connection's clocks are looked at. Times on the edge are exact to this.
pub const CONNECTION_CHECK_MS: u64 = 500;
/// Buffer of an HTTP/1.1 connection in each direction: the longest head (target and headers) fits, with room for
/// names and separators.
pub const H1_BUFFER_BYTES_MAX: usize = 64 << 10;
/// HTTP/2 header list as announced to the client: what [`REQUEST_HEADER_BYTES_MAX`] and the target need with the 32
/// bytes of overhead that the protocol counts for each header.
pub const H2_HEADER_LIST_BYTES_MAX: u32 = 56 << 10;
/// HTTP/2 receive window of a stream: what one slow app can make the edge hold of a body.
pub const H2_STREAM_WINDOW_BYTES: u32 = 256 << 10;
/// HTTP/2 receive window of a connection: bodies that slow apps do not read must not keep that of another app from coming.
pub const H2_CONNECTION_WINDOW_BYTES: u32 = 4 * H2_STREAM_WINDOW_BYTES;
/// HTTP/2 bytes buffered for one stream on the way out.
pub const H2_SEND_BUFFER_BYTES_MAX: usize = 64 << 10;
/// HTTP/2 ping interval, and how long its answer may take: finds peers that vanished without a word.
pub const H2_PING_MS: u64 = 20_000;
/// Time that a client may spend sending a body before its rate counts.
pub const BODY_GRACE_MS: u64 = 10_000;
/// Slowest body after [`BODY_GRACE_MS`]: below it, thousands of trickling uploads would hold every place.
pub const BODY_BYTES_PER_S_MIN: u64 = 1024;
/// Time that a client may keep an answer waiting in all before the rate at which it takes it counts. Longer than a stall may be: the
/// kernel's buffers make of a steady reader one that takes much at once, some tens of seconds apart.
pub const ANSWER_GRACE_MS: u64 = 60_000;
/// Slowest reader after [`ANSWER_GRACE_MS`]: half of the slowest mobile network. Below it, connections that trickle would be there for
/// hours.
pub const ANSWER_BYTES_PER_S_MIN: u64 = 2_048;
/// Bytes of a refused body that are read and thrown away: a client that sends all before it reads would else meet a
/// closed connection instead of its answer.
pub const LINGER_BYTES_MAX: u64 = 16 << 20;
/// Time for [`LINGER_BYTES_MAX`].
pub const LINGER_MS: u64 = 2_000;
/// Snapshots of the route table that one request looks at: a switch during a claim is one more, two in a row are rare.
pub const CLAIM_ATTEMPTS_MAX: usize = 3;
/// Times that a request without a body is sent again after its worker was lost before a head, and again after it did
/// not come back: a second loss of the same kind may be the request's own doing. Also times that one which was not sent is sent to the
/// worker in the place of a lost one.
pub const UPSTREAM_RETRIES_MAX: usize = 1;
/// What a worker gets beyond the limits that it enforces by itself before the edge stops waiting: it is stuck then.
pub const RENDER_GRACE_MS: u64 = 2_000;
/// Releases of one app that users do not have (earlier ones, previews) that one client may start at once: somebody who looks through
/// what there is. Each costs a worker's memory, of which all apps together have `[quota] workers_mb`.
pub const WAKES_BY_CLIENT_MAX: u32 = 8;
/// Time for one more.
pub const WAKES_BY_CLIENT_EVERY_MS: u64 = 15_000;
/// Such releases of one app that all clients together may start at once: as many as are retained, and previews.
pub const WAKES_OF_APP_MAX: u32 = 32;
/// Time for one more.
pub const WAKES_OF_APP_EVERY_MS: u64 = 5_000;
/// Time for which a start counts once, for all clients: longer than most boots, much shorter than a worker is left idle.
pub const WAKE_COUNTED_MS: u64 = 10_000;
/// Clients, apps and releases that this is kept for, each; about 200 bytes.
pub const WAKE_KEYS_MAX: u64 = 4096;
/// Bytes of an answer that are gathered, if they are at hand, to send them with their length and in one write: a page.
pub const GATHERED_BYTES_MAX: usize = 64 << 10;
/// Bytes of an answer below which it is sent as it is: it fits into one packet, and headers of a coding take some of what it saves.
pub const COMPRESSED_BYTES_MIN: u64 = 1024;
/// Answers that are compressed while they are streamed, for the whole host: each holds an encoder, of 0.3 MB (zstd), 0.4 MB (gzip) or
/// 0.75 MB (br).
pub const COMPRESSED_STREAMS_MAX: usize = 512;
/// Those of one app: its slow readers leave half of the encoders to the others.
pub const COMPRESSED_STREAMS_OF_APP_MAX: usize = COMPRESSED_STREAMS_MAX / 2;
/// Window of the encoders, as a power of two: 128 kB is more than most pages, and what all encoders hold follows from it.
pub const COMPRESSION_WINDOW_BITS: u32 = 17;
/// Client files kept in memory: the hot part of a dozen apps.
pub const ASSET_CACHE_BYTES_MAX: u64 = 64 << 20;
/// Largest client file kept in memory; larger ones are read from disk, which the page cache makes cheap.
pub const ASSET_CACHED_BYTES_MAX: u64 = 256 << 10;
/// Piece of a file that is read from disk at once.
pub const ASSET_PIECE_BYTES: usize = 64 << 10;
/// `retry-after` of a 503, in seconds: a boot takes about a second.
pub const RETRY_AFTER_S: u64 = 1;
/// The longest, in seconds, where it is known how many others are to be served first.
pub const RETRY_AFTER_S_MAX: u64 = 60;

/// Bytes of a path, query or user agent in an access line; the rest is cut.
pub const LOG_FIELD_BYTES_MAX: usize = 512;
/// Bytes of the password of previews at least: it is not slowed down who tries, so it has to be out of reach.
pub const PREVIEW_PASSWORD_BYTES_MIN: usize = 16;
/// Bytes of basic authentication that are looked at: a user name and a password with room to spare.
pub const PREVIEW_AUTHORIZATION_BYTES_MAX: usize = 1_024;

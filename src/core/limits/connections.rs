//! Places of connections, and how long those that are idle keep them.

/// Connections of one client on the edge, if the operator says nothing: an eighth of them all. An office of 80 people behind one
/// address has fewer, with six for each browser; and its own idle ones go first.
pub const CONNECTIONS_PER_CLIENT: u32 = (super::CONNECTIONS_MAX / 8) as u32;
/// Requests of one client in flight at once, if the operator says nothing: event streams of some hundred people behind one address.
pub const REQUESTS_PER_CLIENT: u32 = CONNECTIONS_PER_CLIENT;
// The slow answers of one client leave a worker the streams for all that it may run and queue.
const _: () = assert!(REQUESTS_PER_CLIENT as usize <= vitrine_wire::limits::ANSWERS_LEAVING_MAX);
/// Counters in each of two rows, over which clients are spread: two clients that are busy share both once in 67 million times.
pub const CLIENT_COUNTERS: usize = 8_192;
/// Places of the edge's reserve. Each is held for one answer, which says that the edge is busy, or for a check of a load balancer.
pub const CONNECTIONS_RESERVE: usize = 256;
/// Life of a connection that has a place of the edge's reserve: a handshake, a request and a short answer, each with a packet that is lost.
/// Its client can't hold the place by taking nothing of the answer.
pub const RESERVE_LIFE_MS: u64 = 5_000;
/// How long an answer may take whose client has said that it sends no more. It may be reading on, or gone for good: an app works on for so
/// long for somebody who is gone.
pub const HALF_CLOSED_MS: u64 = 1_000;
/// Places of the admin side's reserve.
pub const ADMIN_CONNECTIONS_RESERVE: usize = 32;
/// Part of the places that is cleared at once when they run out: to look for connections that are idle takes a tenth of a
/// millisecond for each thousand, and a flood brings thousands a second.
pub const EVICTED_SHARE: usize = 64;
/// Idle time of a connection while fewer than an eighth of the places are free. As long as a client may take for a head.
pub const IDLE_PRESSED_MS: u64 = super::HEAD_TIMEOUT_MS;
/// Least time between two looks for connections that are idle for longer than [`IDLE_PRESSED_MS`].
pub const PRESSED_CHECK_MS: u64 = 1_000;
/// Requests that a client may take back unanswered on one connection, beyond one for each that an app answers: a browser that leaves a page takes
/// all of its streams back at once.
pub const TAKEN_BACK_MAX: usize = 2 * super::H2_STREAMS_MAX as usize;
/// HTTP/2 streams that a client has reset before this host has seen them: the library's number, and more is a flood.
pub const H2_RESETS_UNSEEN_MAX: usize = 20;
/// HTTP/2 streams of one connection that are reset for errors of its client, as one that is above [`H2_STREAMS_MAX`](super::H2_STREAMS_MAX): a client
/// that has not read the settings yet opens some dozens.
pub const H2_RESETS_FOR_ERRORS_MAX: usize = super::H2_STREAMS_MAX as usize;
/// Least time between two warnings that connections are refused.
pub const EXCESS_WARNING_MS: u64 = 60_000;
/// Time that a client of the admin side may take no byte of an answer.
pub const ADMIN_STALL_MS: u64 = super::HEAD_TIMEOUT_MS;
/// The same for one that has shown a good token: an hour, for somebody who follows a log page by page.
pub const ADMIN_KNOWN_STALL_MS: u64 = 3_600_000;
/// Time between two looks at a listener's certificates: a renewed one is served within seconds, and a look is two calls of the
/// kernel for each.
pub const CERTIFICATE_POLL_MS: u64 = 5_000;
/// Pairs of files in a folder of certificates. Each takes some 8 kB of memory, and two calls of the kernel at each look.
pub const CERTIFICATES_OF_FOLDER_MAX: usize = 10_000;

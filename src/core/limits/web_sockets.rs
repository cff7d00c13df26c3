//! WebSockets of visitors and of apps.

/// WebSockets of visitors at once: half of the edge's connections, so that pages have places whatever number of them is open.
pub const WEB_SOCKETS_MAX: usize = super::CONNECTIONS_MAX / 2;
/// Those of one app, so that another one has as many.
pub const WEB_SOCKETS_OF_APP_MAX: usize = WEB_SOCKETS_MAX / 2;
const _: () = assert!(WEB_SOCKETS_OF_APP_MAX <= vitrine_wire::limits::SOCKETS_OF_WORKER_MAX);
/// WebSockets of one client at once, whichever proxies it came by: tabs of some hundred people behind one address.
pub const WEB_SOCKETS_OF_CLIENT_MAX: u32 = 256;
/// WebSockets to the outside at once for one worker: half of the calls that it may have under way, and none of them.
pub const EGRESS_WEB_SOCKETS_MAX: usize = super::EGRESS_CALLS_MAX / 2;
/// Messages that wait for the wire beyond its window: the next is read when this one is taken.
pub const SOCKET_PIECES: usize = 1;
/// Time without a sign of the other side after which it is sent a ping: below the minute after which proxies give a silent connection up.
/// One that is not answered within as long again ends the socket: one that vanished is noticed within three times this.
pub const SOCKET_PING_MS: u64 = 30_000;
/// Time for the other side's close, and for the app's, once one side has closed: some round trips.
pub const SOCKET_CLOSE_MS: u64 = 5_000;
/// Time over which the sockets of a release that leaves are closed: those who come back do so one after the other.
pub const SOCKET_SPREAD_MS: u64 = 2_000;
/// Buffer for what is read of a socket, allocated as long as it is open. A longer message has memory of its own until it is whole.
pub const SOCKET_READ_BUFFER_BYTES: usize = 4 << 10;
/// Bytes of messages that no worker has taken, those that are not whole included, of all sockets: a quarter of what connections may hold.
pub const SOCKET_UNREAD_ALL_BYTES_MAX: usize = 64 << 20;
/// Those of one app, so that another one has as many.
pub const SOCKET_UNREAD_OF_APP_BYTES_MAX: usize = SOCKET_UNREAD_ALL_BYTES_MAX / 2;
/// What each socket may hold beside that: the usual message.
pub const SOCKET_UNREAD_BYTES_FREE: usize = 16 << 10;
/// What is gathered for one write.
pub const SOCKET_WRITE_BUFFER_BYTES: usize = 16 << 10;
/// Bytes of a message that are copied behind its header, so that it is one piece on the wire.
pub const SOCKET_JOINED_BYTES: usize = 4 << 10;

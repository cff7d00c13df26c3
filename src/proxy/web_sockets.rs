//! WebSockets: RFC 6455 with the outside, whole messages with a worker. Both for visitors' sockets, where this host is the server, and for those
//! of apps to the outside, where it is the client.

pub mod handshake;
pub mod pump;
pub mod session;
mod unread;

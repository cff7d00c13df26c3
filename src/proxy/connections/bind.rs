//! Sockets of listeners, bound and not listening yet.

use std::io;
use std::net::SocketAddr;
use tokio::net::TcpSocket;

/// A socket that has the address of a listener.
///
/// # Errors
/// [`io::ErrorKind::AddrInUse`] where another process listens; see `bind(2)`.
pub fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A host that starts again takes its port at once.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

//! Everything that leads out over a socket.

use super::{Attempt, Place, abstract_name, answer};
use std::io;
use std::net::{TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(2);

fn socket(family: libc::c_int, kind: libc::c_int) -> io::Result<()> {
    // SAFETY: plain numbers.
    match answer(i64::from(unsafe { libc::socket(family, kind, 0) })) {
        // The filter let it pass: that this kernel has no such family is luck.
        Err(error)
            if matches!(
                error.raw_os_error(),
                Some(libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT | libc::ESOCKTNOSUPPORT)
            ) =>
        {
            Ok(())
        }
        other => other,
    }
}

fn connect(address: &str) -> io::Result<()> {
    let address = address.parse().map_err(io::Error::other)?;
    TcpStream::connect_timeout(&address, PATIENCE).map(drop)
}

fn abstract_socket(place: &Place) -> io::Result<()> {
    UnixStream::connect_addr(&SocketAddr::from_abstract_name(abstract_name(place.port))?).map(drop)
}

/// The folder of all workers' sockets, as the own one leads to it.
fn neighbours(place: &Place) -> io::Result<()> {
    let above = place.sockets.join("..");
    for entry in std::fs::read_dir(above)? {
        UnixStream::connect(entry?.path().join("control.sock")).map(drop)?;
    }
    Err(io::ErrorKind::NotFound.into())
}

pub const ATTEMPTS: &[Attempt] = &[
    Attempt { name: "AF_INET", run: |_| socket(libc::AF_INET, libc::SOCK_STREAM) },
    Attempt { name: "AF_INET datagram", run: |_| socket(libc::AF_INET, libc::SOCK_DGRAM) },
    Attempt { name: "AF_INET raw", run: |_| socket(libc::AF_INET, libc::SOCK_RAW) },
    Attempt { name: "AF_INET6", run: |_| socket(libc::AF_INET6, libc::SOCK_STREAM) },
    Attempt { name: "AF_NETLINK", run: |_| socket(libc::AF_NETLINK, libc::SOCK_RAW) },
    Attempt { name: "AF_PACKET", run: |_| socket(libc::AF_PACKET, libc::SOCK_RAW) },
    Attempt { name: "AF_VSOCK", run: |_| socket(libc::AF_VSOCK, libc::SOCK_STREAM) },
    Attempt { name: "AF_ALG", run: |_| socket(libc::AF_ALG, libc::SOCK_SEQPACKET) },
    Attempt { name: "AF_KEY", run: |_| socket(libc::AF_KEY, libc::SOCK_RAW) },
    Attempt { name: "AF_XDP", run: |_| socket(libc::AF_XDP, libc::SOCK_RAW) },
    Attempt { name: "AF_BLUETOOTH", run: |_| socket(libc::AF_BLUETOOTH, libc::SOCK_RAW) },
    Attempt { name: "AF_TIPC", run: |_| socket(libc::AF_TIPC, libc::SOCK_SEQPACKET) },
    Attempt { name: "the metadata service", run: |_| connect("169.254.169.254:80") },
    Attempt { name: "the metadata service, v4 in v6", run: |_| connect("[::ffff:169.254.169.254]:80") },
    Attempt { name: "a port of this machine", run: |place| connect(&format!("127.0.0.1:{}", place.port)) },
    Attempt {
        name: "a name server",
        run: |_| UdpSocket::bind("0.0.0.0:0")?.send_to(b"?", "127.0.0.53:53").map(drop),
    },
    Attempt { name: "the abstract socket of another program", run: abstract_socket },
    Attempt { name: "docker.sock", run: |_| UnixStream::connect("/var/run/docker.sock").map(drop) },
    Attempt { name: "docker.sock in /run", run: |_| UnixStream::connect("/run/docker.sock").map(drop) },
    Attempt {
        name: "containerd.sock",
        run: |_| UnixStream::connect("/run/containerd/containerd.sock").map(drop),
    },
    Attempt { name: "sockets of another app's worker", run: neighbours },
];

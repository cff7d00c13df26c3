//! Who listens at an address of this machine.
//!
//! A port that no host listens on is free for every user of the machine, so an address alone is no reason to send a secret there.

use crate::cli::print;
use crate::cli::target::{NamedBy, Target};
use nix::unistd::geteuid;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::MetadataExt as _;
use url::Host;

/// State of a socket that listens, as the kernel writes it.
const LISTEN: &str = "0A";

/// What is known about who takes the connections to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listener {
    /// A process of this user or of root, or of one more user that is trusted with what would be sent.
    Trusted,
    /// A process of another user.
    Foreign(u32),
    /// No process listens there.
    Absent,
    /// The kernel's list can't be read.
    Unknown,
}

/// Who listens where a host on this machine is meant to. `trusted` is one more user besides this one and root.
pub(super) fn of(target: &Target, trusted: Option<u32>) -> Listener {
    let Ok(v4) = fs::read_to_string("/proc/net/tcp") else { return Listener::Unknown };
    // Missing where the kernel has no IPv6.
    let v6 = fs::read_to_string("/proc/net/tcp6").unwrap_or_default();
    let sockets: Vec<Socket> = v4.lines().chain(v6.lines()).filter_map(listening).collect();
    let own = geteuid().as_raw();
    judge(&sockets, &addresses(target), |uid| uid == own || uid == 0 || Some(uid) == trusted)
}

/// Takes the token back if another user's process would get it: one from a file unless its owner or root listens, and one of the
/// environment where the user did not name the host.
pub(super) fn withhold_token(target: &mut Target) {
    let Some(token) = &target.token else { return };
    let of_file = token.file.as_ref().and_then(|file| fs::metadata(file).ok()).map(|facts| facts.uid());
    let is_named = matches!(target.named_by, NamedBy::Flag | NamedBy::Environment);
    if !target.is_here() || (token.file.is_none() && is_named) {
        return;
    }
    match of(target, of_file) {
        Listener::Trusted | Listener::Unknown => return,
        Listener::Foreign(uid) => print::talk(&format!(
            "the token {} is not sent: a process of user {uid} listens at {}",
            token.file.as_ref().map_or("of VITRINE_TOKEN".into(), |file| format!("in {}", file.display())),
            target.address()
        )),
        Listener::Absent if token.file.is_none() => return,
        // The connection fails and says so; without the token also if another user takes the port before.
        Listener::Absent => {}
    }
    target.token = None;
}

/// Where a connection to the host goes.
fn addresses(target: &Target) -> Vec<SocketAddr> {
    if let Some(at) = target.at {
        return vec![at];
    }
    let port = target.url.port_or_known_default().unwrap_or_default();
    let ips: Vec<IpAddr> = match target.url.host() {
        Some(Host::Ipv4(ip)) => vec![ip.into()],
        Some(Host::Ipv6(ip)) => vec![ip.into()],
        _ => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
    };
    ips.into_iter().map(|ip| SocketAddr::new(ip, port)).collect()
}

/// A socket that listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Socket {
    at: SocketAddr,
    uid: u32,
}

fn judge(sockets: &[Socket], addresses: &[SocketAddr], is_trusted: impl Fn(u32) -> bool) -> Listener {
    let takers: Vec<&Socket> = addresses.iter().flat_map(|address| takers(sockets, *address)).collect();
    match takers.iter().find(|socket| !is_trusted(socket.uid)) {
        Some(foreign) => Listener::Foreign(foreign.uid),
        None if takers.is_empty() => Listener::Absent,
        None => Listener::Trusted,
    }
}

/// The sockets that take connections to an address: of those that could the kernel prefers the more exact.
fn takers(sockets: &[Socket], address: SocketAddr) -> Vec<&Socket> {
    let any: IpAddr =
        if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    for ip in [address.ip(), any, Ipv6Addr::UNSPECIFIED.into()] {
        let at = |socket: &&Socket| socket.at == SocketAddr::new(ip, address.port());
        let found: Vec<&Socket> = sockets.iter().filter(at).collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// A line of the kernel's list, if its socket listens: number, local address, remote address, state, queues, timer, retransmits, user.
fn listening(line: &str) -> Option<Socket> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let local = fields.next()?;
    let uid = (fields.nth(1)? == LISTEN).then(|| fields.nth(3))??.parse().ok()?;
    let (ip, port) = local.split_once(':')?;
    // Words of 32 bits in the order of this machine's bytes.
    let words = ip.as_bytes().chunks(8).map(|word| u32::from_str_radix(str::from_utf8(word).ok()?, 16).ok());
    let bytes: Vec<u8> =
        words.collect::<Option<Vec<u32>>>()?.into_iter().flat_map(u32::to_ne_bytes).collect();
    let ip = match (<[u8; 4]>::try_from(&bytes[..]), <[u8; 16]>::try_from(&bytes[..])) {
        (Ok(v4), _) => IpAddr::from(v4),
        (_, Ok(v6)) => IpAddr::from(v6).to_canonical(),
        _ => return None,
    };
    Some(Socket { at: SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?), uid })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_socket_is_found_in_the_kernels_list_with_its_user() {
        for ip in ["127.0.0.1", "0.0.0.0", "127.0.0.7", "::1", "::"] {
            let ip: IpAddr = ip.parse().unwrap();
            let Ok(listener) = TcpListener::bind((ip, 0)) else { continue };
            let at = listener.local_addr().unwrap();
            let table =
                fs::read_to_string(if at.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" }).unwrap();
            let own = geteuid().as_raw();
            let found: Vec<Socket> =
                table.lines().filter_map(listening).filter(|socket| socket.at == at).collect();
            assert_eq!(found, [Socket { at, uid: own }]);
        }
    }

    #[test]
    fn the_most_exact_socket_is_the_one_that_counts() {
        let socket = |at: &str, uid| Socket { at: at.parse().unwrap(), uid };
        let to = |at: &str, sockets: &[Socket]| judge(sockets, &[at.parse().unwrap()], |uid| uid == 1);
        let here = "127.0.0.1:8081";
        assert_eq!(to(here, &[]), Listener::Absent);
        assert_eq!(to(here, &[socket("127.0.0.1:8082", 1), socket("127.0.0.2:8081", 1)]), Listener::Absent);
        for at in [here, "0.0.0.0:8081", "[::]:8081"] {
            assert_eq!(to(here, &[socket(at, 1)]), Listener::Trusted, "{at}");
            assert_eq!(to(here, &[socket(at, 2)]), Listener::Foreign(2), "{at}");
        }
        assert_eq!(to(here, &[socket("[::]:8081", 2), socket(here, 1)]), Listener::Trusted);
        assert_eq!(to(here, &[socket("[::]:8081", 1), socket(here, 2)]), Listener::Foreign(2));
        assert_eq!(to("[::1]:8081", &[socket("0.0.0.0:8081", 1)]), Listener::Absent);
    }
}

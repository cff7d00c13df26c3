//! A listener where clouds have their metadata service: nothing that an app or a worker does may reach it.

use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::process::{Command, Stdio};

const ADDRESS: &str = "169.254.169.254/32";
/// Tests run beside each other, and a machine has one such address.
const LOCK: &str = "/tmp/vitrine-test-metadata.lock";

/// The listener; the address is taken off the machine when this is dropped.
#[derive(Debug)]
pub struct Metadata {
    listener: TcpListener,
    _lock: nix::fcntl::Flock<File>,
}

impl Metadata {
    /// Listens; says why not, where that needs another user.
    pub fn open() -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            println!("SKIPPED: only root can add {ADDRESS} to this machine");
            return None;
        }
        let file = File::options().create(true).append(true).open(LOCK).unwrap();
        let lock = nix::fcntl::Flock::lock(file, nix::fcntl::FlockArg::LockExclusive).unwrap();
        // One that a killed test left is as good.
        address("add");
        let listener = TcpListener::bind("169.254.169.254:80").unwrap();
        listener.set_nonblocking(true).unwrap();
        Some(Self { listener, _lock: lock })
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        accepted(&self.listener)
    }
}

impl Drop for Metadata {
    fn drop(&mut self) {
        address("del");
    }
}

/// Connections that wait to be accepted at a listener that does not block.
pub fn accepted(listener: &TcpListener) -> usize {
    let mut count = 0;
    loop {
        match listener.accept() {
            Ok(_) => count += 1,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return count,
            Err(error) => panic!("{error}"),
        }
    }
}

fn address(verb: &str) {
    let _ = Command::new("ip").args(["addr", verb, ADDRESS, "dev", "lo"]).stderr(Stdio::null()).status();
}

//! What a native program that took over a worker must not be able to do: one table, tried in a real container by the
//! program that `tests/container` puts in the worker's place.
//!
//! Each attempt is made in a way that works where it is allowed: under Docker's defaults many of them do, which is how
//! the rig shows that it can tell.

#[path = "attempts/files.rs"]
mod files;
#[path = "attempts/kernel.rs"]
mod kernel;
#[path = "attempts/network.rs"]
mod network;
#[path = "attempts/processes.rs"]
mod processes;

use std::io;
use std::path::Path;

/// One thing to try; `Ok` when it worked.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// What it is.
    pub name: &'static str,
    /// Tries it.
    pub run: fn(&Place) -> io::Result<()>,
}

/// What an attempt may want to know.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// Folder of the worker's own sockets.
    pub sockets: &'a Path,
    /// Port of this machine on which the test listens.
    pub port: u16,
}

/// Abstract socket on which the test with this port listens outside.
pub fn abstract_name(port: u16) -> String {
    format!("vitrine-test-outside-{port}")
}

/// Every attempt.
pub fn all() -> impl Iterator<Item = &'static Attempt> {
    [kernel::ATTEMPTS, network::ATTEMPTS, files::ATTEMPTS, processes::ATTEMPTS].into_iter().flatten()
}

/// The answer of a system call.
fn answer(value: i64) -> io::Result<()> {
    if value < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// What only tells something: worked, if what it tells is known now.
fn learned(is: bool) -> io::Result<()> {
    if is { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

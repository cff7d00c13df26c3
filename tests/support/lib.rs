//! What the programs of tests share: starts hosts, runs the command line, speaks HTTP and WebSockets, makes load, looks at processes.
//!
//! It drives the binaries of this build. `vitrine` lies two folders above the test program; `vitrine-worker` has to lie beside it:
//! `cargo build --workspace --bins` first (`make test` does).

#![expect(clippy::unwrap_used, reason = "a test that finds something else than it expects is to stop there")]

pub mod archive;
pub mod cli;
pub mod docker;
pub mod docker_proxy;
pub mod figures;
pub mod flips;
pub mod host;
pub mod http;
pub mod metadata;
pub mod noise;
pub mod pebble;
pub mod private_docker;
pub mod processes;
pub mod snapshot;
pub mod storm;
pub mod wait;
pub mod web_socket;

use std::path::{Path, PathBuf};

/// The built `vitrine`: Cargo puts test programs into a folder beside it.
#[must_use]
pub fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().join("vitrine")
}

/// The root of the repository.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

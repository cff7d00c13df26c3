//! Drives the built `vitrine` through its public surfaces: command line, edge, admin side.
//!
//! The worker binary has to lie beside it: `cargo build -p vitrine-worker` first (`make test` does).

#![expect(clippy::unwrap_used, reason = "a test that finds something else than it expects is to stop there")]

#[path = "../harness"]
mod harness {
    pub mod archive;
    pub mod cli;
    pub mod host;
    pub mod http;
    pub mod snapshot;
    pub mod storm;
    pub mod wait;
}

mod bad_archives;
mod bad_bundles;
mod bad_requests;
mod command_line;
mod description;
mod flips;
mod uploads;
mod verbs;

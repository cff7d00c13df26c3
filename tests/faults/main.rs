//! Faults that a host survives, each with a control: the same rig on a host that is broken on purpose, which it must notice.
//!
//! Long runs are `#[ignore]`d; `make test-long` has them.

#![expect(clippy::unwrap_used, reason = "a test that finds something else than it expects is to stop there")]

#[path = "../harness"]
#[expect(dead_code, reason = "each program of tests uses a part of it")]
mod harness {
    pub mod archive;
    pub mod cli;
    pub mod docker;
    pub mod docker_proxy;
    pub mod figures;
    pub mod flips;
    pub mod host;
    pub mod http;
    pub mod noise;
    pub mod private_docker;
    pub mod processes;
    pub mod storm;
    pub mod wait;
}

mod clients;
mod clock;
mod dockerd;
mod flips;
mod instances;
mod kills;
mod soak;
mod upgrade;
mod workers;
mod wounds;

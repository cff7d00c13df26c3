//! Bundles that misuse whatever they are given, on a real host, beside an app that behaves.

#![expect(clippy::unwrap_used, reason = "a test that finds something else than it expects is to stop there")]

#[path = "../harness"]
#[expect(dead_code, reason = "each program of tests uses a part of it")]
mod harness {
    pub mod archive;
    pub mod cli;
    pub mod figures;
    pub mod host;
    pub mod http;
    pub mod noise;
    pub mod processes;
    pub mod wait;
}

mod connections;
mod kinds;
mod loads;
mod neighbour;
mod rig;
mod turnover;

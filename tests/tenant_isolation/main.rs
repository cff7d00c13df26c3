//! Bundles that misuse whatever they are given, on a real host, beside an app that behaves.

#![expect(clippy::unwrap_used, reason = "a test that finds something else than it expects is to stop there")]

mod connections;
mod kinds;
mod loads;
mod neighbour;
mod rig;
mod turnover;

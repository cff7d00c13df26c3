//! Faults that a host survives, each with a control: the same rig on a host that is broken on purpose, which it must notice.
//!
//! Long runs are `#[ignore]`d; `make test-long` has them.

#![expect(clippy::unwrap_used, reason = "a test that finds something else than it expects is to stop there")]

mod clients;
mod clock;
mod corruption;
mod crash_recovery;
mod dockerd;
mod flips;
mod instances;
mod soak;
mod upgrade;
mod workers;

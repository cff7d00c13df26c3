//! What every part of the host knows: names, bounds, configuration, permissions, rules of health, telemetry, and which
//! headers are about one connection.

#![warn(unreachable_pub)]

pub mod audit;
pub mod clock;
pub mod config;
pub mod failpoint;
pub mod files;
pub mod handover;
pub mod health;
pub mod hop_by_hop;
pub mod id;
pub mod limits;
pub mod scope;
pub mod telemetry;
pub mod visible;

//! Vitrine: a host for server-side rendered front ends.
//!
//! Two straight lines run through this crate, and they meet only in the route table.
//!
//! *A request*: [`edge`] accepts -> [`route`] table (an immutable snapshot) -> [`pool`] claims a worker of that
//! release -> [`worker`] puts it on the wire -> the isolate renders -> the answer streams back -> one log line.
//!
//! *A release*: [`cli`] -> [`admin`] -> [`release`] (a pure state machine) -> its effects on [`store`], [`bundle`] and
//! [`container`] -> a new route table is published, swapped whole.
//!
//! Modules are listed in layer order; each uses only earlier ones (`tests/tidy` proves it).

pub mod limits;

pub mod health;

pub mod clock;
pub mod config;
pub mod failpoint;
pub mod files;
pub mod handover;
pub mod id;
pub mod scope;
pub mod visible;

pub mod audit;

pub mod bundle;
pub mod store;
pub mod telemetry;

pub mod certificates;
pub mod connections;
pub mod container;
pub mod web_sockets;

pub mod worker;

pub mod pool;

pub mod route;

pub mod release;

pub mod admin;
pub mod edge;

pub mod cli;
pub mod host;

//! Vitrine: a host for server-side rendered front ends. This crate is its command line and puts the host together.
//!
//! Two straight lines run through the crates in `src/`, and they meet only in the route table.
//!
//! *A request*: [`edge`](vitrine_edge) accepts -> [`route`](vitrine_proxy::route) table (an immutable snapshot) ->
//! [`pool`](vitrine_proxy::pool) claims a worker of that release -> [`worker`](vitrine_proxy::worker) puts it on the wire -> the isolate
//! renders -> the answer streams back -> one log line.
//!
//! *A release*: [`cli`] -> [`admin`](vitrine_control::admin) -> [`release`](vitrine_control::release) (a pure state machine) -> its effects on
//! [`store`](vitrine_store), [`bundle`](vitrine_bundle) and [`engine`](vitrine_engine) -> a new route table is published, swapped whole.
//!
//! Each crate uses only earlier ones: core, bundle, engine, store, proxy, control, edge, vitrine.

#![warn(unreachable_pub)]

pub mod cli;
mod host;

//! Everything inside the wall: what runs a bundle. It knows no Docker and no HTTP.
//!
//! Read in this order: [`supervisor`] (PID 1: holds the sockets, restarts the render process) -> [`render`] (the render
//! process: bundle into memory, [`lockdown`], then threads) -> [`connection`] (frames to [`request`]s) -> [`pool`] (a fair
//! bounded queue in front of isolates) -> [`isolate`] (one V8 isolate on one thread).

pub(crate) mod allocator;
mod built_ins;
pub mod bundle;
pub(crate) mod clock;
pub mod code_cache;
pub mod connection;
pub mod exception;
pub mod exit;
pub mod isolate;
pub mod limits;
pub mod lockdown;
pub mod log;
pub mod module_loader;
mod ops;
pub mod pool;
pub mod render;
pub mod request;
pub mod snapshot;
pub mod supervisor;
mod watchdog;

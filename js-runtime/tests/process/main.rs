//! A whole worker process, driven over its sockets as a host drives it.

mod client;
mod handshake;
mod lifecycle;
mod lockdown;
mod memory;
mod streams;
mod time_zone;
mod worker;

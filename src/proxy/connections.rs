//! Connections of both sides: their clocks, their places, and how they end.
//!
//! [`accept`] takes each connection at once and asks [`places`] for its place: one that is idle goes for it where there is none
//! ([`victims`] chooses). [`graceful`] runs it: it sleeps until the nearest end of its clocks ([`activity`]).

pub mod accept;
pub mod activity;
mod after_http;
pub mod bind;
pub mod client;
pub mod graceful;
pub mod places;
pub mod shutdown;
mod victims;
pub mod watched_io;

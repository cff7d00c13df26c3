//! Connections of both sides: their clocks, their places, and how they end.
//!
//! [`accept`] takes each connection at once and asks [`places`] for its place: one that is idle goes for it where there is none
//! ([`victims`] chooses). [`course`] runs it: it sleeps until the nearest end of its clocks ([`activity`]).

pub mod accept;
pub mod activity;
mod after_http;
pub mod bind;
pub mod client;
pub mod course;
pub mod leaving;
pub mod places;
mod victims;
pub mod watched_io;

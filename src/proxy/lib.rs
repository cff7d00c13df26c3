//! What requests pass through: connections of clients on one side, workers on the other, and the route table between them.
//!
//! [`rules`] say what a request is for, [`route`] which release answers under a host name, its [`pool`] claims a [`worker`], whose sockets carry the request
//! and what the app fetches.

#![warn(unreachable_pub)]

pub mod app_places;
pub mod certificates;
pub mod connections;
pub mod pool;
pub mod route;
pub mod rules;
pub mod upstreams;
pub mod web_sockets;
pub mod worker;

//! The one line on stdout that says where a host accepts requests.

use crate::config::Isolation;
use serde_json::json;
use std::net::SocketAddr;

/// How that line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadyLine {
    /// `ready edge=URL admin=URL isolation=KIND`.
    Text,
    /// The same as a JSON object.
    Json,
}

impl ReadyLine {
    /// Writes it; `solo` has no admin side.
    pub(super) fn write(self, edge: SocketAddr, admin: Option<SocketAddr>, isolation: Isolation) {
        let edge = format!("http://{edge}");
        let admin = admin.map(|admin| format!("http://{admin}"));
        match (self, admin) {
            (Self::Json, Some(admin)) => {
                println!("{}", json!({ "edge": edge, "admin": admin, "isolation": isolation }));
            }
            (Self::Json, None) => println!("{}", json!({ "edge": edge, "isolation": isolation })),
            (Self::Text, Some(admin)) => println!("ready edge={edge} admin={admin} isolation={isolation}"),
            (Self::Text, None) => println!("ready edge={edge} isolation={isolation}"),
        }
    }
}

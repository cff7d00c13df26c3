//! The one line on stdout that says where a host accepts requests.

use serde_json::json;
use std::net::SocketAddr;
use vitrine_core::config::Isolation;

/// How that line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadyLine {
    /// `ready edge=URL admin=URL isolation=KIND`, and `warning=no-containers` after it where processes are a fallback.
    Text,
    /// The same as a JSON object.
    Json,
}

impl ReadyLine {
    /// Writes it; `solo` has no admin side.
    pub(super) fn write(self, edge: SocketAddr, admin: Option<&str>, isolation: Isolation, fell_back: bool) {
        let edge = format!("http://{edge}");
        let warning = fell_back.then_some("no-containers");
        match self {
            Self::Json => {
                let mut line = json!({ "edge": edge, "isolation": isolation });
                for (name, value) in [("admin", admin), ("warning", warning)] {
                    if let Some(value) = value {
                        line[name] = value.into();
                    }
                }
                println!("{line}");
            }
            Self::Text => {
                let admin = admin.map(|admin| format!(" admin={admin}")).unwrap_or_default();
                let warning = warning.map(|warning| format!(" warning={warning}")).unwrap_or_default();
                println!("ready edge={edge}{admin} isolation={isolation}{warning}");
            }
        }
    }
}

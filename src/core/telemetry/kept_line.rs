//! A line of an app's log, as it is kept and as it is read again: what the app wrote, a request, or what the host has to say of the app.

use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use vitrine_wire::{AppError, LogLevel, Outcome};

/// Whose line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// The app's, or its worker's about it.
    App,
    /// A request.
    Request,
    /// The host's.
    Host,
}

/// See the module. The fields of a request are absent elsewhere.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptLine {
    /// Whose it is.
    pub kind: LineKind,
    /// When it was written; of a request, when that arrived.
    pub time: jiff::Timestamp,
    /// Severity.
    pub level: LogLevel,
    /// App.
    pub app: String,
    /// Version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Request that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Source-mapped stack, for errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// Method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Path, cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Query, cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Body bytes of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// From arrival to the last byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    /// CPU time of the render.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<f64>,
    /// Who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
    /// What the app threw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<AppError>,
}

impl KeptLine {
    /// What the host has to say of an app now.
    #[must_use]
    pub fn of_host(app: &str, level: LogLevel, message: String) -> Self {
        Self {
            kind: LineKind::Host,
            time: jiff::Timestamp::now(),
            level,
            app: app.to_owned(),
            release: None,
            instance: None,
            request_id: None,
            message,
            stack: None,
            method: None,
            path: None,
            query: None,
            status: None,
            outcome: None,
            bytes: None,
            duration_ms: None,
            cpu_ms: None,
            client: None,
            error: None,
        }
    }

    /// As one line of JSON.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        // Texts and numbers: nothing in them fails to serialize.
        let mut json = serde_json::to_vec(self).unwrap_or_default();
        json.push(b'\n');
        json
    }

    /// From one line of JSON; nothing when it is torn or no such line.
    #[must_use]
    pub fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }
}

//! How a request ended, as one closed list.

use serde::{Deserialize, Serialize};

/// How a request ended. Logs, metrics, error pages and the wire all use this list and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answered by the app or from its files.
    Ok,
    /// The client's fault: too large, malformed, timed out while sending.
    ClientError,
    /// The app threw, or gave something that is not a response.
    AppError,
    /// The render used more CPU time than `cpu_ms`.
    CpuLimit,
    /// The answer had not begun after `wall_ms`.
    WallLimit,
    /// The isolate's heap reached `heap_mb`.
    HeapLimit,
    /// The render process died.
    Crashed,
    /// The queue was full or the wait in it too long, or the host could not read a file.
    Overloaded,
    /// The worker is going away and takes nothing new.
    Draining,
    /// No app answers to that host name.
    NoRoute,
    /// The app is known, the release is not, or it can't be started.
    NoRelease,
    /// The request can't be understood.
    BadRequest,
    /// The worker's connection was lost before the answer was complete.
    UpstreamGone,
    /// The client went away.
    Cancelled,
    /// The app gave nothing of an answer that had begun for `stream_idle_ms`.
    StreamIdle,
}

impl Outcome {
    /// Every outcome, in the order of the contract.
    pub const ALL: [Self; 15] = [
        Self::Ok,
        Self::ClientError,
        Self::AppError,
        Self::CpuLimit,
        Self::WallLimit,
        Self::HeapLimit,
        Self::Crashed,
        Self::Overloaded,
        Self::Draining,
        Self::NoRoute,
        Self::NoRelease,
        Self::BadRequest,
        Self::UpstreamGone,
        Self::Cancelled,
        Self::StreamIdle,
    ];

    /// The name used in logs, metrics and headers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ClientError => "client_error",
            Self::AppError => "app_error",
            Self::CpuLimit => "cpu_limit",
            Self::WallLimit => "wall_limit",
            Self::HeapLimit => "heap_limit",
            Self::Crashed => "crashed",
            Self::Overloaded => "overloaded",
            Self::Draining => "draining",
            Self::NoRoute => "no_route",
            Self::NoRelease => "no_release",
            Self::BadRequest => "bad_request",
            Self::UpstreamGone => "upstream_gone",
            Self::Cancelled => "cancelled",
            Self::StreamIdle => "stream_idle",
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

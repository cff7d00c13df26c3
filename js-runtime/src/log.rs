//! The worker's own log: JSON lines on stderr. What an app writes goes to the host over the control socket instead.

use serde_json::{Value, json};
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// Severity of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// As expected.
    Info,
    /// Unexpected, and the worker goes on.
    Warn,
    /// Something was lost.
    Error,
}

/// Writes one line: when, how severe, what, and the members of the object `fields`.
pub fn note(severity: Severity, event: &str, fields: Value) {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let level = match severity {
        Severity::Info => "info",
        Severity::Warn => "warn",
        Severity::Error => "error",
    };
    let mut line = json!({
        "time_ms": u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX),
        "level": level,
        "event": event,
        "pid": std::process::id(),
    });
    if let (Value::Object(line), Value::Object(fields)) = (&mut line, fields) {
        line.extend(fields);
    }
    // A closed stderr can't be reported anywhere. One write keeps the lines of two processes apart.
    drop(std::io::stderr().write_all(format!("{line}\n").as_bytes()));
}

/// An error and its causes on one line, for a field of [`note`].
#[must_use]
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

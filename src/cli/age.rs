//! A span of time as people write it.

use std::time::Duration;

/// Parses `30s`, `5m`, `2h`, `7d`, and such parts together.
///
/// # Errors
/// The forms that can be written.
pub fn parse(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| format!("`{text}` is no time; write 30s, 5m, 2h or 7d"))
}

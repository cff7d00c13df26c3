//! Durations on the command line.

use std::time::Duration;

/// Parses `30s`, `5m`, `2h`, `7d`, and such parts together.
///
/// # Errors
/// Which forms are accepted.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| format!("`{text}` is not a duration; write 30s, 5m, 2h or 7d"))
}

//! The form of what is shown to people: how wide, and how times are written.

use indicatif::HumanDuration;
use std::io::IsTerminal as _;
use std::time::Duration;
use vitrine_core::clock::Clock;

/// Columns of a terminal that does not say how many it has.
const COLUMNS_DEFAULT: usize = 80;
/// A time that is further away is shown as a date.
const RELATIVE_MAX: Duration = Duration::from_secs(60 * 86_400);

/// How wide a table is.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(super) struct Width {
    /// Show every column in full, however wide the terminal is
    #[arg(long)]
    wide: bool,
}

/// The form of a table that has times.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(super) struct Form {
    /// How wide it is.
    #[command(flatten)]
    pub width: Width,
    /// Show times in UTC, not as how long ago they were
    #[arg(long)]
    utc: bool,
}

impl Width {
    /// How many columns there are, if that is limited: by COLUMNS, else by the terminal. A pipe has no limit.
    pub(super) fn columns(self) -> Option<usize> {
        if self.wide {
            return None;
        }
        let told = || std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0);
        let seen = || {
            let size = terminal_size::terminal_size();
            size.map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0).unwrap_or(COLUMNS_DEFAULT)
        };
        told().or_else(|| is_for_people().then(seen))
    }
}

/// Whether a person reads stdout.
pub(super) fn is_for_people() -> bool {
    std::io::stdout().is_terminal()
}

impl Form {
    /// A time in milliseconds since the Unix epoch: on a terminal how long ago it was, else in UTC.
    pub(super) fn time(self, ms: u64) -> String {
        if self.utc || !is_for_people() { utc(ms) } else { relative(ms, Clock::system().now_ms()) }
    }

    /// When something ends, in milliseconds since the Unix epoch, as the end of a phrase.
    pub(super) fn end(self, ms: u64) -> String {
        let now_ms = Clock::system().now_ms();
        if self.utc || !is_for_people() {
            format!("until {}", utc(ms))
        } else if ms <= now_ms {
            "until now".to_owned()
        } else {
            format!("for {}", HumanDuration(Duration::from_millis(ms - now_ms)))
        }
    }
}

/// A time in milliseconds since the Unix epoch as people write it, in UTC.
pub(super) fn utc(ms: u64) -> String {
    let known = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    known.map_or_else(|| ms.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

fn relative(ms: u64, now_ms: u64) -> String {
    let distance = Duration::from_millis(ms.abs_diff(now_ms));
    if distance > RELATIVE_MAX {
        return utc(ms);
    }
    if distance < Duration::from_secs(1) {
        return "now".to_owned();
    }
    let distance = HumanDuration(distance);
    if ms < now_ms { format!("{distance} ago") } else { format!("in {distance}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc() {
        assert_eq!(utc(0), "1970-01-01 00:00:00Z");
        assert_eq!(utc(u64::MAX), u64::MAX.to_string());
    }

    #[test]
    fn near_times_are_told_by_how_near_they_are() {
        let now = 1_800_000_000_000;
        for (ms, told) in [
            (now, "now"),
            (now - 45_000, "45 seconds ago"),
            (now - 120_000, "2 minutes ago"),
            (now + 72 * 3_600_000, "in 3 days"),
            (now - 3_600_000, "60 minutes ago"),
        ] {
            assert_eq!(relative(ms, now), told);
        }
        assert_eq!(relative(0, now), "1970-01-01 00:00:00Z");
    }
}

//! The app's log, bounded in lines a second.

use crate::clock::now_ms;
use crate::request::HostClient;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use vitrine_wire::{LogLevel, LogLine};

const SECOND: Duration = Duration::from_secs(1);

/// The log of a worker: all of its isolates share the bound. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Log {
    link: HostClient,
    meter: Arc<Mutex<Meter>>,
    lines_per_s: u32,
}

#[derive(Debug)]
struct Meter {
    since: Instant,
    lines: u32,
    dropped: u64,
}

impl Log {
    /// A log that lets `lines_per_s` lines a second through.
    pub fn new(link: HostClient, lines_per_s: u32) -> Self {
        let meter = Meter { since: Instant::now(), lines: 0, dropped: 0 };
        Self { link, meter: Arc::new(Mutex::new(meter)), lines_per_s }
    }

    /// Writes the line that `line` makes, or counts it, unmade, when there were too many this second. Returns whether it is the first
    /// to be only counted: the caller then sees to [`Log::summarize`].
    pub fn write(&self, line: impl FnOnce() -> LogLine) -> bool {
        self.summarize();
        let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        if meter.lines < self.lines_per_s {
            meter.lines += 1;
            drop(meter);
            self.link.log(line());
            return false;
        }
        meter.dropped += 1;
        meter.dropped == 1
    }

    /// Says how many lines of a second that is over were only counted, if any.
    pub fn summarize(&self) {
        let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        if meter.since.elapsed() < SECOND {
            return;
        }
        let dropped = std::mem::take(&mut meter.dropped);
        meter.since = Instant::now();
        meter.lines = 0;
        drop(meter);
        if dropped > 0 {
            let limit = self.lines_per_s;
            self.link.log(LogLine {
                time_ms: now_ms(),
                level: LogLevel::Warn,
                request_id: None,
                message: format!("{dropped} more log lines were dropped: log_lines_per_s is {limit}"),
                stack: None,
            });
        }
    }
}

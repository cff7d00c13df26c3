//! JSON lines on stderr.

use crate::id::{InstanceId, ReleaseId};
use vitrine_wire::LogLine;

/// Where log lines go: a bounded queue and a thread that writes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Logs {}

/// Writes what is queued when it is dropped; keep it until the process ends.
#[derive(Debug)]
pub struct LogGuard {}

/// One request, as its log line says it.
#[derive(Debug)]
pub struct AccessLine {}

/// Sends `tracing` events as JSON lines to stderr (level from `VITRINE_LOG`, `info` by default).
#[must_use]
pub fn init_logs() -> (Logs, LogGuard) {
    todo!()
}

impl Logs {
    /// Lines that nobody took in time and that were dropped.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        todo!()
    }

    /// Writes a line that an app wrote.
    pub fn app(&self, _release: &ReleaseId, _instance: &InstanceId, _line: &LogLine) {
        todo!()
    }

    /// Swallows everything; for tests.
    #[must_use]
    pub fn discard() -> Self {
        todo!()
    }
}

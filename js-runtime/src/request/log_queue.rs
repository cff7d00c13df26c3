//! Queues log lines for the host.

use crate::limits::{LOG_BATCH_BYTES, LOG_QUEUE_LINES};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use vitrine_wire::limits::LOG_LINES_MAX;
use vitrine_wire::{LogLevel, LogLine};

/// The isolates' end of the log queue.
#[derive(Debug)]
pub(super) struct LogSender {
    lines: mpsc::Sender<LogLine>,
    dropped: Arc<AtomicU64>,
}

/// The connection's end of the log queue. It outlives connections: lines wait for the host to come back.
#[derive(Debug)]
pub struct LogReader {
    lines: mpsc::Receiver<LogLine>,
    dropped: Arc<AtomicU64>,
    /// Taken from the queue, and not in a batch yet.
    held: Option<LogLine>,
}

pub(super) fn log_queue() -> (LogSender, LogReader) {
    let (sender, lines) = mpsc::channel(LOG_QUEUE_LINES);
    let dropped = Arc::new(AtomicU64::new(0));
    (LogSender { lines: sender, dropped: Arc::clone(&dropped) }, LogReader { lines, dropped, held: None })
}

impl LogSender {
    pub(super) fn push(&self, mut line: LogLine) {
        line.cut();
        if self.lines.try_send(line).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl LogReader {
    /// Waits for lines and gives as many as one frame takes. `None` when all writers are gone. Dropping the future
    /// loses nothing.
    pub async fn batch(&mut self) -> Option<Vec<LogLine>> {
        if self.held.is_none() {
            self.held = self.lines.recv().await;
        }
        let mut batch = Vec::new();
        let mut bytes = 0;
        // One entry is left for the line that tells of the dropped ones.
        while batch.len() < LOG_LINES_MAX - 1 {
            let Some(line) = self.held.take().or_else(|| self.lines.try_recv().ok()) else { break };
            bytes += line.message.len() + line.stack.as_ref().map_or(0, String::len);
            if bytes > LOG_BATCH_BYTES && !batch.is_empty() {
                self.held = Some(line);
                break;
            }
            batch.push(line);
        }
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            batch.push(summary(dropped));
        }
        (!batch.is_empty()).then_some(batch)
    }
}

fn summary(dropped: u64) -> LogLine {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    LogLine {
        time_ms: u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX),
        level: LogLevel::Warn,
        request_id: None,
        message: format!(
            "{dropped} log lines were dropped: the app wrote them faster than they could be read"
        ),
        stack: None,
    }
}

//! Searching what is kept of an app's log, a batch of lines at a time.
//!
//! The next batch is read when the lines of the last one are taken, so a search ends when its reader leaves. A thread and a place
//! among the scans are held only while a batch is read: a search that waits for a place, or for a slow reader, holds neither.

use super::event::LogEvent;
use super::wanted::{Verdict, Wanted};
use axum::response::sse::Event;
use futures_util::{Stream, stream};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use tokio::sync::Semaphore;
use vitrine_core::limits::{LOG_READ_AHEAD_LINES, LOG_SCAN_BYTES, LOG_SCANS_MAX, LOG_TAIL_BYTES_MAX};
use vitrine_core::telemetry::Past;
use vitrine_core::telemetry::log_store::{Part, PartReader};

/// Batches that are read at once: each takes a core while it unpacks.
pub(super) static SCANS: Semaphore = Semaphore::const_new(LOG_SCANS_MAX);

/// A search and its position.
pub(super) struct Search {
    wanted: Arc<Wanted>,
    /// Parts that are still to be opened, oldest first.
    parts: VecDeque<Part>,
    reading: Option<PartReader>,
    /// Lines that are not taken yet, oldest first.
    found: VecDeque<LogEvent>,
    /// If the last lines are asked for; otherwise all of them are.
    last: Option<Last>,
    hidden: u64,
    /// Held by a batch that is read, too: a stream whose reader has left gives its slot back when nothing is read for it any more.
    _slot: Arc<dyn Send + Sync>,
}

/// A search for the last lines, which reads the newest part first.
struct Last {
    lines_max: usize,
    /// Lines of the parts that have been read, oldest first.
    newer: VecDeque<LogEvent>,
    /// Bytes of all lines that were found.
    bytes: usize,
    /// Whether lines were left out because of their bytes.
    is_cut: bool,
}

impl Search {
    /// A search for all lines, or for the last `lines_max`.
    pub(super) fn new(
        past: Past,
        wanted: Arc<Wanted>,
        lines_max: Option<usize>,
        slot: Arc<dyn Send + Sync>,
    ) -> Self {
        let parts =
            past.0.into_iter().filter(|part| wanted.may_be_in(part.begun_ms, part.ended_ms)).collect();
        let last =
            lines_max.map(|lines_max| Last { lines_max, newer: VecDeque::new(), bytes: 0, is_cut: false });
        Self { wanted, parts, reading: None, found: VecDeque::new(), last, hidden: 0, _slot: slot }
    }

    /// The lines that are wanted, oldest first, then how many are hidden.
    pub(super) fn events(
        self,
        scans: &'static Semaphore,
    ) -> impl Stream<Item = Result<Event, Infallible>> + Send {
        stream::unfold(self, move |mut search| async move {
            while !search.can_give() {
                search = search.scanned(scans).await?;
            }
            Some((Ok(search.give()?), search))
        })
    }

    /// Whether the next line is known. The first of the last lines is known when everything has been read.
    fn can_give(&self) -> bool {
        let is_read = self.parts.is_empty() && self.reading.is_none();
        is_read || (self.last.is_none() && !self.found.is_empty())
    }

    fn give(&mut self) -> Option<Event> {
        if let Some(line) = self.found.pop_front() {
            return Some(sent(&line));
        }
        let hidden = std::mem::take(&mut self.hidden);
        (hidden > 0).then(|| Event::default().event("hidden").data(hidden.to_string()))
    }

    /// Reads a batch, once there is a place for it.
    async fn scanned(mut self, scans: &'static Semaphore) -> Option<Self> {
        // The semaphore is never closed.
        let place = scans.acquire().await.ok()?;
        let scan = move || {
            self.scan();
            drop(place);
            self
        };
        tokio::task::spawn_blocking(scan).await.ok()
    }

    /// Reads a batch of lines.
    fn scan(&mut self) {
        // The lines before the damage are found, and those of other segments are worth more than an error.
        if let Err(error) = self.scan_part() {
            tracing::warn!(%error, "a part of an app's log can't be read");
            self.end_part();
        }
    }

    fn scan_part(&mut self) -> io::Result<()> {
        if self.reading.is_none() {
            let next = if self.last.is_some() { self.parts.pop_back() } else { self.parts.pop_front() };
            self.reading = next.map(|part| part.open()).transpose()?;
        }
        let Some(reading) = &mut self.reading else { return Ok(()) };
        let mut scanned = 0;
        while scanned < LOG_SCAN_BYTES {
            let Some(json) = reading.next_line()? else {
                self.end_part();
                return Ok(());
            };
            scanned += json.len() + 1;
            match self.wanted.look(json) {
                Verdict::Hidden => self.hidden += 1,
                Verdict::Other => {}
                Verdict::Shown(line) => match &mut self.last {
                    Some(last) => last.keep(*line, &mut self.found),
                    None => self.found.push_back(*line),
                },
            }
            if self.last.is_none() && self.found.len() >= LOG_READ_AHEAD_LINES {
                break;
            }
        }
        Ok(())
    }

    fn end_part(&mut self) {
        self.reading = None;
        let Some(last) = &mut self.last else { return };
        self.found.append(&mut last.newer);
        if self.found.len() >= last.lines_max || last.is_cut {
            self.parts.clear();
        }
        if !self.parts.is_empty() {
            last.newer = std::mem::take(&mut self.found);
        }
    }
}

impl Last {
    /// Adds a line to those of its part, and leaves out the oldest ones that are above the bounds.
    fn keep(&mut self, line: LogEvent, found: &mut VecDeque<LogEvent>) {
        self.bytes += line.bytes();
        found.push_back(line);
        while found.len() + self.newer.len() > self.lines_max || self.bytes > LOG_TAIL_BYTES_MAX {
            self.is_cut |= self.bytes > LOG_TAIL_BYTES_MAX;
            let Some(oldest) = found.pop_front() else { break };
            self.bytes -= oldest.bytes();
        }
    }
}

/// A line as an event.
pub(super) fn sent(line: &LogEvent) -> Event {
    let event = Event::default().event("log");
    event.json_data(line).expect("a line is a plain struct: it always serializes")
}

#[cfg(test)]
mod tests;

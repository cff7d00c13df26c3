//! Lines on their way to stderr: bounded by bytes, fair between apps, written by a thread of its own.
//!
//! A flood of one app takes no line from another one, nor from the host: each lane may hold as much as is still free,
//! so that there is always room for those that hold little.

use super::drops::{DropReason, LogDrops};
use crate::failpoint;
use crate::id::AppName;
use crate::limits::{
    AUDIT_QUEUE_BYTES_MAX, HOST_LOG_BYTES_MAX, LOG_BATCH_BYTES, LOG_FLUSH_MS, LOG_GATHER_MS,
    LOG_QUEUE_BYTES_MAX,
};
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Whose line it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lane {
    /// A record of the audit log. It is never dropped: its writer waits for room.
    Audit,
    /// What the host itself has to say.
    Host,
    /// A request of this app, or of none.
    Request(Option<AppName>),
    /// What this app wrote.
    App(AppName),
}

/// The queue. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct LineQueue(Arc<Shared>);

/// Writes what is queued when it is dropped, for a moment at most.
#[derive(Debug)]
pub(super) struct Writer {
    queue: LineQueue,
    has_thread: bool,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// There is something to write, or the end.
    filled: Condvar,
    /// There is room again.
    taken: Condvar,
    drops: LogDrops,
    /// How long the writer gathers lines of requests and apps after a write.
    gather: Duration,
}

/// What the writing thread does. It is woken only when it has something to do at once: a wake for each line costs a busy host more
/// than the line.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Writing {
    /// It takes what is queued by itself.
    #[default]
    Busy,
    /// It waits for more to write: a whole batch, or a line of the host itself.
    Gathers,
    /// It waits for a line.
    Waits,
}

#[derive(Debug, Default)]
struct State {
    /// Of the host and of the audit log: written before the rest.
    own: VecDeque<Line>,
    /// Of requests and apps.
    others: VecDeque<Line>,
    host_bytes: usize,
    audit_bytes: usize,
    requests: Lanes<Option<AppName>>,
    apps: Lanes<AppName>,
    writing: Writing,
    ended: bool,
    finished: bool,
}

/// Bytes that wait, for each app.
#[derive(Debug)]
struct Lanes<A> {
    by_app: HashMap<A, usize>,
    bytes: usize,
}

#[derive(Debug)]
struct Line {
    lane: Lane,
    bytes: Bytes,
}

impl LineQueue {
    /// A queue, and the thread that writes what comes out of it to `sink`.
    pub(super) fn start(sink: impl Write + Send + 'static, drops: LogDrops) -> (Self, Writer) {
        Self::start_gathering(sink, drops, Duration::from_millis(LOG_GATHER_MS))
    }

    fn start_gathering(
        sink: impl Write + Send + 'static,
        drops: LogDrops,
        gather: Duration,
    ) -> (Self, Writer) {
        let (filled, taken) = (Condvar::new(), Condvar::new());
        let shared = Shared { state: Mutex::default(), filled, taken, drops, gather };
        let queue = Self(Arc::new(shared));
        let reader = queue.clone();
        let thread = std::thread::Builder::new().name("logs".into()).spawn(move || reader.write_all_to(sink));
        if let Err(error) = &thread {
            // Without the thread nothing is written and every lane fills up: it is better to say so while that is possible.
            eprintln!("no thread for the log: {error}");
        }
        let writer = Writer { queue: queue.clone(), has_thread: thread.is_ok() };
        (queue, writer)
    }

    /// Queues a line, or counts it as dropped.
    pub(super) fn push(&self, lane: Lane, bytes: Bytes) {
        let mut state = self.lock();
        while lane == Lane::Audit && !state.has_room(&lane, bytes.len()) && !state.ended {
            state = self.0.taken.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.ended {
            return;
        }
        if !state.has_room(&lane, bytes.len()) {
            drop(state);
            let app = match &lane {
                Lane::App(app) | Lane::Request(Some(app)) => app.as_str(),
                Lane::Audit | Lane::Host | Lane::Request(None) => "",
            };
            self.0.drops.count(app, DropReason::SlowReader, 1);
            return;
        }
        if matches!(lane, Lane::App(_)) {
            failpoint::at("logs.push");
        }
        state.add(lane, bytes);
        let wakes = state.wakes_writer();
        drop(state);
        if wakes {
            self.0.filled.notify_one();
        }
    }

    fn write_all_to(&self, mut sink: impl Write) {
        let mut batch = Vec::with_capacity(LOG_BATCH_BYTES);
        while self.take(&mut batch) {
            self.0.taken.notify_all();
            // A stderr that is closed is no reason to stop, and there is nowhere to report it.
            let _ = sink.write_all(&batch).and_then(|()| sink.flush());
            batch.clear();
            self.gather();
        }
    }

    /// Takes lines for one write, as soon as there are any. `false` at the end.
    fn take(&self, batch: &mut Vec<u8>) -> bool {
        let mut state = self.lock();
        while state.is_empty() {
            if state.ended {
                state.finished = true;
                drop(state);
                self.0.taken.notify_all();
                return false;
            }
            state.writing = Writing::Waits;
            state = self.0.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.writing = Writing::Busy;
        state.fill(batch);
        true
    }

    /// Lets lines of requests and apps come together for the next write.
    fn gather(&self) {
        let mut state = self.lock();
        state.writing = Writing::Gathers;
        let gathers = |state: &mut State| !state.ended && !state.is_due();
        let (mut state, _) = self
            .0
            .filled
            .wait_timeout_while(state, self.0.gather, gathers)
            .unwrap_or_else(PoisonError::into_inner);
        state.writing = Writing::Busy;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_empty(&self) -> bool {
        self.own.is_empty() && self.others.is_empty()
    }

    /// Whether what is queued is to be written at once.
    fn is_due(&self) -> bool {
        !self.own.is_empty() || self.requests.bytes + self.apps.bytes >= LOG_BATCH_BYTES
    }

    /// Whether the line that was added last wakes the writer; only the first one that does says so.
    fn wakes_writer(&mut self) -> bool {
        let wakes = match self.writing {
            Writing::Busy => false,
            Writing::Gathers => self.is_due(),
            Writing::Waits => true,
        };
        if wakes {
            self.writing = Writing::Busy;
        }
        wakes
    }

    fn has_room(&self, lane: &Lane, bytes: usize) -> bool {
        let free = LOG_QUEUE_BYTES_MAX.saturating_sub(self.requests.bytes + self.apps.bytes);
        match lane {
            Lane::Audit => self.audit_bytes == 0 || self.audit_bytes + bytes <= AUDIT_QUEUE_BYTES_MAX,
            Lane::Host => self.host_bytes + bytes <= HOST_LOG_BYTES_MAX,
            Lane::Request(app) => self.requests.held(app) + bytes <= free,
            Lane::App(app) => self.apps.held(app) + bytes <= free,
        }
    }

    fn add(&mut self, lane: Lane, bytes: Bytes) {
        let length = bytes.len();
        match &lane {
            Lane::Audit => self.audit_bytes += length,
            Lane::Host => self.host_bytes += length,
            Lane::Request(app) => self.requests.hold(app, length),
            Lane::App(app) => self.apps.hold(app, length),
        }
        let lines = match lane {
            Lane::Audit | Lane::Host => &mut self.own,
            Lane::Request(_) | Lane::App(_) => &mut self.others,
        };
        lines.push_back(Line { lane, bytes });
    }

    /// Takes lines for one write: at least one.
    fn fill(&mut self, batch: &mut Vec<u8>) {
        while batch.len() < LOG_BATCH_BYTES {
            let Some(line) = self.own.pop_front().or_else(|| self.others.pop_front()) else { return };
            let length = line.bytes.len();
            match line.lane {
                Lane::Audit => self.audit_bytes -= length,
                Lane::Host => self.host_bytes -= length,
                Lane::Request(app) => self.requests.release(&app, length),
                Lane::App(app) => self.apps.release(&app, length),
            }
            batch.extend_from_slice(&line.bytes);
        }
    }
}

impl<A> Default for Lanes<A> {
    fn default() -> Self {
        Self { by_app: HashMap::new(), bytes: 0 }
    }
}

impl<A: Clone + Eq + Hash> Lanes<A> {
    fn held(&self, app: &A) -> usize {
        self.by_app.get(app).copied().unwrap_or_default()
    }

    fn hold(&mut self, app: &A, bytes: usize) {
        self.bytes += bytes;
        match self.by_app.get_mut(app) {
            Some(held) => *held += bytes,
            None => drop(self.by_app.insert(app.clone(), bytes)),
        }
    }

    fn release(&mut self, app: &A, bytes: usize) {
        self.bytes -= bytes;
        if let Some(held) = self.by_app.get_mut(app) {
            *held -= bytes;
            if *held == 0 {
                self.by_app.remove(app);
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.lock().ended = true;
        self.queue.0.filled.notify_one();
        self.queue.0.taken.notify_all();
        // A stderr that takes nothing must not keep the process from ending.
        let patience = Duration::from_millis(LOG_FLUSH_MS);
        let waits = |state: &mut State| self.has_thread && !state.finished;
        drop(self.queue.0.taken.wait_timeout_while(self.queue.lock(), patience, waits));
    }
}

#[cfg(test)]
mod tests;

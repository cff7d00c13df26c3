//! Lines of apps and of their requests, kept on disk within a bound, and passed on to those who follow.
//!
//! A request hands its line over and goes on: a thread of its own writes, in segments of JSON lines below a folder for each app.
//! Closed segments are compressed. What the queue, an app's rate or the disk has no room for is counted, and said in the app's log.
//! Nothing is synced: a crash costs the last moment, and a torn line is skipped.

mod lock;
mod past;
mod segment;
mod segments;
mod writer;

use super::drops::{DropReason, LogDrops};
use crate::id::AppName;
use crate::limits::{
    LOG_FLUSH_MS, LOG_FORGET_MS, LOG_STORE_BYTES_MAX, LOG_STORE_CALLS_MAX, LOG_STORE_LINES_MAX,
};
use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, TrySendError};
use jiff::Timestamp;
pub use past::{Part, PartReader, Past};
use segments::Folder;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{broadcast, oneshot};
use writer::Writer;

/// What may be kept, and where.
#[derive(Debug, Clone)]
pub struct Keeping {
    /// Folder of it all.
    pub folder: PathBuf,
    /// Bytes of every app together.
    pub bytes_max: u64,
    /// Age at which a line goes, in milliseconds.
    pub age_max_ms: u64,
}

/// Where lines are handed over. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LogStore(Arc<Shared>);

/// Has what waits written when it is dropped, for a moment at most.
#[derive(Debug)]
pub struct LogStoreGuard {
    store: LogStore,
    finished: Receiver<()>,
}

#[derive(Debug)]
struct Shared {
    queue: Sender<Message>,
    waiting: AtomicUsize,
    /// Streams that wait for lines to come.
    followers: AtomicUsize,
    keeps: bool,
    drops: LogDrops,
    /// Lines of each app that found no room in the queue and that no line tells of yet.
    unsaid: Mutex<HashMap<AppName, u64>>,
}

/// What the thread is told.
#[derive(Debug)]
enum Message {
    Line(Line),
    Look { app: AppName, follow: bool, answer: oneshot::Sender<Looked> },
    Forget(AppName),
    End,
}

/// One line.
#[derive(Debug)]
struct Line {
    app: AppName,
    written: Written,
    json: Bytes,
}

/// What a line tells of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Written {
    /// A request that arrived then.
    Request { arrived: Timestamp },
    /// Anything else.
    Line,
}

/// What is kept of an app, and its lines to come.
#[derive(Debug)]
pub struct Looked {
    /// Segments, oldest first.
    pub past: Past,
    /// Lines to come, if they were asked for.
    pub to_come: Option<broadcast::Receiver<Bytes>>,
}

/// Counts a stream that waits for lines to come, until it is dropped.
#[derive(Debug)]
pub struct Following(LogStore);

/// More questions wait than may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the host's log is busy; try again")]
pub struct Busy;

impl LogStore {
    /// Starts the thread. Without `keeping` it passes lines on and keeps none.
    ///
    /// # Errors
    /// The folder can't be used, or there is no thread.
    pub fn start(keeping: Option<Keeping>, drops: LogDrops) -> std::io::Result<(Self, LogStoreGuard)> {
        let (queue, messages) = crossbeam_channel::bounded(LOG_STORE_LINES_MAX + LOG_STORE_CALLS_MAX);
        let (end, finished) = crossbeam_channel::bounded(1);
        let keeps = keeping.is_some();
        let folder = keeping.map(Folder::open).transpose()?;
        let store = Self(Arc::new(Shared {
            queue,
            waiting: AtomicUsize::new(0),
            followers: AtomicUsize::new(0),
            keeps,
            drops,
            unsaid: Mutex::default(),
        }));
        let writer = Writer::new(store.clone(), folder);
        std::thread::Builder::new().name("kept-logs".into()).spawn(move || {
            writer.run(&messages);
            drop(end);
        })?;
        Ok((store.clone(), LogStoreGuard { store, finished }))
    }

    /// Whether lines are kept.
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.0.keeps
    }

    /// Hands a line over, or counts it. Does not wait.
    pub(super) fn push(&self, app: &AppName, written: Written, json: Bytes) {
        let Shared { queue, waiting, followers, keeps, .. } = &*self.0;
        if !keeps && followers.load(Ordering::Relaxed) == 0 {
            return;
        }
        let bytes = json.len();
        let waits = waiting.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let has_room = waits <= LOG_STORE_BYTES_MAX && queue.len() < LOG_STORE_LINES_MAX;
        if !has_room || queue.try_send(Message::Line(Line { app: app.clone(), written, json })).is_err() {
            waiting.fetch_sub(bytes, Ordering::Relaxed);
            self.count_dropped(app);
        }
    }

    fn count_dropped(&self, app: &AppName) {
        self.0.drops.count(app.as_str(), DropReason::NotKept, 1);
        if !self.0.keeps {
            return;
        }
        let mut unsaid = self.0.unsaid.lock().unwrap_or_else(PoisonError::into_inner);
        *unsaid.entry(app.clone()).or_default() += 1;
    }

    /// Counts a stream that is about to ask for lines to come.
    #[must_use]
    pub fn following(&self) -> Following {
        self.0.followers.fetch_add(1, Ordering::Relaxed);
        Following(self.clone())
    }

    /// Asks for what is kept of an app: every line that was handed over before is in it, every later one is to come.
    ///
    /// # Errors
    /// [`Busy`].
    pub fn look(&self, app: &AppName, follow: bool) -> Result<oneshot::Receiver<Looked>, Busy> {
        let (answer, looked) = oneshot::channel();
        let asked = self.0.queue.try_send(Message::Look { app: app.clone(), follow, answer });
        asked.map(|()| looked).map_err(|_| Busy)
    }

    /// Removes what is kept of an app: every line that was handed over before. Does not wait; where the queue is full a thread of
    /// its own waits for room.
    pub fn forget(&self, app: &AppName) {
        self.0.unsaid.lock().unwrap_or_else(PoisonError::into_inner).remove(app);
        let Err(TrySendError::Full(message)) = self.0.queue.try_send(Message::Forget(app.clone())) else {
            return;
        };
        let (queue, name) = (self.0.queue.clone(), app.clone());
        let send = move || {
            if queue.send_timeout(message, Duration::from_millis(LOG_FORGET_MS)).is_err() {
                tracing::warn!(
                    app = %name,
                    "the log of a removed app is kept until the next start of the host"
                );
            }
        };
        if let Err(error) = std::thread::Builder::new().name("forgets-log".into()).spawn(send) {
            tracing::warn!(%app, %error, "the log of a removed app is kept until the next start of the host");
        }
    }

    /// Lines that found no room in the queue since the last call.
    fn take_unsaid(&self) -> HashMap<AppName, u64> {
        std::mem::take(&mut *self.0.unsaid.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.0.0.followers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for LogStoreGuard {
    fn drop(&mut self) {
        // A disk that takes nothing must not keep the process from ending.
        let patience = Duration::from_millis(LOG_FLUSH_MS);
        if self.store.0.queue.send_timeout(Message::End, patience).is_ok() {
            let _ = self.finished.recv_timeout(patience);
        }
    }
}

#[cfg(test)]
mod tests;

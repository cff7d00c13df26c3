//! The thread that keeps lines and passes them on.

use super::segments::Folder;
use super::{Line, LogStore, Looked, Message, Past};
use crate::limits::{
    JOURNAL_FOLLOWERS_LAG_MAX, LOG_DISK_PAUSE_MS, LOG_KEPT_BURST_BYTES, LOG_KEPT_BYTES_PER_S,
    LOG_STORE_GATHER_MS, LOG_STORE_TEND_MS, LOG_TOLD_MS,
};
use crate::telemetry::bucket::Bucket;
use crate::telemetry::drops::DropReason;
use crate::telemetry::kept_line::KeptLine;
use bytes::Bytes;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use std::collections::HashMap;
use std::io;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::broadcast;
use vitrine_wire::LogLevel;

/// See the module.
#[derive(Debug)]
pub(super) struct Writer {
    store: LogStore,
    folder: Option<Folder>,
    apps: HashMap<Box<str>, Desk>,
    /// After a refusal that concerns all apps.
    disk: Pause,
    tended: Instant,
}

/// What is at hand of one app.
#[derive(Debug)]
struct Desk {
    /// Lines to be written.
    waiting: Vec<u8>,
    waiting_lines: u64,
    lines: Bucket,
    requests: Bucket,
    /// Lines that were not kept and that no line tells of yet.
    unsaid: u64,
    said: Option<Instant>,
    followers: Option<broadcast::Sender<Bytes>>,
    /// After a refusal that concerns this app alone.
    disk: Pause,
}

/// A pause after a disk has refused a write.
#[derive(Debug, Default)]
struct Pause {
    until: Option<Instant>,
}

impl Writer {
    pub fn new(store: LogStore, folder: Option<Folder>) -> Self {
        Self { store, folder, apps: HashMap::new(), disk: Pause::default(), tended: Instant::now() }
    }

    /// Does what it is told until the end.
    pub fn run(mut self, messages: &Receiver<Message>) {
        let mut goes_on = true;
        while goes_on {
            let has_left = self.folder.as_ref().is_some_and(Folder::has_left);
            let patience = Duration::from_millis(if has_left { 0 } else { LOG_STORE_TEND_MS });
            match messages.recv_timeout(patience) {
                Ok(first) => {
                    if matches!(first, Message::Line(_)) {
                        std::thread::sleep(Duration::from_millis(LOG_STORE_GATHER_MS));
                    }
                    let waits = messages.len();
                    let all = std::iter::once(first).chain(messages.try_iter().take(waits));
                    for message in all {
                        goes_on &= self.take(message);
                    }
                    self.flush();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.tend();
        }
    }

    /// Takes a message; `false` is the end.
    fn take(&mut self, message: Message) -> bool {
        match message {
            Message::Line(line) => self.take_line(line),
            Message::Look { app, follow, answer } => {
                self.flush();
                let past = self.folder.as_ref().map_or_else(Past::default, |folder| folder.look(&app));
                let to_come = follow.then(|| self.desk(app).follow());
                // Who asked may be gone.
                let _ = answer.send(Looked { past, to_come });
            }
            Message::Forget(app) => {
                self.apps.remove(&app);
                if let Some(folder) = &mut self.folder {
                    folder.forget(&app);
                }
            }
            Message::End => return false,
        }
        true
    }

    pub(super) fn take_line(&mut self, line: Line) {
        let Line { app, is_request, json } = line;
        self.store.0.waiting.fetch_sub(json.len(), Ordering::Relaxed);
        let keeps = self.folder.is_some();
        let desk = match self.apps.get_mut(&app) {
            Some(desk) => desk,
            None => self.desk(app.clone()),
        };
        if keeps {
            let bucket = if is_request { &mut desk.requests } else { &mut desk.lines };
            let is_kept = bucket.take(json.len() as f64, Instant::now());
            if is_kept {
                desk.waiting.extend_from_slice(&json);
                desk.waiting_lines += 1;
            } else {
                desk.unsaid += 1;
            }
            desk.pass_on(json);
            if !is_kept {
                self.store.0.drops.count(&app, DropReason::NotKept, 1);
            }
            return;
        }
        desk.pass_on(json);
    }

    fn desk(&mut self, app: Box<str>) -> &mut Desk {
        self.apps.entry(app).or_insert_with(Desk::new)
    }

    /// Writes what waits, and says what was not kept.
    pub(super) fn flush(&mut self) {
        for (app, lines) in self.store.take_unsaid() {
            self.desk(app).unsaid += lines;
        }
        let Self { folder: Some(folder), apps, disk, store, .. } = self else { return };
        let now = Instant::now();
        let mut due = apps.iter_mut().filter(|(_, desk)| desk.has_something_to_write(now)).peekable();
        if due.peek().is_none() {
            return;
        }
        let has_room = disk.attempt(now, None, || folder.has_room());
        for (app, desk) in due {
            let note = desk.note(app);
            let lines = [&desk.waiting[..], &note].concat();
            let write = || folder.append(app, &lines);
            if has_room && desk.disk.attempt(now, Some(app), write) {
                desk.wrote(note, now);
            } else {
                desk.lose(store, app);
            }
        }
    }

    /// As if the pauses of a disk that took nothing were over.
    #[cfg(test)]
    pub(super) fn end_pauses(&mut self) {
        let pauses = self.apps.values_mut().map(|desk| &mut desk.disk).chain([&mut self.disk]);
        pauses.filter(|pause| pause.until.is_some()).for_each(|pause| pause.until = Some(Instant::now()));
    }

    fn tend(&mut self) {
        if let Some(folder) = &mut self.folder {
            folder.pack_left();
        }
        if self.tended.elapsed() < Duration::from_millis(LOG_STORE_TEND_MS) {
            return;
        }
        self.tended = Instant::now();
        self.flush();
        if let Some(folder) = &mut self.folder {
            folder.tend();
        }
        let is_followed = |desk: &Desk| desk.followers.as_ref().is_some_and(|all| all.receiver_count() > 0);
        for desk in self.apps.values_mut().filter(|desk| !is_followed(desk)) {
            desk.followers = None;
        }
    }
}

impl Desk {
    fn new() -> Self {
        let bucket = || Bucket::full(LOG_KEPT_BYTES_PER_S, LOG_KEPT_BURST_BYTES, Instant::now());
        Self {
            waiting: Vec::new(),
            waiting_lines: 0,
            lines: bucket(),
            requests: bucket(),
            unsaid: 0,
            said: None,
            followers: None,
            disk: Pause::default(),
        }
    }

    fn follow(&mut self) -> broadcast::Receiver<Bytes> {
        self.followers.get_or_insert_with(|| broadcast::channel(JOURNAL_FOLLOWERS_LAG_MAX).0).subscribe()
    }

    fn pass_on(&self, json: Vec<u8>) {
        if let Some(followers) = &self.followers {
            // They may have gone.
            let _ = followers.send(json.into());
        }
    }

    fn has_something_to_write(&self, now: Instant) -> bool {
        let pause = Duration::from_millis(LOG_TOLD_MS);
        let may_say = self.said.is_none_or(|said| now.duration_since(said) >= pause);
        !self.waiting.is_empty() || (self.unsaid > 0 && may_say)
    }

    /// The line that tells how many were not kept, if any.
    fn note(&self, app: &str) -> Vec<u8> {
        if self.unsaid == 0 {
            return Vec::new();
        }
        let message = format!(
            "{} lines and requests were not kept: they were more than the host keeps of an app, or the disk had no room",
            self.unsaid
        );
        KeptLine::of_host(app, LogLevel::Warn, message).json()
    }

    fn wrote(&mut self, note: Vec<u8>, now: Instant) {
        (self.waiting, self.waiting_lines) = (Vec::new(), 0);
        if !note.is_empty() {
            (self.unsaid, self.said) = (0, Some(now));
            self.pass_on(note);
        }
    }

    fn lose(&mut self, store: &LogStore, app: &str) {
        store.0.drops.count(app, DropReason::NotKept, self.waiting_lines);
        self.unsaid += std::mem::take(&mut self.waiting_lines);
        self.waiting = Vec::new();
    }
}

impl Pause {
    /// Tries a write, unless one was refused just now; `app` is absent if it concerns all apps. Gives whether it was done.
    fn attempt(&mut self, now: Instant, app: Option<&str>, write: impl FnOnce() -> io::Result<()>) -> bool {
        if self.until.is_some_and(|until| now < until) {
            return false;
        }
        match write() {
            Ok(()) => {
                if self.until.take().is_some() {
                    tracing::info!(app, "logs of apps are kept again");
                }
                true
            }
            Err(error) => {
                let until = now + Duration::from_millis(LOG_DISK_PAUSE_MS);
                if self.until.replace(until).is_none() {
                    tracing::warn!(app, %error, "logs of apps are not kept for now; requests are served");
                }
                false
            }
        }
    }
}

//! The thread that keeps lines and passes them on.

use super::segments::Folder;
use super::{Line, LogStore, Looked, Message, Past, Written};
use crate::id::AppName;
use crate::limits::{
    JOURNAL_FOLLOWERS_LAG_MAX, LOG_DISK_PAUSE_MS, LOG_FORGOTTEN_MS, LOG_KEPT_BURST_BYTES,
    LOG_KEPT_BYTES_PER_S, LOG_STORE_GATHER_MS, LOG_STORE_TEND_MS, LOG_TOLD_MS,
};
use crate::telemetry::bucket::Bucket;
use crate::telemetry::drops::DropReason;
use crate::telemetry::kept_line::KeptLine;
use bytes::Bytes;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use jiff::Timestamp;
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
    apps: HashMap<AppName, Desk>,
    /// Apps whose log was removed, and when.
    forgotten: HashMap<AppName, Timestamp>,
    /// After a refusal that concerns all apps.
    disk: Pause,
    tended: Instant,
}

/// What is at hand of one app.
#[derive(Debug)]
struct Desk {
    /// Lines to be written.
    waiting: Vec<Bytes>,
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
    pub(super) fn new(store: LogStore, folder: Option<Folder>) -> Self {
        Self {
            store,
            folder,
            apps: HashMap::new(),
            forgotten: HashMap::new(),
            disk: Pause::default(),
            tended: Instant::now(),
        }
    }

    /// Does what it is told until the end.
    pub(super) fn run(mut self, messages: &Receiver<Message>) {
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
    pub(super) fn take(&mut self, message: Message) -> bool {
        match message {
            Message::Line(line) => self.take_line(line),
            Message::Look { app, follow, answer } => {
                self.flush();
                let past =
                    self.folder.as_ref().map_or_else(Past::default, |folder| folder.look(app.as_str()));
                let to_come = follow.then(|| self.desk(app).follow());
                // Who asked may be gone.
                let _ = answer.send(Looked { past, to_come });
            }
            Message::Forget(app) => {
                self.apps.remove(&app);
                if let Some(folder) = &mut self.folder {
                    folder.forget(app.as_str());
                }
                self.forgotten.insert(app, Timestamp::now());
            }
            Message::End => return false,
        }
        true
    }

    pub(super) fn take_line(&mut self, line: Line) {
        self.store.0.waiting.fetch_sub(line.json.len(), Ordering::Relaxed);
        if self.is_forgotten(&line) {
            return;
        }
        let Line { app, written, json } = line;
        let keeps = self.folder.is_some();
        let desk = match self.apps.get_mut(&app) {
            Some(desk) => desk,
            None => self.desk(app.clone()),
        };
        desk.pass_on(&json);
        if !keeps {
            return;
        }
        let bucket = match written {
            Written::Request { .. } => &mut desk.requests,
            Written::Line => &mut desk.lines,
        };
        if bucket.take(json.len() as f64, Instant::now()) {
            desk.waiting.push(json);
        } else {
            desk.unsaid += 1;
            self.store.0.drops.count(app.as_str(), DropReason::NotKept, 1);
        }
    }

    /// Whether a line tells of a request to an app that is removed: the log of the next app of its name has none of it, nor does it
    /// bring the folder back.
    fn is_forgotten(&self, line: &Line) -> bool {
        let Written::Request { arrived } = line.written else { return false };
        !self.forgotten.is_empty() && self.forgotten.get(&line.app).is_some_and(|removed| arrived <= *removed)
    }

    fn desk(&mut self, app: AppName) -> &mut Desk {
        self.apps.entry(app).or_insert_with(Desk::new)
    }

    /// Notes lines that found no room in the queue, to be said with the next ones.
    pub(super) fn say_unsaid(&mut self, unsaid: HashMap<AppName, u64>) {
        for (app, lines) in unsaid {
            if self.apps.contains_key(&app) || !self.forgotten.contains_key(&app) {
                self.desk(app).unsaid += lines;
            }
        }
    }

    /// Writes the lines that wait, and a line with the number of those that were not kept.
    pub(super) fn flush(&mut self) {
        let unsaid = self.store.take_unsaid();
        self.say_unsaid(unsaid);
        let Self { folder: Some(folder), apps, disk, store, .. } = self else { return };
        let now = Instant::now();
        let mut due = apps.iter_mut().filter(|(_, desk)| desk.has_something_to_write(now)).peekable();
        if due.peek().is_none() {
            return;
        }
        let has_room = disk.attempt(now, None, || folder.has_room());
        for (app, desk) in due {
            let note = desk.note(app.as_str());
            let mut lines = desk.waiting.concat();
            lines.extend_from_slice(&note);
            let write = || folder.append(app.as_str(), &lines);
            if has_room && desk.disk.attempt(now, Some(app.as_str()), write) {
                desk.wrote(&note, now);
            } else {
                desk.lose(store, app.as_str());
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
        let long_ago = Timestamp::now() - Duration::from_millis(LOG_FORGOTTEN_MS);
        self.forgotten.retain(|_, removed| *removed > long_ago);
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

    fn pass_on(&self, json: &Bytes) {
        if let Some(followers) = &self.followers {
            // They may have gone.
            let _ = followers.send(json.clone());
        }
    }

    fn has_something_to_write(&self, now: Instant) -> bool {
        let pause = Duration::from_millis(LOG_TOLD_MS);
        let may_say = self.said.is_none_or(|said| now.duration_since(said) >= pause);
        !self.waiting.is_empty() || (self.unsaid > 0 && may_say)
    }

    /// The line that tells how many were not kept, if any.
    fn note(&self, app: &str) -> Bytes {
        if self.unsaid == 0 {
            return Bytes::new();
        }
        let message = format!(
            "{} lines and requests were not kept: they were more than the host keeps of an app, or the disk had no room",
            self.unsaid
        );
        KeptLine::of_host(app, LogLevel::Warn, message).json().into()
    }

    fn wrote(&mut self, note: &Bytes, now: Instant) {
        self.waiting = Vec::new();
        if !note.is_empty() {
            (self.unsaid, self.said) = (0, Some(now));
            self.pass_on(note);
        }
    }

    fn lose(&mut self, store: &LogStore, app: &str) {
        let lost = std::mem::take(&mut self.waiting).len() as u64;
        store.0.drops.count(app, DropReason::NotKept, lost);
        self.unsaid += lost;
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

//! What apps log, and what the host has to say of them: to the host's log, to what is kept of it, to a bounded memory of recent lines.
//!
//! A worker keeps its release's bounds by itself, and may be hostile code: here they are kept again. Lines are taken on the thread
//! that reads the worker's socket, so what one release writes waits in no queue with that of another.

use super::DeployObserver;
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::broadcast;
use vitrine_core::id::{AppName, InstanceId, ReleaseId, Version};
use vitrine_core::limits::{
    JOURNAL_BYTES_MAX, JOURNAL_LINE_BYTES, LOG_BURST_BYTES_MAX, LOG_BURST_LINES, LOG_BYTES_PER_S_MAX,
    LOG_SLACK_LINES_PER_S, LOG_TOLD_MS,
};
use vitrine_core::telemetry::log_store::{Busy, Following, LogStore, Looked};
use vitrine_core::telemetry::{Bucket, DropReason, KeptLine, LogDrops, Logs, Past, Telemetry};
use vitrine_proxy::worker::{Identity, LogSink};
use vitrine_wire::{LogLevel, LogLine};

/// Lines of an app as they are kept: see [`KeptLine`].
#[derive(Debug)]
pub struct Tail {
    /// Those that there are.
    pub past: Past,
    /// Those to come, if they were asked for.
    pub to_come: Option<(broadcast::Receiver<Bytes>, Following)>,
}

/// See the module. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct AppLogs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    logs: Logs,
    drops: LogDrops,
    apps: Mutex<HashMap<AppName, Recent>>,
}

/// What is remembered of one app.
#[derive(Debug, Default)]
struct Recent {
    lines: VecDeque<Bytes>,
    bytes: usize,
    /// Lines that were dropped and that no line tells of yet, and whose they were.
    untold: Option<(Identity, u64)>,
    told: Option<Instant>,
    /// What is told the lines of releases that are being deployed.
    watched: Vec<Weak<Watched>>,
    /// Whether the app is dropped: its last workers still write, and the next app of its name must not get their lines.
    is_forgotten: Arc<AtomicBool>,
}

/// A release whose lines an observer is told; no more once this is dropped.
#[derive(Debug)]
pub(super) struct Watched {
    version: Version,
    observer: Arc<dyn DeployObserver>,
}

/// Where the lines of one worker come in, within their bounds.
#[derive(Debug)]
struct Bounded {
    app_logs: AppLogs,
    meter: Mutex<Meter>,
    /// That of the app which the worker was started for.
    is_forgotten: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Meter {
    lines: Bucket,
    bytes: Bucket,
}

impl AppLogs {
    /// Without lines.
    pub(super) fn new(telemetry: &Telemetry) -> Self {
        let (logs, drops) = (telemetry.logs.clone(), telemetry.logs.drops().clone());
        Self(Arc::new(Inner { logs, drops, apps: Mutex::default() }))
    }

    /// Where a worker of an app puts its lines, which may be this many a second.
    pub(super) fn sink(&self, app: &AppName, lines_per_s: u32) -> Arc<dyn LogSink> {
        let now = Instant::now();
        let per_s = 2.0 * f64::from(lines_per_s);
        let lines = Bucket::full(per_s + LOG_SLACK_LINES_PER_S, per_s + LOG_BURST_LINES, now);
        let bytes = Bucket::full(LOG_BYTES_PER_S_MAX, LOG_BURST_BYTES_MAX, now);
        let is_forgotten = Arc::clone(&self.apps().entry(app.clone()).or_default().is_forgotten);
        Arc::new(Bounded { app_logs: self.clone(), meter: Mutex::new(Meter { lines, bytes }), is_forgotten })
    }

    /// Tells an observer the lines of a release.
    pub(super) fn watch(&self, release: &ReleaseId, observer: Arc<dyn DeployObserver>) -> Arc<Watched> {
        let watched = Arc::new(Watched { version: release.version.clone(), observer });
        self.apps().entry(release.app.clone()).or_default().watched.push(Arc::downgrade(&watched));
        watched
    }

    /// Lines of an app, and those to come: each is in one of both.
    ///
    /// # Errors
    /// [`Busy`].
    pub(super) async fn tail(&self, app: &AppName, follow: bool) -> Result<Tail, Busy> {
        let store = self.0.logs.store();
        let following = store.filter(|_| follow).map(LogStore::following);
        let (looked, recent) = {
            let mut apps = self.apps();
            let recent = apps.entry(app.clone()).or_default();
            recent.told = None;
            self.tell(recent, Instant::now());
            // Under the lock: what is written before is recent, what is written after is to come.
            (store.map(|store| store.look(app, follow)).transpose()?, recent.lines.clone())
        };
        let recent = || Past::in_memory(recent.into());
        let Some(looked) = looked else { return Ok(Tail { past: recent(), to_come: None }) };
        let Looked { past, to_come } = looked.await.map_err(|_| Busy)?;
        let past = if store.is_some_and(LogStore::keeps) { past } else { recent() };
        Ok(Tail { past, to_come: to_come.zip(following) })
    }

    /// Recent lines of one worker, as text.
    pub(super) fn of_instance(&self, app: &AppName, instance: &InstanceId) -> Vec<String> {
        let text = |line: KeptLine| with_stack(line.message, line.stack.as_deref());
        let recent = self.apps().get(app).map(|recent| recent.lines.clone()).unwrap_or_default();
        let lines = recent.iter().filter_map(|json| KeptLine::parse(json));
        lines.filter(|line| line.instance.as_deref() == Some(instance.as_str())).map(text).collect()
    }

    /// What the host has to say of a release, in the log of its app.
    pub(super) fn note(&self, release: &ReleaseId, level: LogLevel, message: String) {
        let line = KeptLine::of_host(release.app.as_str(), level, message);
        let line = KeptLine { release: Some(release.version.to_string()), ..line };
        let mut apps = self.apps();
        let recent = apps.entry(release.app.clone()).or_default();
        recent.keep(self.0.logs.of_host(&release.app, &line));
    }

    /// Forgets an app's lines. What its workers say from now on goes nowhere.
    pub(super) fn forget(&self, app: &AppName) {
        let mut apps = self.apps();
        if let Some(recent) = apps.remove(app) {
            recent.is_forgotten.store(true, Ordering::SeqCst);
        }
        drop(apps);
        if let Some(store) = self.0.logs.store() {
            store.forget(app);
        }
        self.0.drops.forget(app.as_str());
    }

    /// Takes a line that is within its release's bounds.
    fn add(&self, worker: &Identity, line: LogLine, is_forgotten: &AtomicBool) {
        let mut apps = self.apps();
        if is_forgotten.load(Ordering::SeqCst) {
            return;
        }
        let recent = match apps.get_mut(&worker.release.app) {
            Some(recent) => recent,
            None => apps.entry(worker.release.app.clone()).or_default(),
        };
        self.tell(recent, Instant::now());
        recent.tell_watched(worker, &line);
        self.write(recent, worker, line);
    }

    /// Notes lines that are not within them.
    fn drop_lines(&self, worker: &Identity, lines: u64, is_forgotten: &AtomicBool) {
        let mut apps = self.apps();
        if is_forgotten.load(Ordering::SeqCst) {
            return;
        }
        self.0.drops.count(worker.release.app.as_str(), DropReason::Rate, lines);
        let recent = apps.entry(worker.release.app.clone()).or_default();
        let before = recent.untold.take().map_or(0, |(_, lines)| lines);
        recent.untold = Some((worker.clone(), before + lines));
        self.tell(recent, Instant::now());
    }

    /// Says how many lines were dropped, unless that was said just now: then a later line brings it, or the next reader.
    fn tell(&self, recent: &mut Recent, now: Instant) {
        let pause = Duration::from_millis(LOG_TOLD_MS);
        if recent.untold.is_none() || recent.told.is_some_and(|told| now.duration_since(told) < pause) {
            return;
        }
        let Some((worker, lines)) = recent.untold.take() else { return };
        recent.told = Some(now);
        let line = LogLine {
            time_ms: u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default(),
            level: LogLevel::Warn,
            request_id: None,
            message: format!(
                "{lines} log lines were dropped: they were more than the host takes of a release"
            ),
            stack: None,
        };
        self.write(recent, &worker, line);
    }

    fn write(&self, recent: &mut Recent, worker: &Identity, line: LogLine) {
        recent.keep(self.0.logs.app(&worker.release, &worker.instance, &line));
    }

    fn apps(&self) -> MutexGuard<'_, HashMap<AppName, Recent>> {
        self.0.apps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    fn tell_watched(&mut self, worker: &Identity, line: &LogLine) {
        self.watched.retain(|watched| {
            let Some(watched) = watched.upgrade() else { return false };
            if watched.version == worker.release.version {
                watched.observer.logged(with_stack(line.message.clone(), line.stack.as_deref()));
            }
            true
        });
    }

    fn keep(&mut self, json: Bytes) {
        self.bytes += bytes_of(&json);
        self.lines.push_back(json);
        while self.bytes > JOURNAL_BYTES_MAX
            && let Some(oldest) = self.lines.pop_front()
        {
            self.bytes -= bytes_of(&oldest);
        }
    }
}

impl LogSink for Bounded {
    fn take(&self, worker: &Identity, lines: Vec<LogLine>) {
        let mut dropped = 0;
        for mut line in lines {
            line.cut();
            let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
            if meter.take(line.text_bytes(), Instant::now()) {
                drop(meter);
                self.app_logs.add(worker, line, &self.is_forgotten);
            } else {
                dropped += 1;
            }
        }
        if dropped > 0 {
            self.app_logs.drop_lines(worker, dropped, &self.is_forgotten);
        }
    }
}

impl Meter {
    fn take(&mut self, bytes: usize, now: Instant) -> bool {
        self.lines.take(1.0, now) && self.bytes.take(bytes as f64, now)
    }
}

fn with_stack(message: String, stack: Option<&str>) -> String {
    match stack {
        Some(stack) => format!("{message}\n{stack}"),
        None => message,
    }
}

fn bytes_of(json: &Bytes) -> usize {
    JOURNAL_LINE_BYTES + json.len()
}

#[cfg(test)]
mod tests;

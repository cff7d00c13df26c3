//! What apps log: to the host's log, to a bounded memory of recent lines, and to whoever follows.
//!
//! A worker keeps its release's bounds by itself, and may be hostile code: here they are kept again. Lines are taken on the thread
//! that reads the worker's socket, so what one release writes waits in no queue with that of another.

use crate::id::{AppName, InstanceId, Version};
use crate::limits::{
    JOURNAL_BYTES_MAX, JOURNAL_FOLLOWERS_LAG_MAX, JOURNAL_LINE_BYTES, LOG_BURST_BYTES_MAX, LOG_BURST_LINES,
    LOG_BYTES_PER_S_MAX, LOG_SLACK_LINES_PER_S, LOG_TOLD_MS,
};
use crate::telemetry::{Bucket, DropReason, LogDrops, Logs, Telemetry};
use crate::worker::{Identity, LogSink, WorkerLog};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::broadcast;
use vitrine_wire::{LogLevel, LogLine};

/// Recent lines of an app, then those to come.
pub type Tail = (Vec<Arc<WorkerLog>>, broadcast::Receiver<Arc<WorkerLog>>);

/// See the module. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    logs: Logs,
    drops: LogDrops,
    apps: Mutex<HashMap<AppName, Recent>>,
}

/// What is remembered of one app.
#[derive(Debug, Default)]
struct Recent {
    lines: VecDeque<Arc<WorkerLog>>,
    bytes: usize,
    follow: Option<broadcast::Sender<Arc<WorkerLog>>>,
    /// Lines that were dropped and that no line tells of yet, and whose they were.
    untold: Option<(Identity, u64)>,
    told: Option<Instant>,
}

/// The journal's end for one worker: bounds its lines and takes them.
#[derive(Debug)]
struct Bounded {
    journal: Journal,
    meter: Mutex<Meter>,
}

#[derive(Debug)]
struct Meter {
    lines: Bucket,
    bytes: Bucket,
}

impl Journal {
    /// A journal without lines.
    pub fn new(telemetry: &Telemetry) -> Self {
        let (logs, drops) = (telemetry.logs.clone(), telemetry.logs.drops().clone());
        Self(Arc::new(Inner { logs, drops, apps: Mutex::default() }))
    }

    /// Where a worker puts its lines, which may be this many a second.
    pub fn sink(&self, lines_per_s: u32) -> Arc<dyn LogSink> {
        let now = Instant::now();
        let per_s = 2.0 * f64::from(lines_per_s);
        let lines = Bucket::full(per_s + LOG_SLACK_LINES_PER_S, per_s + LOG_BURST_LINES, now);
        let bytes = Bucket::full(LOG_BYTES_PER_S_MAX, LOG_BURST_BYTES_MAX, now);
        Arc::new(Bounded { journal: self.clone(), meter: Mutex::new(Meter { lines, bytes }) })
    }

    /// Recent lines since a time, and those to come.
    pub fn tail(&self, app: &AppName, version: Option<&Version>, since_ms: u64) -> Tail {
        let mut apps = self.apps();
        let recent = apps.entry(app.clone()).or_default();
        recent.told = None;
        self.tell(recent, Instant::now());
        let follow = recent.follow.get_or_insert_with(|| broadcast::channel(JOURNAL_FOLLOWERS_LAG_MAX).0);
        let wanted = |log: &&Arc<WorkerLog>| {
            log.line.time_ms >= since_ms && version.is_none_or(|version| log.release.version == *version)
        };
        (recent.lines.iter().filter(wanted).cloned().collect(), follow.subscribe())
    }

    /// Recent lines of one worker, as text.
    pub fn of_instance(&self, app: &AppName, instance: &InstanceId) -> Vec<String> {
        let text = |log: &Arc<WorkerLog>| match &log.line.stack {
            Some(stack) => format!("{}\n{stack}", log.line.message),
            None => log.line.message.clone(),
        };
        let apps = self.apps();
        let lines = apps.get(app).into_iter().flat_map(|recent| &recent.lines);
        lines.filter(|log| log.instance == *instance).map(text).collect()
    }

    /// Forgets an app's lines.
    pub fn forget(&self, app: &AppName) {
        self.apps().remove(app);
        self.0.drops.forget(app.as_str());
    }

    /// Takes a line that is within its release's bounds.
    fn add(&self, worker: &Identity, line: LogLine) {
        let mut apps = self.apps();
        let recent = match apps.get_mut(&worker.release.app) {
            Some(recent) => recent,
            None => apps.entry(worker.release.app.clone()).or_default(),
        };
        self.tell(recent, Instant::now());
        self.write(recent, worker, line);
    }

    /// Notes lines that are not within them.
    fn drop_lines(&self, worker: &Identity, lines: u64) {
        self.0.drops.count(worker.release.app.as_str(), DropReason::Rate, lines);
        let mut apps = self.apps();
        let recent = apps.entry(worker.release.app.clone()).or_default();
        let before = recent.untold.take().map_or(0, |(_, lines)| lines);
        recent.untold = Some((worker.clone(), before + lines));
        self.tell(recent, Instant::now());
    }

    /// Says how many lines were dropped, unless that was said just now: then a later line brings it, or who reads them next.
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
        self.0.logs.app(&worker.release, &worker.instance, &line);
        let (instance, release) = (worker.instance.clone(), worker.release.clone());
        let log = Arc::new(WorkerLog { instance, release, line });
        recent.bytes += bytes_of(&log);
        recent.lines.push_back(Arc::clone(&log));
        while recent.bytes > JOURNAL_BYTES_MAX
            && let Some(oldest) = recent.lines.pop_front()
        {
            recent.bytes -= bytes_of(&oldest);
        }
        // Under the lock: a line is either recent or to come, for whoever begins now. Most of the time nobody follows.
        if recent.follow.as_ref().is_some_and(|follow| follow.send(log).is_err()) {
            recent.follow = None;
        }
    }

    fn apps(&self) -> MutexGuard<'_, HashMap<AppName, Recent>> {
        self.0.apps.lock().unwrap_or_else(PoisonError::into_inner)
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
                self.journal.add(worker, line);
            } else {
                dropped += 1;
            }
        }
        if dropped > 0 {
            self.journal.drop_lines(worker, dropped);
        }
    }
}

impl Meter {
    fn take(&mut self, bytes: usize, now: Instant) -> bool {
        self.lines.take(1.0, now) && self.bytes.take(bytes as f64, now)
    }
}

fn bytes_of(log: &WorkerLog) -> usize {
    JOURNAL_LINE_BYTES + log.line.text_bytes()
}

#[cfg(test)]
mod tests;

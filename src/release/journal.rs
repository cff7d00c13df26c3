//! What apps log: to the host's log, to a bounded memory of recent lines, and to whoever follows.

use crate::id::{AppName, InstanceId, Version};
use crate::limits::{JOURNAL_FOLLOWERS_LAG_MAX, JOURNAL_LINES_MAX, JOURNAL_QUEUE_MAX};
use crate::telemetry::Logs;
use crate::worker::WorkerLog;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::{broadcast, mpsc};

/// Recent lines of an app, then those to come (of every app: the reader picks).
pub type Tail = (Vec<WorkerLog>, broadcast::Receiver<WorkerLog>);

/// See the module.
#[derive(Debug)]
pub struct Journal {
    recent: Arc<Mutex<HashMap<AppName, VecDeque<WorkerLog>>>>,
    follow: broadcast::Sender<WorkerLog>,
    queue: mpsc::Sender<WorkerLog>,
}

impl Journal {
    /// Starts taking lines, on the threads that the requests pass through which write them.
    pub fn start(logs: Logs, requests: &Handle) -> Self {
        let (queue, mut lines) = mpsc::channel::<WorkerLog>(JOURNAL_QUEUE_MAX);
        let (follow, _) = broadcast::channel(JOURNAL_FOLLOWERS_LAG_MAX);
        let recent = Arc::new(Mutex::new(HashMap::<AppName, VecDeque<WorkerLog>>::new()));
        let (kept, followers) = (Arc::clone(&recent), follow.clone());
        requests.spawn(async move {
            while let Some(log) = lines.recv().await {
                logs.app(&log.release, &log.instance, &log.line);
                {
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    let lines = kept.entry(log.release.app.clone()).or_default();
                    if lines.len() == JOURNAL_LINES_MAX {
                        lines.pop_front();
                    }
                    lines.push_back(log.clone());
                    // Nobody follows most of the time. Under the lock: a line is either recent or to come, for whoever begins now.
                    let _ = followers.send(log);
                }
            }
        });
        Self { recent, follow, queue }
    }

    /// Where workers put their lines.
    pub fn queue(&self) -> mpsc::Sender<WorkerLog> {
        self.queue.clone()
    }

    /// Recent lines since a time, and those to come.
    pub fn tail(&self, app: &AppName, version: Option<&Version>, since_ms: u64) -> Tail {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let follow = self.follow.subscribe();
        let wanted = |log: &&WorkerLog| {
            log.line.time_ms >= since_ms && version.is_none_or(|version| log.release.version == *version)
        };
        (pick(&recent, app, wanted), follow)
    }

    /// Recent lines of one worker, as text.
    pub fn of_instance(&self, app: &AppName, instance: &InstanceId) -> Vec<String> {
        let text = |log: WorkerLog| match log.line.stack {
            Some(stack) => format!("{}\n{stack}", log.line.message),
            None => log.line.message,
        };
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        pick(&recent, app, |log| log.instance == *instance).into_iter().map(text).collect()
    }

    /// Forgets an app's lines.
    pub fn forget(&self, app: &AppName) {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).remove(app);
    }
}

fn pick(
    recent: &HashMap<AppName, VecDeque<WorkerLog>>,
    app: &AppName,
    wanted: impl Fn(&&WorkerLog) -> bool,
) -> Vec<WorkerLog> {
    recent.get(app).map(|lines| lines.iter().filter(wanted).cloned().collect()).unwrap_or_default()
}

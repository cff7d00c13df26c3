//! State of this worker (before `Start`, booting, serving, failed), and what it means for a request.

use crate::bundle::Bundle;
use crate::limits::{EARLY_REQUESTS_MAX, POOL_ANSWER_MS};
use crate::log::{Severity, note};
use crate::pool::Pool;
use crate::request::{HostClient, PoolRequest, Request, lock};
use crate::snapshot;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};
use vitrine_wire::{BootFailure, BootStage, Done, Outcome, Pong, Ready, SnapshotRequest, Start};

/// How the boot ended, once it has.
pub type BootEnd = Option<Result<Ready, BootFailure>>;

enum Stage {
    /// No `Start` yet, or it is being carried out. Requests wait.
    Before {
        started: bool,
        waiting: Vec<Request>,
    },
    Serving(Pool),
    Failed,
}

struct State {
    stage: Stage,
    draining: bool,
}

/// The one instance that every connection of this process serves.
pub struct Instance {
    state: Mutex<State>,
    bundle: Bundle,
    snapshot: Option<&'static [u8]>,
    link: HostClient,
    boot_end: watch::Sender<BootEnd>,
}

impl Instance {
    /// An instance that waits for `Start`.
    pub fn new(bundle: Bundle, snapshot: Option<&'static [u8]>, link: HostClient) -> Arc<Self> {
        let stage = Stage::Before { started: false, waiting: Vec::new() };
        Arc::new(Self {
            state: Mutex::new(State { stage, draining: false }),
            bundle,
            snapshot,
            link,
            boot_end: watch::Sender::new(None),
        })
    }

    /// The isolates' link to the host.
    pub fn link(&self) -> &HostClient {
        &self.link
    }

    /// How the boot ended, and when it does.
    pub fn boot_end(&self) -> watch::Receiver<BootEnd> {
        self.boot_end.subscribe()
    }

    /// Boots, unless that was begun before: a host that was restarted sends `Start` again.
    pub fn start(self: &Arc<Self>, start: Start) {
        {
            let mut state = lock(&self.state);
            let Stage::Before { started: started @ false, .. } = &mut state.stage else { return };
            *started = true;
        }
        let instance = Arc::clone(self);
        tokio::spawn(async move {
            let began = Instant::now();
            let boot = Pool::boot(start, instance.bundle.clone(), instance.snapshot, instance.link.clone());
            // In a task of its own, so that a panic in it is a failed boot and not one that never ends.
            let booted = tokio::spawn(boot).await.unwrap_or_else(|panic| Err(defect(&panic)));
            instance.finish_boot(booted, began.elapsed());
        });
    }

    /// Makes a snapshot of the app instead of serving it.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn take_snapshot(&self, request: SnapshotRequest) -> Result<Vec<u8>, String> {
        {
            let mut state = lock(&self.state);
            let Stage::Before { started: started @ false, .. } = &mut state.stage else {
                return Err("this worker serves".to_owned());
            };
            *started = true;
        }
        snapshot::take(request, self.bundle.clone(), self.link.clone()).await
    }

    fn finish_boot(&self, booted: Result<Pool, BootFailure>, took: Duration) {
        let (stage, end) = match booted {
            Ok(pool) => {
                let boot_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
                let ready = Ready {
                    isolates: pool.isolates(),
                    boot_us,
                    from_snapshot: self.snapshot.is_some(),
                    warm_failure: pool.warm_failure().map(Box::new),
                };
                note(Severity::Info, "ready", json!({"isolates": ready.isolates, "boot_us": boot_us}));
                (Stage::Serving(pool), Ok(ready))
            }
            Err(failure) => {
                note(
                    Severity::Error,
                    "boot_failed",
                    json!({"stage": failure.stage, "message": failure.message}),
                );
                (Stage::Failed, Err(failure))
            }
        };
        let before = std::mem::replace(&mut lock(&self.state).stage, stage);
        self.boot_end.send_replace(Some(end));
        if let Stage::Before { waiting, .. } = before {
            waiting.into_iter().for_each(|request| self.submit(request));
        }
    }

    /// Passes a request on, or ends it: a worker that drains or failed to boot takes none.
    pub fn submit(&self, request: Request) {
        let outcome = {
            let mut state = lock(&self.state);
            let draining = state.draining;
            match &mut state.stage {
                _ if draining => Outcome::Draining,
                Stage::Serving(pool) => return pool.submit(request),
                Stage::Before { waiting, .. } if waiting.len() < EARLY_REQUESTS_MAX => {
                    return waiting.push(request);
                }
                Stage::Before { .. } => Outcome::Overloaded,
                Stage::Failed => Outcome::NoRelease,
            }
        };
        request.answer.done(Done::of(outcome));
    }

    /// What the isolates do. `None` when the pool does not answer in time.
    pub async fn status(&self, nonce: u64) -> Option<Pong> {
        let Some(pool) = self.pool() else {
            return Some(Pong { nonce, queued: self.waiting(), isolates: Vec::new() });
        };
        let (queued, isolates) = ask(&pool, PoolRequest::Status, POOL_ANSWER_MS).await?;
        Some(Pong { nonce, queued, isolates })
    }

    /// Freezes or thaws, and tells whether it is frozen then: never before it serves. `None` when the pool does not answer
    /// in time.
    pub async fn freeze(&self, frozen: bool) -> Option<bool> {
        let Some(pool) = self.pool() else { return Some(false) };
        let request = if frozen { PoolRequest::Freeze } else { PoolRequest::Thaw };
        ask(&pool, request, POOL_ANSWER_MS).await.map(|()| frozen)
    }

    /// Takes nothing new from now on, and waits until nothing is in flight, at most `timeout_ms`. Whether that was
    /// reached.
    pub async fn drain(&self, timeout_ms: u64) -> bool {
        let waiting = {
            let mut state = lock(&self.state);
            state.draining = true;
            match &mut state.stage {
                Stage::Before { waiting, .. } => std::mem::take(waiting),
                Stage::Serving(_) | Stage::Failed => Vec::new(),
            }
        };
        waiting.into_iter().for_each(|request| request.answer.done(Done::of(Outcome::Draining)));
        match self.pool() {
            Some(pool) => ask(&pool, PoolRequest::Drain, timeout_ms).await.is_some(),
            None => true,
        }
    }

    fn pool(&self) -> Option<Pool> {
        match &lock(&self.state).stage {
            Stage::Serving(pool) => Some(pool.clone()),
            Stage::Before { .. } | Stage::Failed => None,
        }
    }

    fn waiting(&self) -> u32 {
        match &lock(&self.state).stage {
            // Bounded by EARLY_REQUESTS_MAX.
            Stage::Before { waiting, .. } => waiting.len() as u32,
            Stage::Serving(_) | Stage::Failed => 0,
        }
    }
}

fn defect(panic: &tokio::task::JoinError) -> BootFailure {
    BootFailure {
        stage: BootStage::Evaluate,
        message: format!(
            "the worker itself failed while it booted, which is a defect of this build: {panic}"
        ),
        error: None,
    }
}

async fn ask<T>(
    pool: &Pool,
    request: impl FnOnce(oneshot::Sender<T>) -> PoolRequest,
    timeout_ms: u64,
) -> Option<T> {
    let (answer, answered) = oneshot::channel();
    pool.request(request(answer));
    tokio::time::timeout(Duration::from_millis(timeout_ms), answered).await.ok()?.ok()
}

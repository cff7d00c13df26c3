//! How workers do, for the metrics.

use super::Inner;
use super::entry::Entry;
use super::life::State;
use crate::limits::{OBSERVE_INTERVAL_MS, OBSERVED_AT_ONCE_MAX, PING_TIMEOUT_MS};
use crate::worker::WorkerState;
use futures_util::{StreamExt as _, stream};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};

/// Looks at every worker every so often for as long as the host runs.
pub async fn rounds(host: Weak<Inner>) {
    let mut rounds = tokio::time::interval(Duration::from_millis(OBSERVE_INTERVAL_MS));
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let Some(inner) = host.upgrade() else { return };
        let looks = stream::iter(inner.book.entries());
        // One that hangs is waited for beside the others.
        looks.for_each_concurrent(OBSERVED_AT_ONCE_MAX, |entry| look(&inner, entry)).await;
    }
}

async fn look(inner: &Inner, entry: Arc<Entry>) {
    let metrics = &inner.parts.telemetry.metrics;
    let series = entry.pool.series();
    entry.load.note(series, Instant::now());
    let Some(worker) = entry.pool.worker() else { return metrics.no_worker(series) };
    let state = match &*worker.state().borrow() {
        WorkerState::Booting => "booting",
        WorkerState::Ready(_) if entry.pool.is_ready() => "ready",
        WorkerState::Ready(_) | WorkerState::Discarded => "draining",
        WorkerState::Hung => "hung",
        WorkerState::Failed(_) => "failed",
        WorkerState::Lost => "lost",
    };
    // An engine that is busy or gone leaves the last figure standing.
    let memory =
        inner.parts.engine.stats(&worker.identity().instance).await.ok().map(|stats| stats.memory_bytes);
    if entry.pool.worker().is_none() {
        // It was put to sleep meanwhile.
        return metrics.no_worker(series);
    }
    if memory.is_some() {
        entry.load.note_memory(memory);
    }
    metrics.worker(series, state, memory);
    if entry.life().state() == State::Frozen {
        // Its figures stand still, and a ping would wake its threads.
        return;
    }
    if let Ok(pong) = worker.ping(Duration::from_millis(PING_TIMEOUT_MS)).await
        && entry.pool.worker().is_some()
    {
        metrics.isolates(series, &pong.isolates);
    }
}

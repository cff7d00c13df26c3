//! How workers do, for the metrics.

use super::Inner;
use super::entry::Entry;
use super::life::State;
use crate::limits::{OBSERVE_INTERVAL_MS, PING_TIMEOUT_MS};
use crate::worker::WorkerState;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Looks at every worker every so often for as long as the host runs.
pub async fn rounds(host: Weak<Inner>) {
    let mut rounds = tokio::time::interval(Duration::from_millis(OBSERVE_INTERVAL_MS));
    loop {
        rounds.tick().await;
        let Some(inner) = host.upgrade() else { return };
        for entry in inner.book.entries() {
            look(&inner, &entry).await;
        }
    }
}

async fn look(inner: &Inner, entry: &Arc<Entry>) {
    let metrics = &inner.parts.telemetry.metrics;
    let id = entry.id();
    let Some(worker) = entry.pool.worker() else {
        metrics.worker(&id, None, Some(0));
        metrics.isolates(&id, &[]);
        return;
    };
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
    metrics.worker(&id, Some(state), memory);
    if entry.life().state() == State::Frozen {
        // Its figures stand still, and a ping would wake its threads.
        return;
    }
    if let Ok(pong) = worker.ping(Duration::from_millis(PING_TIMEOUT_MS)).await {
        metrics.isolates(&id, &pong.isolates);
    }
}

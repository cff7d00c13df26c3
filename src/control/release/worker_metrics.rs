//! How workers do, for the metrics.

use super::lifecycle::State;
use super::release_handle::ReleaseHandle;
use super::supervisor::Workers;
use futures_util::{StreamExt as _, future::join_all, stream};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};
use vitrine_core::limits::{OBSERVE_INTERVAL_MS, OBSERVED_AT_ONCE_MAX, PING_TIMEOUT_MS};
use vitrine_proxy::pool::{Instance, Pool};
use vitrine_proxy::worker::WorkerState;
use vitrine_wire::IsolateStatus;

/// Looks at every worker every so often for as long as the host runs.
pub(super) async fn run(host: Weak<Workers>) {
    let mut rounds = tokio::time::interval(Duration::from_millis(OBSERVE_INTERVAL_MS));
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let Some(inner) = host.upgrade() else { return };
        let looks = stream::iter(inner.registry.entries());
        // One that hangs is waited for beside the others.
        looks.for_each_concurrent(OBSERVED_AT_ONCE_MAX, |handle| look(&inner, handle)).await;
    }
}

async fn look(inner: &Workers, handle: Arc<ReleaseHandle>) {
    let metrics = &inner.metrics;
    let (pool, series) = (&handle.pool, handle.pool.series());
    handle.load.note(series, Instant::now());
    let instances = pool.instances();
    let memory = memory_of(inner, &instances).await;
    if !pool.has_instance() {
        // Put to sleep, maybe just now.
        return metrics.no_worker(series);
    }
    if memory.is_some() {
        handle.load.note_memory(memory);
    }
    let states: Vec<&str> = instances.iter().map(|instance| state(pool, instance)).collect();
    metrics.workers(series, &states, memory);
    if handle.life().state() == State::Frozen {
        // Its figures stand still, and a ping would wake its threads.
        return;
    }
    if let Some(isolates) = isolates_of(&instances).await
        && pool.has_instance()
    {
        metrics.isolates(series, &isolates);
    }
}

fn state(pool: &Pool, instance: &Instance) -> &'static str {
    match &*instance.worker().state().borrow() {
        WorkerState::Booting => "booting",
        WorkerState::Ready(_) if pool.is_ready() => "ready",
        WorkerState::Ready(_) | WorkerState::Discarded => "draining",
        WorkerState::Hung => "hung",
        WorkerState::Failed(_) => "failed",
        WorkerState::Lost => "lost",
    }
}

/// Memory of all of them together, in bytes; `None` when the engine, which may be busy or gone, does not know that of one.
async fn memory_of(inner: &Workers, instances: &[Arc<Instance>]) -> Option<u64> {
    let engine = &inner.engine;
    let stats = join_all(instances.iter().map(|instance| engine.stats(instance.id()))).await;
    stats.into_iter().map(|stats| stats.ok().map(|stats| stats.memory_bytes)).sum()
}

/// The isolates of all that answer; `None` when none does.
async fn isolates_of(instances: &[Arc<Instance>]) -> Option<Vec<IsolateStatus>> {
    let timeout = Duration::from_millis(PING_TIMEOUT_MS);
    let pongs = join_all(instances.iter().map(|instance| instance.worker().ping(timeout))).await;
    let pongs: Vec<_> = pongs.into_iter().filter_map(Result::ok).collect();
    (!pongs.is_empty()).then(|| pongs.into_iter().flat_map(|pong| pong.isolates).collect())
}

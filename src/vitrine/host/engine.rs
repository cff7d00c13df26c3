//! The engine of a host: which isolation it has, and whether that works here; what an engine with another one left.

use super::HostError;
use vitrine_core::config::{Config, Isolation, IsolationChoice};
use vitrine_core::handover::Predecessor;
use vitrine_core::id::InstanceId;
use vitrine_core::telemetry::error_chain;
use vitrine_engine::{Decision, Engine, EngineError, EngineOptions, choose};
use vitrine_store::Store;

/// Whether this host may have workers in containers, as the store has it. Without a record the isolation says so.
const CONTAINERS: &str = "containers";
const YES: &str = "yes";

/// An engine, and what one of another isolation may have left.
pub(super) struct Started {
    pub engine: Engine,
    pub left: Option<LeftContainers>,
}

/// Containers of an earlier host whose successor runs its workers as processes.
pub(super) struct LeftContainers {
    options: EngineOptions,
    store: Store,
    grace_ms: u64,
}

/// Ends the remaining containers once they serve no request. The next start tries again those that can't be ended now.
pub(super) async fn end_left(left: Option<LeftContainers>, predecessor: Predecessor) {
    let Some(LeftContainers { options, store, grace_ms }) = left else { return };
    predecessor.gone().await;
    let ending = async {
        let engine = Engine::spawn(options)?;
        for left in engine.list().await? {
            tracing::info!(release = %left.release, instance = %left.instance, "a container of the host before this one is ended");
            engine.stop(&left.instance, grace_ms).await?;
        }
        Ok::<_, EngineError>(())
    };
    if let Err(error) = ending.await {
        tracing::warn!(error = %error_chain(&error),
            "containers of the host before this one may still run; the next start tries again to end them");
        return;
    }
    let recorded = tokio::task::spawn_blocking(move || store.set_meta(CONTAINERS, "no")).await;
    if let Ok(Err(error)) = recorded {
        tracing::warn!(%error, "that no container is left is not recorded");
    }
}

/// Chooses the isolation, records the choice, and spawns the engine process for it.
pub(super) async fn start(config: &Config, store: &Store) -> Result<Started, HostError> {
    let host_id = match store.meta("host_id")? {
        Some(id) => id,
        None => {
            let id = InstanceId::random().to_string();
            store.set_meta("host_id", &id)?;
            id
        }
    };
    let options = |isolation| {
        EngineOptions::new(isolation, config.data.clone(), host_id.clone())
            .map(|options| EngineOptions { runtime: config.worker.runtime.clone(), ..options })
    };
    let recorded = match store.meta("isolation")?.as_deref() {
        Some("container") => Some(Isolation::Container),
        Some("process") => Some(Isolation::Process),
        _ => None,
    };
    // A configured runtime asks for containers: nothing weaker may take their place.
    let choice = match config.isolation {
        IsolationChoice::Auto if config.worker.runtime.is_some() => IsolationChoice::Container,
        choice => choice,
    };
    let mut decision = choose(choice, recorded, None);
    let mut probed_engine = None;
    if decision == Decision::Probe {
        let probed = probe(options(Isolation::Container)?).await;
        decision = choose(choice, recorded, Some(&probed.as_ref().map(drop).map_err(String::clone)));
        probed_engine = probed.ok();
    }
    match decision {
        Decision::Use { isolation, record, notice } => {
            if let Some(notice) = notice {
                tracing::warn!("{notice}");
            }
            if record {
                store.set_meta("isolation", &isolation.to_string())?;
            }
            let had =
                store.meta(CONTAINERS)?.map_or(recorded == Some(Isolation::Container), |had| had == YES);
            if isolation == Isolation::Container && !had {
                store.set_meta(CONTAINERS, YES)?;
            }
            let left = match isolation == Isolation::Process && had {
                true => Some(LeftContainers {
                    options: options(Isolation::Container)?,
                    store: store.clone(),
                    grace_ms: config.switching.stop_timeout_ms,
                }),
                false => None,
            };
            let engine = match probed_engine.filter(|engine| engine.isolation() == isolation) {
                Some(engine) => engine,
                None => Engine::spawn(options(isolation)?)?,
            };
            Ok(Started { engine, left })
        }
        Decision::Refuse(reason) => Err(HostError::Isolation(reason)),
        Decision::Probe => Err(HostError::Isolation("the isolation could not be decided".into())),
    }
}

/// Runs one worker in a container for a moment; the engine that did it, or the reason why that does not work.
async fn probe(options: EngineOptions) -> Result<Engine, String> {
    let run = async {
        let engine = Engine::spawn(options)?;
        engine.probe().await?;
        Ok(engine)
    };
    run.await.map_err(|error: EngineError| error.to_string())
}

//! The engine of a host: which isolation it has, and whether that works here.

use super::HostError;
use crate::config::{Config, Isolation, IsolationChoice};
use crate::container::{Decision, Engine, EngineError, EngineOptions, choose};
use crate::id::InstanceId;
use crate::store::Store;

/// Chooses the isolation, records the choice, and spawns the engine process for it.
pub(super) async fn start(config: &Config, store: &Store) -> Result<Engine, HostError> {
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
            match probed_engine.filter(|engine| engine.isolation() == isolation) {
                Some(engine) => Ok(engine),
                None => Ok(Engine::spawn(options(isolation)?)?),
            }
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

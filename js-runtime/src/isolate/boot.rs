//! From a bundle to an isolate that serves.

use super::driver::{Driver, TurnError};
use super::engine::{Engine, js_error};
use super::shared::Shared;
use crate::bundle::Bundle;
use crate::exception::{self, APP_SCHEME};
use crate::limits::isolate::EVALUATE_TIMEOUT_MS;
use crate::module_loader::BundleLoader;
use deno_core::error::CoreError;
use deno_core::{ModuleSpecifier, v8};
use std::rc::Rc;
use std::time::Duration;
use vitrine_wire::{BootFailure, BootStage, Contract, Start};

/// Loads and evaluates the app.
///
/// # Errors
/// The step that failed, with the app's error.
pub async fn boot(shared: Rc<Shared>, start: &Start, bundle: &Bundle) -> Result<Driver, BootFailure> {
    let engine = Engine::new(Rc::clone(&shared), BundleLoader::new(bundle.clone()))
        .map_err(|error| failure(BootStage::Load, "The worker's own scripts failed", &error))?;
    let mut driver = Driver::new(engine, shared);
    let entry = &start.settings.entry;
    if !bundle.files.contains_key(entry) {
        let message =
            format!("The bundle has no file {entry}; set \"entry\" in vitrine.json to the server's file");
        return Err(BootFailure { stage: BootStage::Load, message, error: None });
    }
    let exports = evaluate(&mut driver, entry).await?;
    let contract = match start.settings.contract {
        Contract::Fetch => "fetch",
        Contract::Render => "render",
    };
    match driver.engine.configure(exports, contract, &start.env) {
        Ok(Ok(())) => Ok(driver),
        Ok(Err(problem)) => {
            let message = format!("{entry} does not fit the contract \"{contract}\": {problem}");
            Err(BootFailure { stage: BootStage::Contract, message, error: None })
        }
        Err(terminated) => Err(plain(BootStage::Contract, terminated.to_string())),
    }
}

async fn evaluate(driver: &mut Driver, entry: &str) -> Result<v8::Global<v8::Value>, BootFailure> {
    let specifier = ModuleSpecifier::parse(&format!("{APP_SCHEME}{entry}"))
        .map_err(|_| plain(BootStage::Load, format!("\"{entry}\" is not a path that a bundle can have")))?;
    let loaded = driver.engine.runtime.load_main_es_module(&specifier).await;
    let module =
        loaded.map_err(|error| failure(BootStage::Compile, &format!("{entry} can't be loaded"), &error))?;
    let evaluated = driver.engine.runtime.mod_evaluate(module);
    // What the app awaits at module scope is ours to answer; without this, deno_core calls it a deadlock.
    let tracker = driver.engine.runtime.op_state().borrow().external_ops_tracker.clone();
    tracker.ref_op();
    let deadline = tokio::time::sleep(Duration::from_millis(EVALUATE_TIMEOUT_MS));
    tokio::pin!(evaluated, deadline);
    let result = loop {
        driver.look_at_event_loop();
        tokio::select! {
            biased;
            result = &mut evaluated => break result.map_err(TurnError::EventLoop),
            () = &mut deadline => {
                let message = format!("{entry} did not finish evaluating within {EVALUATE_TIMEOUT_MS} ms");
                return Err(plain(BootStage::Evaluate, message));
            }
            waited = driver.wait() => if let Err(error) = waited { break Err(error) },
        }
        if let Err(terminated) = driver.run_ready() {
            break Err(terminated.into());
        }
    };
    tracker.unref_op();
    match result {
        Ok(()) => {}
        Err(TurnError::EventLoop(error)) => {
            return Err(failure(
                BootStage::Evaluate,
                &format!("{entry} threw while it was evaluated"),
                &error,
            ));
        }
        Err(TurnError::Terminated(terminated)) => {
            return Err(plain(BootStage::Evaluate, terminated.to_string()));
        }
    }
    let namespace = driver.engine.runtime.get_module_namespace(module);
    let namespace = namespace.map_err(|error| failure(BootStage::Evaluate, "The module is gone", &error))?;
    deno_core::scope!(scope, driver.engine.runtime);
    let namespace: v8::Local<v8::Value> = v8::Local::new(scope, namespace).into();
    Ok(v8::Global::new(scope, namespace))
}

fn plain(stage: BootStage, message: String) -> BootFailure {
    BootFailure { stage, message, error: None }
}

fn failure(stage: BootStage, what: &str, error: &CoreError) -> BootFailure {
    let thrown = js_error(error).map(exception::from_js_error);
    let cause = thrown.as_ref().map_or_else(|| error.to_string(), |thrown| thrown.message.clone());
    BootFailure { stage, message: format!("{what}: {cause}"), error: thrown }
}

//! Boots an isolate: from a bundle to an evaluated app.

use super::driver::{Driver, TurnError};
use super::engine::{Engine, Killed, js_error};
use super::platform;
use super::runtime::Origin;
use super::state::RuntimeState;
use crate::bundle::Bundle;
use crate::exception::{self, APP_SCHEME};
use crate::limits::isolate::EVALUATE_TIMEOUT_MS;
use crate::module_loader::BundleLoader;
use deno_core::error::CoreError;
use deno_core::{ModuleId, ModuleSpecifier, v8};
use std::rc::Rc;
use std::time::Duration;
use vitrine_wire::{BootFailure, BootStage, Contract, Outcome, Start, WorkerSettings};

/// An isolate that has the app: from `snapshot`, or evaluated here.
///
/// # Errors
/// The step that failed, with the app's error.
pub async fn boot(
    state: Rc<RuntimeState>,
    start: &Start,
    bundle: &Bundle,
    snapshot: Option<&'static [u8]>,
) -> Result<Driver, BootFailure> {
    let mut driver = fresh(state, bundle, snapshot.map_or(Origin::Scripts, Origin::Snapshot))?;
    if start.env.iter().any(|(name, _)| name == platform::TIME_ZONE) {
        driver.engine.look_at_time_zone();
    }
    driver.engine.environment(&start.env).map_err(killed)?;
    if snapshot.is_some() {
        driver.engine.evaluated().map_err(killed)?;
    } else {
        evaluate_app(&mut driver, &start.settings, bundle).await?;
    }
    Ok(driver)
}

/// An isolate whose app is evaluated without a value of the environment, to become a snapshot.
///
/// # Errors
/// The step that failed, with the app's error.
pub async fn evaluate_for_snapshot(
    state: Rc<RuntimeState>,
    settings: &WorkerSettings,
    env_names: &[String],
    bundle: &Bundle,
) -> Result<Driver, BootFailure> {
    let mut driver = fresh(state, bundle, Origin::Snapshotting)?;
    driver.engine.watch_module_scope(env_names).map_err(killed)?;
    evaluate_app(&mut driver, settings, bundle).await?;
    Ok(driver)
}

fn fresh(state: Rc<RuntimeState>, bundle: &Bundle, origin: Origin) -> Result<Driver, BootFailure> {
    let loader = BundleLoader::new(bundle.clone(), matches!(origin, Origin::Scripts));
    let engine = Engine::new(Rc::clone(&state), loader, origin)
        .map_err(|error| failure(BootStage::Load, "The worker's own scripts failed", &error))?;
    Ok(Driver::new(engine, state))
}

async fn evaluate_app(
    driver: &mut Driver,
    settings: &WorkerSettings,
    bundle: &Bundle,
) -> Result<(), BootFailure> {
    let entry = &settings.entry;
    if !bundle.files.contains_key(entry) {
        let message =
            format!("The bundle has no file {entry}; set \"entry\" in vitrine.json to the server's file");
        return Err(plain(BootStage::Load, message));
    }
    let exports = evaluate(driver, entry, bundle).await?;
    driver
        .engine
        .evaluated()
        .map_err(|killed| evaluation_failure(entry, killed.into(), BootStage::Evaluate))?;
    let contract = match settings.contract {
        Contract::Fetch => "fetch",
        Contract::Render => "render",
    };
    match driver.engine.configure(exports, contract) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(problem)) => {
            let message = format!("{entry} does not fit the contract \"{contract}\": {problem}");
            Err(plain(BootStage::Contract, message))
        }
        Err(killed) => Err(evaluation_failure(entry, killed.into(), BootStage::Contract)),
    }
}

fn killed(killed: Killed) -> BootFailure {
    plain(BootStage::Evaluate, killed.to_string())
}

/// Evaluates the entry and returns its exports. A file that compiles as a classic script is one: what makes a module are
/// `import` and `export`, and no classic script has them.
async fn evaluate(
    driver: &mut Driver,
    entry: &str,
    bundle: &Bundle,
) -> Result<v8::Global<v8::Value>, BootFailure> {
    let content = bundle.files.get(entry).map(|content| std::str::from_utf8(content));
    let Some(Ok(source)) = content else {
        return Err(plain(BootStage::Load, format!("{entry} is not UTF-8")));
    };
    let classic = driver.engine.run_classic(&format!("{APP_SCHEME}{entry}"), source);
    match classic.map_err(|killed| evaluation_failure(entry, killed.into(), BootStage::Evaluate))? {
        Some(Ok(exports)) => Ok(exports),
        Some(Err(error)) => {
            let message = format!("{entry} threw while it was evaluated: {}", exception::first_lines(&error));
            Err(BootFailure { stage: BootStage::Evaluate, message, error: Some(error) })
        }
        None => evaluate_module(driver, entry).await,
    }
}

async fn evaluate_module(driver: &mut Driver, entry: &str) -> Result<v8::Global<v8::Value>, BootFailure> {
    let specifier = ModuleSpecifier::parse(&format!("{APP_SCHEME}{entry}"))
        .map_err(|_| plain(BootStage::Load, format!("\"{entry}\" is not a path that a bundle can have")))?;
    let module = load(driver, &specifier)
        .await
        .map_err(|error| evaluation_failure(entry, error, BootStage::Compile))?;
    let deadline = tokio::time::sleep(Duration::from_millis(EVALUATE_TIMEOUT_MS));
    let evaluated = tokio::select! {
        evaluated = run_module(driver, module) => evaluated,
        () = deadline => Err(Killed { outcome: Outcome::WallLimit, request: 0 }.into()),
    };
    evaluated.map_err(|error| evaluation_failure(entry, error, BootStage::Evaluate))?;
    let namespace = driver.engine.watched(0, |runtime| -> Result<_, CoreError> {
        let namespace = runtime.get_module_namespace(module)?;
        deno_core::scope!(scope, runtime);
        let namespace: v8::Local<v8::Value> = v8::Local::new(scope, namespace).into();
        Ok(v8::Global::new(scope, namespace))
    });
    let namespace =
        namespace.map_err(|killed| evaluation_failure(entry, killed.into(), BootStage::Evaluate))?;
    namespace.map_err(|error| evaluation_failure(entry, TurnError::EventLoop(error), BootStage::Evaluate))
}

async fn load(driver: &mut Driver, specifier: &ModuleSpecifier) -> Result<ModuleId, TurnError> {
    // Loading is compiling; no code of the app runs.
    let loading = driver.engine.load(specifier).await;
    loading.map_err(TurnError::EventLoop)
}

async fn run_module(driver: &mut Driver, module: ModuleId) -> Result<(), TurnError> {
    let evaluated = driver.engine.watched(0, |runtime| runtime.mod_evaluate(module))?;
    tokio::pin!(evaluated);
    loop {
        driver.look_at_event_loop();
        tokio::select! {
            biased;
            result = &mut evaluated => return result.map_err(TurnError::EventLoop),
            waited = driver.wait() => waited?,
        }
        if driver.run_ready()? {
            tokio::task::yield_now().await;
        }
    }
}

fn evaluation_failure(entry: &str, error: TurnError, stage: BootStage) -> BootFailure {
    match error {
        TurnError::Killed(Killed { outcome: Outcome::HeapLimit, .. }) => {
            plain(stage, format!("{entry} used more memory than limits.heap_mb while it was evaluated"))
        }
        TurnError::Killed(Killed { outcome: Outcome::CpuLimit, .. }) => plain(
            stage,
            format!(
                "{entry} used more than {EVALUATE_TIMEOUT_MS} ms of CPU time while it was evaluated; it may be in a loop"
            ),
        ),
        TurnError::Killed(_) => plain(
            stage,
            format!(
                "{entry} did not finish evaluating within {EVALUATE_TIMEOUT_MS} ms; a top-level `await` that never settles is a common cause"
            ),
        ),
        TurnError::EventLoop(error) if stage == BootStage::Compile => {
            failure(stage, &format!("{entry} can't be loaded"), &error)
        }
        TurnError::EventLoop(error) => {
            failure(stage, &format!("{entry} threw while it was evaluated"), &error)
        }
    }
}

fn plain(stage: BootStage, message: String) -> BootFailure {
    BootFailure { stage, message, error: None }
}

fn failure(stage: BootStage, what: &str, error: &CoreError) -> BootFailure {
    let thrown = js_error(error).map(exception::from_js_error);
    let cause = thrown.as_ref().map_or_else(|| error.to_string(), exception::first_lines);
    BootFailure { stage, message: format!("{what}: {cause}"), error: thrown }
}

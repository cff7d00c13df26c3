//! Making a snapshot: the app is evaluated in an isolate of its own, and no request ever runs there, so that nothing of a visitor
//! can be part of it.

use crate::bundle::Bundle;
use crate::isolate::boot::evaluate_for_snapshot;
use crate::isolate::log::Log;
use crate::isolate::module_scope::ModuleScope;
use crate::isolate::platform;
use crate::isolate::state::RuntimeState;
use crate::request::HostClient;
use std::rc::Rc;
use vitrine_wire::SnapshotRequest;

/// The file of a snapshot of the app. To be called once in a process, and in one that has no isolate: what V8 does for a snapshot
/// it does for the whole process.
///
/// # Errors
/// Why the app can't have one, in words.
pub async fn take(request: SnapshotRequest, bundle: Bundle, link: HostClient) -> Result<Vec<u8>, String> {
    platform::init();
    let (done, taken) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("snapshot".to_owned()).spawn(move || {
        // The receiver may be gone; then the snapshot is not needed.
        let _ = done.send(on_this_thread(request, &bundle, link));
    });
    thread.map_err(|error| format!("a thread for the isolate can't be had: {error}"))?;
    taken
        .await
        .unwrap_or_else(|_| Err("the worker itself failed, which is a defect of this build".to_owned()))
}

fn on_this_thread(request: SnapshotRequest, bundle: &Bundle, link: HostClient) -> Result<Vec<u8>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|error| format!("the isolate's clock can't be had: {error}"))?;
    let SnapshotRequest { settings, env_names, harmless } = request;
    let limits = settings.limits.clone();
    let log = Log::new(link.clone(), limits.log_lines_per_s);
    let mut state = RuntimeState::new(limits, link, log);
    state.module_scope = ModuleScope::new(harmless);
    let state = Rc::new(state);
    runtime.block_on(async {
        let evaluated = evaluate_for_snapshot(Rc::clone(&state), &settings, &env_names, bundle).await;
        if let Some(reason) = state.module_scope.refusal(evaluated.is_ok() && state.is_waiting()) {
            return Err(reason);
        }
        let driver = evaluated.map_err(|failure| failure.message)?;
        let snapshot = driver.engine.into_snapshot().map_err(|killed| killed.to_string())?;
        Ok(super::seal(&snapshot))
    })
}

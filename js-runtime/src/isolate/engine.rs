//! A V8 isolate with our globals, and the one way into it: a slice, run under the watchdog.

use super::entry_points::{EntryPoints, call, settled, unsigned};
use super::event::{Event, RequestNumber, Settled};
use super::memory;
use super::runtime::{Origin, Runtime};
use super::state::{Left, RuntimeState};
use crate::exception;
use crate::limits::isolate::EVALUATE_TIMEOUT_MS;
use crate::module_loader::BundleLoader;
use crate::watchdog::{Budget, Guard};
use deno_core::error::{CoreError, JsError};
use deno_core::{JsRuntime, ModuleId, ModuleSpecifier, v8};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use vitrine_wire::{AppError, Outcome};

mod uncaught;

/// JavaScript was ended by force: the isolate can't be used any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the isolate's JavaScript was ended by force ({outcome})")]
pub struct Killed {
    /// Why.
    pub outcome: Outcome,
    /// The request whose slice ran, 0 for none.
    pub request: RequestNumber,
}

/// Exports of a classic script, or what it threw.
pub type ClassicRun = Result<v8::Global<v8::Value>, AppError>;

/// One isolate.
pub struct Engine {
    /// The runtime; its event loop belongs to the driver.
    runtime: Runtime,
    entries: EntryPoints,
    state: Rc<RuntimeState>,
    guard: Arc<Guard>,
    _collections: memory::Collections,
}

impl Engine {
    /// An isolate with our globals, and with the app when it comes from a snapshot. Must be called inside a tokio context.
    ///
    /// # Errors
    /// Our own scripts failed: a defect of this build.
    pub fn new(state: Rc<RuntimeState>, loader: BundleLoader, origin: Origin) -> Result<Self, CoreError> {
        let heap_bytes = usize::try_from(state.limits.heap_mb << 20).unwrap_or(usize::MAX);
        let mut runtime = Runtime::new(&state, loader, origin, heap_bytes)?;
        // Timers and host calls are the driver's: `deno_core` would take a module that awaits one for a deadlock.
        runtime.op_state().borrow().external_ops_tracker.ref_op();
        let guard = Guard::of_this_thread();
        guard.attach(runtime.v8_isolate().thread_safe_handle());
        let collections = memory::bound(&mut runtime, &guard, heap_bytes);
        // `deno_core` would end the isolate for a promise that is rejected without a handler.
        runtime.v8_isolate().set_promise_reject_callback(uncaught::on_rejection);
        if !matches!(origin, Origin::Snapshotting) {
            // It is a part of the heap, and a snapshot could not hold it.
            runtime.v8_isolate().add_message_listener(uncaught::on_message);
        }
        let script = match origin {
            Origin::Scripts | Origin::Snapshotting => {
                "Deno.core.loadExtScript('ext:vitrine/runtime/boot.js')"
            }
            Origin::Snapshot(_) => "__vitrine.resume()",
        };
        let boot = runtime.execute_script("ext:vitrine/start", script)?;
        let entries = {
            deno_core::scope!(scope, runtime);
            let boot = v8::Local::new(scope, boot);
            EntryPoints::of(scope, boot)?
        };
        Ok(Self { runtime, entries, state, guard, _collections: collections })
    }

    /// Has dates follow the time zone of this process, also those that a snapshot holds.
    pub fn look_at_time_zone(&mut self) {
        self.runtime
            .v8_isolate()
            .date_time_configuration_change_notification(v8::TimeZoneDetection::Redetect);
    }

    /// Makes the isolate into a snapshot.
    ///
    /// # Errors
    /// JavaScript was ended by force.
    ///
    /// # Panics
    /// Its origin is another one than [`Origin::Snapshotting`].
    pub fn into_snapshot(mut self) -> Result<Box<[u8]>, Killed> {
        let entry = self.entries.suspend.clone();
        self.slice(0, |scope| call(scope, &entry, &[]).map(drop))?;
        drop(entry);
        let Self { mut runtime, entries, state, guard, _collections: collections } = self;
        // V8 refuses to make a snapshot while anything outside refers into the heap.
        drop(entries);
        state.uncaught.borrow_mut().clear();
        drop(guard);
        runtime.remove_near_heap_limit_callback(0);
        let snapshot = runtime.into_snapshot();
        // The collector ran once more.
        drop(collections);
        Ok(snapshot)
    }

    /// Loads and compiles a module of the app and what it imports.
    ///
    /// # Errors
    /// Syntax errors, and imports that can't be met.
    pub async fn load(&mut self, specifier: &ModuleSpecifier) -> Result<ModuleId, CoreError> {
        self.runtime.load_main_es_module(specifier).await
    }

    /// The app is evaluated.
    ///
    /// # Errors
    /// JavaScript was ended by force.
    pub fn evaluated(&mut self) -> Result<(), Killed> {
        self.state.evaluated.set(true);
        self.report_rest()
    }

    /// Gives the environment to our scripts, before any code of the app runs.
    ///
    /// # Errors
    /// JavaScript was ended by force.
    pub fn environment(&mut self, env: &[(String, String)]) -> Result<(), Killed> {
        let entry = self.entries.environment.clone();
        self.tell_texts(&entry, env.iter().flat_map(|(name, value)| [name, value]))
    }

    /// Has noticed from now on what the app does and a snapshot would freeze; `env_names` are what its bundle lists.
    ///
    /// # Errors
    /// JavaScript was ended by force.
    pub fn watch_module_scope(&mut self, env_names: &[String]) -> Result<(), Killed> {
        let entry = self.entries.watch.clone();
        self.tell_texts(&entry, env_names.iter())
    }

    fn tell_texts<'t>(
        &mut self,
        entry: &v8::Global<v8::Function>,
        texts: impl Iterator<Item = &'t String>,
    ) -> Result<(), Killed> {
        self.slice(0, |scope| {
            let values = v8::Array::new(scope, 0);
            for (index, text) in (0..).zip(texts) {
                let text = v8::String::new(scope, text)?;
                values.set_index(scope, index, text.into());
            }
            call(scope, entry, &[values.into()]).map(drop)
        })
    }

    /// Gives the app's exports to our scripts. The inner `Err` says what is wrong with their shape.
    ///
    /// # Errors
    /// JavaScript was ended by force.
    pub fn configure(
        &mut self,
        exports: v8::Global<v8::Value>,
        contract: &str,
    ) -> Result<Result<(), String>, Killed> {
        let entry = self.entries.configure.clone();
        let mut problem = Some("its exports could not be looked at".to_owned());
        self.slice(0, |scope| {
            let contract = v8::String::new(scope, contract)?;
            let exports = v8::Local::new(scope, exports);
            let result = call(scope, &entry, &[exports, contract.into()])?;
            problem = result.is_string().then(|| result.to_rust_string_lossy(scope));
            Some(())
        })?;
        Ok(problem.map_or(Ok(()), Err))
    }

    /// Runs `source` if it is a classic script. `None` when it is none: then it is a module, or wrong. The inner `Err` is what it
    /// threw.
    ///
    /// # Errors
    /// JavaScript was ended by force.
    pub fn run_classic(&mut self, name: &str, source: &str) -> Result<Option<ClassicRun>, Killed> {
        let exports = self.entries.classic_exports.clone();
        self.watched(0, |runtime| {
            deno_core::scope!(scope, runtime);
            v8::tc_scope!(let scope, scope);
            let name = v8::String::new(scope, name)?;
            let source = v8::String::new(scope, source)?;
            let origin =
                v8::ScriptOrigin::new(scope, name.into(), 0, 0, false, 0, None, false, false, false, None);
            let script = v8::Script::compile(scope, source, Some(&origin))?;
            call(scope, &exports, &[])?;
            let ran = script.run(scope);
            scope.perform_microtask_checkpoint();
            let exports = ran.and_then(|_| call(scope, &exports, &[]));
            if let Some(exports) = exports {
                return Some(Ok(v8::Global::new(scope, exports)));
            }
            let thrown = scope.exception().unwrap_or_else(|| v8::undefined(scope).into());
            scope.reset();
            Some(Err(exception::describe(scope, thrown)))
        })
    }

    /// Begins a request: its first slice. `is_noted`: what it reads is.
    ///
    /// # Errors
    /// JavaScript was ended by force.
    pub fn begin(
        &mut self,
        request: RequestNumber,
        method: &str,
        url: &str,
        has_body: bool,
        is_noted: bool,
    ) -> Result<(), Killed> {
        let entry = self.entries.begin.clone();
        self.slice(request, |scope| {
            let number = unsigned(scope, request);
            let method = v8::String::new(scope, method)?;
            let url = v8::String::new(scope, url)?;
            let has_body = v8::Boolean::new(scope, has_body);
            let is_noted = v8::Boolean::new(scope, is_noted);
            let arguments = [number, method.into(), url.into(), has_body.into(), is_noted.into()];
            call(scope, &entry, &arguments).map(drop)
        })
    }

    /// Tells JavaScript something.
    ///
    /// # Errors
    /// JavaScript was ended by force.
    pub fn tell(&mut self, event: Event) -> Result<(), Killed> {
        match event {
            Event::Settle { call: number, request, answer } => {
                let entry = self.entries.settle.clone();
                self.slice(request, |scope| {
                    let number = unsigned(scope, number);
                    let ok = v8::Boolean::new(scope, !matches!(answer, Settled::Failed(_)));
                    let value = settled(scope, answer)?;
                    call(scope, &entry, &[number, ok.into(), value]).map(drop)
                })
            }
            Event::Timer { timer, request } => self.tell_number(request, timer, |entries| &entries.timer),
            Event::Task { request } => self.tell_number(request, request, |entries| &entries.run_task),
            Event::Drained(request) => self.tell_number(request, request, |entries| &entries.drained),
            Event::Abort(request, message) => {
                let entry = self.entries.abort.clone();
                self.slice(request, |scope| {
                    let number = unsigned(scope, request);
                    let message = v8::String::new(scope, message)?;
                    call(scope, &entry, &[number, message.into()]).map(drop)
                })
            }
        }
    }

    /// Runs a function that does nothing: proof that the isolate still runs JavaScript.
    ///
    /// # Errors
    /// JavaScript was ended by force.
    pub fn no_op(&mut self) -> Result<(), Killed> {
        self.tell_number(0, 0, |entries| &entries.no_op)
    }

    fn tell_number(
        &mut self,
        request: RequestNumber,
        number: u32,
        entry: impl FnOnce(&EntryPoints) -> &v8::Global<v8::Function>,
    ) -> Result<(), Killed> {
        let entry = entry(&self.entries).clone();
        self.slice(request, |scope| {
            let number = unsigned(scope, number);
            call(scope, &entry, &[number]).map(drop)
        })
    }

    /// Runs JavaScript on behalf of a request, then every microtask. What nothing catches is told to the app, or logged.
    fn slice(
        &mut self,
        request: RequestNumber,
        run: impl FnOnce(&mut v8::PinScope<'_, '_>) -> Option<()>,
    ) -> Result<(), Killed> {
        self.watched(request, |runtime| {
            deno_core::scope!(scope, runtime);
            v8::tc_scope!(let scope, scope);
            let ran = run(scope);
            if ran.is_none()
                && !scope.has_terminated()
                && let Some(thrown) = scope.exception()
            {
                scope.reset();
                uncaught::note(scope, thrown, Left::Error);
            }
            scope.perform_microtask_checkpoint();
        })?;
        if self.state.uncaught.borrow().is_empty() { Ok(()) } else { self.report_uncaught(request) }
    }

    /// Uses the runtime under the watchdog, on behalf of a request.
    ///
    /// # Errors
    /// JavaScript was ended by force meanwhile.
    pub fn watched<T>(
        &mut self,
        request: RequestNumber,
        work: impl FnOnce(&mut JsRuntime) -> T,
    ) -> Result<T, Killed> {
        let (result, used) = self.measured(request, work);
        self.state.charge(request, used);
        result
    }

    /// Uses the runtime under the watchdog, for what its event loop has to do for no request in particular. While requests run it is
    /// their due: no request is charged.
    ///
    /// # Errors
    /// JavaScript was ended by force meanwhile.
    pub fn watched_loop<T>(&mut self, work: impl FnOnce(&mut JsRuntime) -> T) -> Result<T, Killed> {
        let (result, used) = self.measured(0, work);
        if self.state.requests.borrow().is_empty() {
            self.state.charge(0, used);
        }
        result
    }

    /// What became of `work`, and the CPU time that it took.
    fn measured<T>(
        &mut self,
        request: RequestNumber,
        work: impl FnOnce(&mut JsRuntime) -> T,
    ) -> (Result<T, Killed>, Duration) {
        self.state.current.set(request);
        let end = self.state.requests.borrow().get(&request).map(|running| running.end.clone());
        let begun = self.guard.begin(self.budget(request), end);
        let result = work(&mut self.runtime);
        let used = self.guard.end(begun);
        self.state.current.set(0);
        let killed = self.guard.killed().map(|outcome| Killed { outcome, request });
        (killed.map_or(Ok(result), Err), used)
    }

    /// Whether JavaScript was ended by force: then the isolate runs none any more.
    pub fn is_killed(&self) -> bool {
        self.guard.killed().is_some()
    }

    /// What JavaScript on behalf of a request may use at once. The wall limit of the request itself is not enforced here but
    /// where its answer is carried out: ending a slice by force costs every request on the isolate.
    fn budget(&self, request: RequestNumber) -> Budget {
        if !self.state.evaluated.get() {
            let whole = Duration::from_millis(EVALUATE_TIMEOUT_MS);
            return Budget { cpu: whole, wall: whole };
        }
        let cpu = Duration::from_millis(self.state.limits.cpu_ms);
        Budget {
            cpu: cpu.saturating_sub(self.state.used(request)),
            wall: Duration::from_millis(self.state.limits.wall_ms),
        }
    }

    /// Bytes of the heap that are in use, with buffers and WebAssembly memory.
    pub fn heap_bytes(&mut self) -> u64 {
        memory::heap_bytes(self.runtime.v8_isolate()) as u64
    }

    /// Gives memory back to the system.
    pub fn shrink(&mut self) {
        memory::give_back(self.runtime.v8_isolate());
    }
}

/// The JavaScript error inside of an error of `deno_core`, if it is one.
pub fn js_error(error: &CoreError) -> Option<&JsError> {
    match error.as_kind() {
        deno_core::error::CoreErrorKind::Js(error) => Some(error),
        _ => None,
    }
}

//! A V8 isolate with our globals, and the one way into it: a slice.

use super::shared::{Event, RequestNumber, Settled, Shared};
use crate::exception;
use crate::module_loader::BundleLoader;
use crate::ops::vitrine;
use deno_core::error::{CoreError, JsError};
use deno_core::{Extension, JsRuntime, RuntimeOptions, v8};
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

include!(concat!(env!("OUT_DIR"), "/scripts.rs"));

/// Prepares V8 for this process. Every thread with an isolate must descend from the thread that calls this first.
pub fn init_platform() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| JsRuntime::init_platform(None));
}

/// The functions of `js/boot.js` that a slice may call.
struct Entries {
    abort: v8::Global<v8::Function>,
    begin: v8::Global<v8::Function>,
    configure: v8::Global<v8::Function>,
    drained: v8::Global<v8::Function>,
    run_task: v8::Global<v8::Function>,
    settle: v8::Global<v8::Function>,
    timer: v8::Global<v8::Function>,
}

/// JavaScript was ended by force: the isolate can't be used any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the isolate's JavaScript was ended by force")]
pub struct Terminated;

/// One isolate.
pub struct Engine {
    /// The runtime; its event loop belongs to the driver.
    pub runtime: JsRuntime,
    entries: Entries,
    shared: Rc<Shared>,
}

impl Engine {
    /// A fresh isolate with our globals and no app. Must be called inside a tokio context.
    ///
    /// # Errors
    /// Our own scripts failed: a defect of this build.
    pub fn new(shared: Rc<Shared>, loader: BundleLoader) -> Result<Self, CoreError> {
        let heap_bytes = usize::try_from(shared.limits.heap_mb << 20).unwrap_or(usize::MAX);
        let blobs: Arc<dyn deno_web::BlobStoreTrait> = Arc::new(deno_web::BlobStore::default());
        let extensions = vec![
            without_files(deno_webidl::deno_webidl::init()),
            without_files(deno_web::deno_web::init(blobs, None, false, Default::default())),
            vitrine::init(Rc::clone(&shared)),
        ];
        let mut runtime = JsRuntime::try_new(RuntimeOptions {
            module_loader: Some(Rc::new(loader)),
            extensions,
            residual_lazy_js_sources: SCRIPTS,
            create_params: Some(v8::CreateParams::default().heap_limits(0, heap_bytes)),
            ..Default::default()
        })?;
        let boot =
            runtime.execute_script("ext:vitrine/start", "Deno.core.loadExtScript('ext:vitrine/boot.js')")?;
        let entries = {
            deno_core::scope!(scope, runtime);
            let boot = v8::Local::new(scope, boot);
            let mut entry = |name: &str| entry(scope, boot, name);
            Entries {
                abort: entry("abort")?,
                begin: entry("begin")?,
                configure: entry("configure")?,
                drained: entry("drained")?,
                run_task: entry("runTask")?,
                settle: entry("settle")?,
                timer: entry("timer")?,
            }
        };
        Ok(Self { runtime, entries, shared })
    }

    /// Gives the app's exports to our scripts. `Err` says what is wrong with their shape.
    pub fn configure(
        &mut self,
        exports: v8::Global<v8::Value>,
        contract: &str,
        env: &[(String, String)],
    ) -> Result<Result<(), String>, Terminated> {
        let entry = self.entries.configure.clone();
        let mut problem = None;
        self.slice(0, |scope| {
            let values = v8::Object::new(scope);
            for (name, value) in env {
                let (Some(name), Some(value)) = (v8::String::new(scope, name), v8::String::new(scope, value))
                else {
                    continue;
                };
                values.set(scope, name.into(), value.into());
            }
            let contract = v8::String::new(scope, contract)?;
            let arguments = [v8::Local::new(scope, exports), contract.into(), values.into()];
            let result = call(scope, &entry, &arguments)?;
            problem = result.is_string().then(|| result.to_rust_string_lossy(scope));
            Some(())
        })?;
        Ok(problem.map_or(Ok(()), Err))
    }

    /// Begins a request: its first slice.
    pub fn begin(
        &mut self,
        request: RequestNumber,
        method: &str,
        url: &str,
        has_body: bool,
    ) -> Result<(), Terminated> {
        let entry = self.entries.begin.clone();
        self.slice(request, |scope| {
            let number = v8::Integer::new_from_unsigned(scope, request);
            let method = v8::String::new(scope, method)?;
            let url = v8::String::new(scope, url)?;
            let has_body = v8::Boolean::new(scope, has_body);
            call(scope, &entry, &[number.into(), method.into(), url.into(), has_body.into()]).map(drop)
        })
    }

    /// Tells JavaScript something.
    pub fn tell(&mut self, event: Event) -> Result<(), Terminated> {
        match event {
            Event::Settle { call: number, request, answer } => {
                let entry = self.entries.settle.clone();
                self.slice(request, |scope| {
                    let number = v8::Integer::new_from_unsigned(scope, number);
                    let ok = v8::Boolean::new(scope, !matches!(answer, Settled::Failed(_)));
                    let value = settled(scope, answer)?;
                    call(scope, &entry, &[number.into(), ok.into(), value]).map(drop)
                })
            }
            Event::Timer { timer, request } => {
                let entry = self.entries.timer.clone();
                self.slice(request, |scope| {
                    let timer = v8::Integer::new_from_unsigned(scope, timer);
                    call(scope, &entry, &[timer.into()]).map(drop)
                })
            }
            Event::Task { request } => {
                let entry = self.entries.run_task.clone();
                self.slice(request, |scope| call(scope, &entry, &[]).map(drop))
            }
            Event::Drained(request) => {
                let entry = self.entries.drained.clone();
                self.slice(request, |scope| {
                    let number = v8::Integer::new_from_unsigned(scope, request);
                    call(scope, &entry, &[number.into()]).map(drop)
                })
            }
            Event::Abort(request, message) => {
                let entry = self.entries.abort.clone();
                self.slice(request, |scope| {
                    let number = v8::Integer::new_from_unsigned(scope, request);
                    let message = v8::String::new(scope, message)?;
                    call(scope, &entry, &[number.into(), message.into()]).map(drop)
                })
            }
        }
    }

    /// Runs JavaScript on behalf of a request, then every microtask. What is thrown past `run` is logged.
    fn slice(
        &mut self,
        request: RequestNumber,
        run: impl FnOnce(&mut v8::PinScope<'_, '_>) -> Option<()>,
    ) -> Result<(), Terminated> {
        self.shared.current.set(request);
        let terminated = {
            deno_core::scope!(scope, self.runtime);
            v8::tc_scope!(let scope, scope);
            let ran = run(scope);
            if ran.is_none()
                && !scope.has_terminated()
                && let Some(thrown) = scope.exception()
            {
                scope.reset();
                exception::log(&self.shared, request, &exception::describe(scope, thrown));
            }
            scope.perform_microtask_checkpoint();
            scope.has_terminated() || scope.is_execution_terminating()
        };
        self.shared.current.set(0);
        if terminated { Err(Terminated) } else { Ok(()) }
    }
}

/// The extension without its list of files: they are in [`SCRIPTS`].
fn without_files(mut extension: Extension) -> Extension {
    extension.lazy_loaded_js_files = Cow::Borrowed(&[]);
    extension.lazy_loaded_esm_files = Cow::Borrowed(&[]);
    extension
}

fn entry(
    scope: &mut v8::PinScope<'_, '_>,
    boot: v8::Local<'_, v8::Value>,
    name: &str,
) -> Result<v8::Global<v8::Function>, CoreError> {
    let object = v8::Local::<v8::Object>::try_from(boot)?;
    let key = v8::String::new(scope, name).unwrap_or_else(|| v8::String::empty(scope));
    let value = object.get(scope, key.into()).unwrap_or_else(|| v8::undefined(scope).into());
    let function = v8::Local::<v8::Function>::try_from(value)?;
    Ok(v8::Global::new(scope, function))
}

fn call<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    function: &v8::Global<v8::Function>,
    arguments: &[v8::Local<'_, v8::Value>],
) -> Option<v8::Local<'s, v8::Value>> {
    let receiver = v8::undefined(scope).into();
    v8::Local::new(scope, function).call(scope, receiver, arguments)
}

fn settled<'s>(scope: &mut v8::PinScope<'s, '_>, answer: Settled) -> Option<v8::Local<'s, v8::Value>> {
    Some(match answer {
        Settled::Nothing => v8::undefined(scope).into(),
        Settled::Null => v8::null(scope).into(),
        Settled::Bytes(bytes) => {
            let length = bytes.len();
            let store = v8::ArrayBuffer::new_backing_store_from_vec(bytes.into()).make_shared();
            let buffer = v8::ArrayBuffer::with_backing_store(scope, &store);
            v8::Uint8Array::new(scope, buffer, 0, length)?.into()
        }
        Settled::Failed(message) => v8::String::new(scope, &message)?.into(),
    })
}

/// The JavaScript error inside of an error of `deno_core`, if it is one.
pub fn js_error(error: &CoreError) -> Option<&JsError> {
    match error.as_kind() {
        deno_core::error::CoreErrorKind::Js(error) => Some(error),
        _ => None,
    }
}

//! The functions of `js/runtime/boot.js` that a slice may call, and the conversion of their arguments.

use super::event::{Fetched, Settled};
use deno_core::error::CoreError;
use deno_core::v8;
use vitrine_wire::message::close_of;
use vitrine_wire::{Headers, MessageKind};

/// The entry points, kept for the isolate's life.
pub struct EntryPoints {
    /// The answer is no longer awaited.
    pub abort: v8::Global<v8::Function>,
    /// A request begins.
    pub begin: v8::Global<v8::Function>,
    /// The environment.
    pub environment: v8::Global<v8::Function>,
    /// The app's exports.
    pub configure: v8::Global<v8::Function>,
    /// What a classic script left.
    pub classic_exports: v8::Global<v8::Function>,
    /// An answer takes bytes again.
    pub drained: v8::Global<v8::Function>,
    /// Does nothing.
    pub no_op: v8::Global<v8::Function>,
    /// The oldest zero-delay task may run.
    pub run_task: v8::Global<v8::Function>,
    /// A host call has its answer.
    pub settle: v8::Global<v8::Function>,
    /// The isolate becomes a snapshot.
    pub suspend: v8::Global<v8::Function>,
    /// A timer fired.
    pub timer: v8::Global<v8::Function>,
    /// A rejection that nobody had caught is.
    pub rejection_handled: v8::Global<v8::Function>,
    /// An uncaught error or an unhandled rejection.
    pub uncaught: v8::Global<v8::Function>,
    /// The app is evaluated for a snapshot.
    pub watch: v8::Global<v8::Function>,
}

impl EntryPoints {
    /// The entry points in what `js/runtime/boot.js` returned.
    ///
    /// # Errors
    /// One is missing.
    pub fn of(scope: &mut v8::PinScope<'_, '_>, boot: v8::Local<'_, v8::Value>) -> Result<Self, CoreError> {
        let object = v8::Local::<v8::Object>::try_from(boot)?;
        let entry = |name: &str| -> Result<v8::Global<v8::Function>, CoreError> {
            let key = v8::String::new(scope, name).unwrap_or_else(|| v8::String::empty(scope));
            let value = object.get(scope, key.into()).unwrap_or_else(|| v8::undefined(scope).into());
            let function = v8::Local::<v8::Function>::try_from(value)?;
            Ok(v8::Global::new(scope, function))
        };
        Ok(Self {
            abort: entry("abort")?,
            begin: entry("begin")?,
            environment: entry("environment")?,
            configure: entry("configure")?,
            classic_exports: entry("classicExports")?,
            drained: entry("drained")?,
            no_op: entry("noOp")?,
            run_task: entry("runTask")?,
            settle: entry("settle")?,
            suspend: entry("suspend")?,
            timer: entry("timer")?,
            rejection_handled: entry("rejectionHandled")?,
            uncaught: entry("uncaught")?,
            watch: entry("watch")?,
        })
    }
}

/// Calls `function`. `None` when it threw.
pub fn call<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    function: &v8::Global<v8::Function>,
    arguments: &[v8::Local<'_, v8::Value>],
) -> Option<v8::Local<'s, v8::Value>> {
    let receiver = v8::undefined(scope).into();
    v8::Local::new(scope, function).call(scope, receiver, arguments)
}

/// A number.
pub fn unsigned<'s>(scope: &mut v8::PinScope<'s, '_>, number: u32) -> v8::Local<'s, v8::Value> {
    v8::Integer::new_from_unsigned(scope, number).into()
}

/// What a host call resolved to.
pub fn settled<'s>(scope: &mut v8::PinScope<'s, '_>, answer: Settled) -> Option<v8::Local<'s, v8::Value>> {
    Some(match answer {
        Settled::Null => v8::null(scope).into(),
        Settled::Bool(value) => v8::Boolean::new(scope, value).into(),
        Settled::Fetched(Fetched { status, reason, headers, body }) => {
            let headers = header_list(scope, &headers).into();
            let reason = match reason {
                Some(reason) => {
                    v8::String::new_from_one_byte(scope, &reason, v8::NewStringType::Normal)?.into()
                }
                None => v8::null(scope).into(),
            };
            let parts = [unsigned(scope, u32::from(status)), reason, headers, unsigned(scope, body)];
            v8::Array::new_with_elements(scope, &parts).into()
        }
        Settled::Message(kind, payload) => {
            let value = match kind {
                MessageKind::Text => {
                    v8::String::new_from_utf8(scope, &payload, v8::NewStringType::Normal)?.into()
                }
                MessageKind::Binary => settled(scope, Settled::Bytes(payload))?,
                MessageKind::Close => {
                    let (code, reason) = close_of(&payload);
                    let parts = [unsigned(scope, code.into()), v8::String::new(scope, &reason)?.into()];
                    v8::Array::new_with_elements(scope, &parts).into()
                }
            };
            let parts = [unsigned(scope, kind as u32), value];
            v8::Array::new_with_elements(scope, &parts).into()
        }
        Settled::Bytes(bytes) => {
            let length = bytes.len();
            let store = v8::ArrayBuffer::new_backing_store_from_vec(bytes.into()).make_shared();
            let buffer = v8::ArrayBuffer::with_backing_store(scope, &store);
            v8::Uint8Array::new(scope, buffer, 0, length)?.into()
        }
        Settled::Failed(message) => v8::String::new(scope, &message)?.into(),
    })
}

/// Headers as JavaScript takes them: name, value, name, value.
pub fn header_list<'s>(scope: &mut v8::PinScope<'s, '_>, headers: &Headers) -> v8::Local<'s, v8::Array> {
    let mut values: Vec<v8::Local<v8::Value>> = Vec::with_capacity(headers.len() * 2);
    for (name, value) in headers {
        let texts = [(name.as_bytes(), v8::NewStringType::Internalized), (value, v8::NewStringType::Normal)];
        for (bytes, kind) in texts {
            // Both are far below V8's limit on strings, the only way to fail.
            let text =
                v8::String::new_from_one_byte(scope, bytes, kind).unwrap_or_else(|| v8::String::empty(scope));
            values.push(text.into());
        }
    }
    v8::Array::new_with_elements(scope, &values)
}

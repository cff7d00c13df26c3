//! The app's log, and the clock.

use super::shared;
use crate::clock::now_ms;
use crate::exception;
use deno_core::{OpState, op2, v8};
use std::time::{Duration, Instant};
use vitrine_wire::{LogLevel, LogLine};

/// Writes a line of the console.
#[op2(fast)]
pub fn op_log(state: &OpState, level: u32, #[string] message: String, request: u32) {
    let level = match level {
        0 => LogLevel::Debug,
        1 => LogLevel::Info,
        2 => LogLevel::Warn,
        _ => LogLevel::Error,
    };
    let shared = shared(state);
    shared.write_log(|| LogLine {
        time_ms: now_ms(),
        level,
        request_id: shared.request_id(request),
        message,
        stack: None,
    });
}

/// The app has written this error to its log during this request.
#[op2(nofast)]
pub fn op_mark_logged<'s>(scope: &mut v8::PinScope<'s, '_>, error: v8::Local<'s, v8::Object>, request: u32) {
    let (mark, request) = (logged_mark(scope), v8::Integer::new_from_unsigned(scope, request));
    error.set_private(scope, mark, request.into());
}

/// Whether the app has written what was thrown to its log during this request.
pub fn is_logged<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    thrown: v8::Local<'s, v8::Value>,
    request: u32,
) -> bool {
    let mark = logged_mark(scope);
    let Ok(error) = v8::Local::<v8::Object>::try_from(thrown) else { return false };
    error
        .get_private(scope, mark)
        .is_some_and(|marked| marked.is_uint32() && marked.uint32_value(scope) == Some(request))
}

/// The name of the mark that no code of an app can see.
fn logged_mark<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Private> {
    let name = v8::String::new(scope, "vitrine.logged");
    v8::Private::for_api(scope, name)
}

/// Writes an uncaught error to the log, or the reason of a promise that was rejected without a handler.
#[op2(nofast)]
pub fn op_report<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    state: &OpState,
    request: u32,
    thrown: v8::Local<'s, v8::Value>,
    in_promise: bool,
) {
    let how = if in_promise { "Uncaught (in promise) " } else { "Uncaught " };
    shared(state).log_error(request, how, || exception::describe(scope, thrown));
}

/// Nanoseconds on a clock that only goes forward.
#[op2(fast)]
pub fn op_now_ns(state: &OpState) -> f64 {
    // A double holds the nanoseconds of a hundred days exactly.
    let since: Duration = Instant::now().duration_since(shared(state).born);
    since.as_nanos() as f64
}

/// Script of a Node.js built-in; empty when there is none of that name.
#[op2]
#[string]
pub fn op_built_in(#[string] name: &str) -> &'static str {
    crate::built_ins::find(name).map_or("", |(_, script)| script)
}

/// The names of all built-in modules, as `node:module` lists them.
#[op2]
pub fn op_built_ins<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Array> {
    let mut names: Vec<v8::Local<'_, v8::Value>> = Vec::new();
    for (name, _) in crate::built_ins::BUILT_INS {
        let name = v8::String::new(scope, name.trim_start_matches("node:"));
        names.extend(name.map(v8::Local::<v8::Value>::from));
    }
    v8::Array::new_with_elements(scope, &names)
}

//! The app's log, and the clock.

use super::shared;
use crate::exception::{self, now_ms};
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
    exception::log(&shared(state), request, how, || exception::describe(scope, thrown));
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

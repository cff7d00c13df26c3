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
    let request_id = shared.request_id(request);
    let first_dropped =
        shared.log.write(LogLine { time_ms: now_ms(), level, request_id, message, stack: None });
    if first_dropped {
        let log = shared.log.clone();
        shared.start(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            log.summarize();
        });
    }
}

/// Writes a thrown value that nobody caught to the log.
#[op2(nofast)]
pub fn op_report<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    state: &OpState,
    request: u32,
    thrown: v8::Local<'s, v8::Value>,
) {
    exception::log(&shared(state), request, "Uncaught ", &exception::describe(scope, thrown));
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

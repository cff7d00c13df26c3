//! Timers and zero-delay tasks.

use super::shared;
use crate::isolate::shared::Event;
use deno_core::{OpState, op2};
use std::rc::Rc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Tells the driver of a queued zero-delay task.
#[op2(fast)]
pub fn op_task(state: &OpState, request: u32) {
    shared(state).tell(Event::Task { request });
}

/// Starts a timer of `delay_ms`.
#[op2(fast)]
pub fn op_timer_start(state: &OpState, timer: u32, delay_ms: f64, request: u32) {
    let shared = shared(state);
    let cleared = CancellationToken::new();
    shared.timers.borrow_mut().insert(timer, cleared.clone());
    let of_isolate = Rc::clone(&shared);
    let delay = Duration::from_secs_f64(delay_ms.max(0.0) / 1_000.0);
    shared.start(async move {
        tokio::select! {
            () = tokio::time::sleep(delay) => {
                of_isolate.timers.borrow_mut().remove(&timer);
                of_isolate.tell(Event::Timer { timer, request });
            }
            () = cleared.cancelled() => {}
        }
    });
}

/// Clears a timer.
#[op2(fast)]
pub fn op_timer_clear(state: &OpState, timer: u32) {
    if let Some(cleared) = shared(state).timers.borrow_mut().remove(&timer) {
        cleared.cancel();
    }
}

//! Timers and zero-delay tasks.

use super::shared;
use crate::isolate::event::Event;
use deno_core::{OpState, op2};
use futures_util::future::{AbortHandle, Abortable};
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// Tells the driver of a queued zero-delay task. Returns whether the request may queue one more.
#[op2(fast)]
pub fn op_task(state: &OpState, request: u32) -> bool {
    shared(state).tell_task(request)
}

/// Starts a timer of `delay_ms`. Returns whether there was room for one more.
#[op2(fast)]
pub fn op_timer_start(state: &OpState, timer: u32, delay_ms: f64, request: u32) -> bool {
    let shared = shared(state);
    let (clear, registration) = AbortHandle::new_pair();
    shared.cancels.borrow_mut().insert(timer, clear);
    let of_isolate = Rc::clone(&shared);
    // From now on, not from when the driver first looks.
    let due = Instant::now() + Duration::from_secs_f64(delay_ms.max(0.0) / 1_000.0);
    let started = shared.start_bounded(request, async move {
        if Abortable::new(tokio::time::sleep_until(due), registration).await.is_ok() {
            of_isolate.cancels.borrow_mut().remove(&timer);
            of_isolate.tell(Event::Timer { timer, request });
        }
    });
    if !started {
        shared.cancels.borrow_mut().remove(&timer);
    }
    started
}

/// Clears a timer, or gives a host call up.
#[op2(fast)]
pub fn op_cancel(state: &OpState, number: u32) {
    if let Some(cancelled) = shared(state).cancels.borrow_mut().remove(&number) {
        cancelled.abort();
    }
}

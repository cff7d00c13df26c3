//! What an app throws and nobody catches: told to its listeners, then logged.

use super::{Engine, Killed};
use crate::exception;
use crate::isolate::entries::call;
use crate::isolate::shared::{RequestNumber, Shared};
use deno_core::{JsRuntime, v8};
use std::rc::Rc;

impl Engine {
    /// Tells the app's own listeners what nobody caught, and logs what they leave.
    pub(super) fn report_uncaught(
        &mut self,
        request: RequestNumber,
        thrown: Option<v8::Global<v8::Value>>,
    ) -> Result<(), Killed> {
        let shared = Rc::clone(&self.shared);
        let listeners = self.entries.uncaught.clone();
        self.watched(request, |runtime| {
            deno_core::scope!(scope, runtime);
            v8::tc_scope!(let scope, scope);
            let mut tell = |prefix, reason, promise: Option<v8::Global<v8::Promise>>| {
                let reason = v8::Local::new(scope, reason);
                let promise = promise.map(|promise| v8::Local::new(scope, promise).into());
                let promise = promise.unwrap_or_else(|| v8::undefined(scope).into());
                let taken = call(scope, &listeners, &[reason, promise]).is_some_and(|taken| taken.is_true());
                if !taken && !scope.has_terminated() {
                    scope.reset();
                    exception::log(&shared, request, prefix, &exception::describe(scope, reason));
                }
                scope.perform_microtask_checkpoint();
            };
            if let Some(thrown) = thrown {
                tell("Uncaught ", thrown, None);
            }
            // A listener may leave more of them. One that never stops is ended by the watchdog.
            loop {
                let rejected = std::mem::take(&mut *shared.rejected.borrow_mut());
                if rejected.is_empty() {
                    return;
                }
                for (promise, reason) in rejected {
                    tell("Uncaught (in promise) ", reason, Some(promise));
                }
            }
        })
    }

    /// Reports promises that were rejected while `deno_core`'s own event loop ran.
    ///
    /// # Errors
    /// JavaScript was ended by force meanwhile.
    pub fn report_rejections(&mut self) -> Result<(), Killed> {
        if self.shared.rejected.borrow().is_empty() { Ok(()) } else { self.report_uncaught(0, None) }
    }
}

/// Notes promises that are rejected without a handler, and forgets those that get one in the same slice.
pub(super) extern "C" fn on_rejection(message: v8::PromiseRejectMessage) {
    // SAFETY: V8 calls this with a message of the current isolate, which outlives the call.
    v8::callback_scope!(unsafe scope, &message);
    let shared = JsRuntime::op_state_from(scope).borrow().borrow::<Rc<Shared>>().clone();
    let promise = v8::Global::new(scope, message.get_promise());
    let mut rejected = shared.rejected.borrow_mut();
    match message.get_event() {
        v8::PromiseRejectEvent::PromiseRejectWithNoHandler => {
            let reason = message.get_value().unwrap_or_else(|| v8::undefined(scope).into());
            rejected.push((promise, v8::Global::new(scope, reason)));
        }
        v8::PromiseRejectEvent::PromiseHandlerAddedAfterReject => {
            rejected.retain(|(known, _)| *known != promise)
        }
        _ => {}
    }
}

//! Uncaught exceptions and unhandled rejections: dispatched to the app's listeners, and logged.

use super::{Engine, Killed};
use crate::exception;
use crate::isolate::entry_points::{call, unsigned};
use crate::isolate::event::RequestNumber;
use crate::isolate::state::{Left, RuntimeState, Uncaught};
use crate::limits::isolate::TOLD_ROUNDS_MAX;
use deno_core::{JsRuntime, v8};
use std::rc::Rc;

impl Engine {
    /// Tells the app's listeners what a slice of `request` has left, and logs what they don't take.
    pub(super) fn report_uncaught(&mut self, request: RequestNumber) -> Result<(), Killed> {
        let shared = Rc::clone(&self.state);
        let (uncaught, handled) = (self.entries.uncaught.clone(), self.entries.rejection_handled.clone());
        self.watched(request, |runtime| {
            deno_core::scope!(scope, runtime);
            v8::tc_scope!(let scope, scope);
            // A listener may leave more, each time that it is told.
            for round in 0.. {
                let all = std::mem::take(&mut *shared.uncaught.borrow_mut());
                if all.is_empty() {
                    return;
                }
                for Uncaught { thrown, left, context } in all {
                    let is_told = round < TOLD_ROUNDS_MAX;
                    let (entry, promise) = match left {
                        Left::Error => (&uncaught, v8::undefined(scope).into()),
                        Left::Rejected(promise) => {
                            let local = v8::Local::new(scope, &promise);
                            if local.has_handler() {
                                // It got one from a listener that was told of another.
                                continue;
                            }
                            shared.telling.replace(Some(promise));
                            (&uncaught, local.into())
                        }
                        Left::Handled(_) if !is_told => continue,
                        Left::Handled(promise) => (&handled, v8::Local::new(scope, promise).into()),
                    };
                    let number = unsigned(scope, request);
                    let thrown = v8::Local::new(scope, thrown);
                    let context = v8::Local::new(scope, context);
                    let told = v8::Boolean::new(scope, is_told).into();
                    let reported = call(scope, entry, &[number, thrown, promise, context, told]);
                    shared.telling.take();
                    if reported.is_none() && !scope.has_terminated() {
                        scope.reset();
                        shared.log_error(request, "Uncaught ", || exception::describe(scope, thrown));
                    }
                    scope.perform_microtask_checkpoint();
                }
            }
        })
    }

    /// Reports what `deno_core`'s own event loop has left.
    ///
    /// # Errors
    /// JavaScript was ended by force meanwhile.
    pub fn report_rest(&mut self) -> Result<(), Killed> {
        if self.state.uncaught.borrow().is_empty() { Ok(()) } else { self.report_uncaught(0) }
    }
}

/// Notes promises that are rejected without a handler, forgets those that get one in the same slice, and notes those that get one later.
pub(super) extern "C" fn on_rejection(message: v8::PromiseRejectMessage) {
    // SAFETY: V8 calls this with a message of the current isolate, which outlives the call.
    v8::callback_scope!(unsafe scope, &message);
    let promise = message.get_promise();
    match message.get_event() {
        v8::PromiseRejectEvent::PromiseRejectWithNoHandler => {
            let reason = message.get_value().unwrap_or_else(|| v8::undefined(scope).into());
            let promise = v8::Global::new(scope, promise);
            note(scope, reason, Left::Rejected(promise));
        }
        v8::PromiseRejectEvent::PromiseHandlerAddedAfterReject => {
            let reason = promise.result(scope);
            let promise = v8::Global::new(scope, promise);
            if shared(scope).telling.borrow().as_ref() == Some(&promise) {
                return;
            }
            let rejected = Left::Rejected(promise.clone());
            let known = shared(scope).uncaught.borrow().iter().position(|known| known.left == rejected);
            match known {
                Some(index) => drop(shared(scope).uncaught.borrow_mut().remove(index)),
                None => note(scope, reason, Left::Handled(promise)),
            }
        }
        _ => {}
    }
}

/// Notes errors of what V8 itself calls: microtasks that our `queueMicrotask` has not queued, callbacks of a `FinalizationRegistry`.
pub(super) extern "C" fn on_message(message: v8::Local<v8::Message>, thrown: v8::Local<v8::Value>) {
    // SAFETY: V8 calls this with a message of the current isolate, which outlives the call.
    v8::callback_scope!(unsafe scope, message);
    note(scope, thrown, Left::Error);
}

/// Notes what was thrown in the current context.
pub(super) fn note<'s>(scope: &mut v8::PinScope<'s, '_>, thrown: v8::Local<'s, v8::Value>, left: Left) {
    let context = scope.get_continuation_preserved_embedder_data();
    let uncaught =
        Uncaught { thrown: v8::Global::new(scope, thrown), left, context: v8::Global::new(scope, context) };
    shared(scope).uncaught.borrow_mut().push(uncaught);
}

fn shared(scope: &mut v8::PinScope<'_, '_>) -> Rc<RuntimeState> {
    JsRuntime::op_state_from(scope).borrow().borrow::<Rc<RuntimeState>>().clone()
}

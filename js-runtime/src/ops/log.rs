//! The app's log.

use super::shared;
use crate::exception;
use deno_core::{OpState, op2, v8};

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

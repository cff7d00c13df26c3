//! Reports what an app does at module scope that a snapshot would freeze.

use super::shared;
use crate::exception;
use crate::isolate::module_scope::Notice;
use deno_core::{OpState, op2, v8};
use deno_error::JsErrorBox;

/// Notes that the app does something of this kind, at the place where `error` was made. Throws when that keeps it from having a
/// snapshot: nothing of this evaluation is used then, and the sooner it ends the better.
#[op2(nofast)]
pub fn op_module_scope_read<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    state: &OpState,
    #[string] kind: &str,
    error: v8::Local<'s, v8::Value>,
) -> Result<(), JsErrorBox> {
    let Some(notice) = Notice::named(kind) else { return Ok(()) };
    let described = exception::describe(scope, error);
    let place = described.stack.lines().find_map(|line| line.strip_prefix("    at ")).unwrap_or_default();
    // A frame with a function's name has its place in parentheses.
    let place = place.rsplit_once(" (").map_or(place, |(_, place)| place.trim_end_matches(')'));
    let detail = described.message.trim_start_matches("Error").trim_start_matches(": ").to_owned();
    if shared(state).module_scope.note(notice, place.to_owned(), detail) {
        return Err(JsErrorBox::generic("this can't be part of a snapshot"));
    }
    Ok(())
}

//! Message and source-mapped stack of what an app threw.

use deno_core::error::{JsError, JsStackFrame};
use deno_core::v8;
use std::fmt::Write as _;
use vitrine_wire::AppError;

/// Scheme of the bundle's own files in stacks.
pub const APP_SCHEME: &str = "app:///";

/// Message and source-mapped stack of a thrown value. Frames outside the bundle are left out.
pub fn describe<'s>(scope: &mut v8::PinScope<'s, '_>, thrown: v8::Local<'s, v8::Value>) -> AppError {
    from_js_error(&JsError::from_v8_exception(scope, thrown))
}

/// The same for an error that `deno_core` has taken apart already.
pub fn from_js_error(error: &JsError) -> AppError {
    let message = error.exception_message.trim_start_matches("Uncaught ").to_owned();
    let mut stack = message.clone();
    for frame in &error.frames {
        write_frame(&mut stack, frame);
    }
    AppError { message, stack }
}

/// Message and the place that threw, in one line.
pub fn first_lines(error: &AppError) -> String {
    let place = error.stack.lines().find(|line| line.starts_with("    at ")).unwrap_or_default();
    format!("{} {}", error.message, place.trim_start()).trim_end().to_owned()
}

fn write_frame(stack: &mut String, frame: &JsStackFrame) {
    let Some(file) = frame.file_name.as_deref() else { return };
    if file.starts_with("ext:") || file.starts_with("node:") {
        return;
    }
    let file = file.strip_prefix(APP_SCHEME).unwrap_or(file);
    let line = frame.line_number.unwrap_or_default();
    let column = frame.column_number.unwrap_or_default();
    let written = match frame.function_name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => write!(stack, "\n    at {name} ({file}:{line}:{column})"),
        None => write!(stack, "\n    at {file}:{line}:{column}"),
    };
    written.unwrap_or_else(|_| unreachable!("a String takes what is written to it"));
}

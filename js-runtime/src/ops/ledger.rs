//! What renders read, for those whose answers the host may keep for others.

use super::shared;
use crate::isolate::state::RuntimeState;
use deno_core::{OpState, op2};
use vitrine_wire::Reads;
use vitrine_wire::limits::READS_NAMES_MAX;

/// Stands for all headers.
const ALL: &str = "*";

/// A header was read, or all of them.
#[op2(fast)]
pub fn op_read_header(state: &OpState, request: u32, #[string] name: &str) {
    with_reads(&shared(state), request, |reads| {
        if name == ALL {
            reads.all_headers = true;
        } else {
            reads.all_headers |= !add(&mut reads.headers, name);
        }
    });
}

/// A cookie was read by its name.
#[op2(fast)]
pub fn op_read_cookie(state: &OpState, request: u32, #[string] name: &str) {
    with_reads(&shared(state), request, |reads| reads.all_headers |= !add(&mut reads.cookies, name));
}

/// Random numbers were taken. Where it is not known for which request, each of those that run may have them.
#[op2(fast)]
pub fn op_read_random(state: &OpState, request: u32) {
    let shared = shared(state);
    if request != 0 {
        with_reads(&shared, request, |reads| reads.random = true);
        return;
    }
    let mut requests = shared.requests.borrow_mut();
    requests.values_mut().filter_map(|running| running.reads.as_mut()).for_each(|reads| reads.random = true);
}

fn with_reads(shared: &RuntimeState, request: u32, note: impl FnOnce(&mut Reads)) {
    if let Some(reads) =
        shared.requests.borrow_mut().get_mut(&request).and_then(|running| running.reads.as_mut())
    {
        note(reads);
    }
}

/// Adds a name; false if there is no room for it.
fn add(names: &mut Vec<String>, name: &str) -> bool {
    if names.iter().any(|known| known == name) {
        return true;
    }
    if names.len() >= READS_NAMES_MAX {
        return false;
    }
    names.push(name.to_owned());
    true
}

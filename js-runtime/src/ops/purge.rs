//! Purges of the host's cache, as an app asks for them.

use super::fetch::{TOO_MANY, settle, start_call};
use super::shared;
use crate::isolate::event::Settled;
use deno_core::{OpState, op2};
use std::rc::Rc;
use vitrine_wire::Purge;

/// Purges what the host's cache holds of the app. Settles with `null` once that is done.
#[op2]
pub fn op_purge(
    state: &OpState,
    call: u32,
    request: u32,
    #[serde] tags: Vec<String>,
    #[serde] path_prefixes: Vec<String>,
    everything: bool,
    hard: bool,
) {
    let shared = shared(state);
    let purge = Purge { tags, path_prefixes, everything, hard };
    let of_isolate = Rc::clone(&shared);
    let started = start_call(&shared, call, request, async move {
        match of_isolate.link.purge(purge).await {
            Ok(()) => Settled::Null,
            Err(failure) => Settled::Failed(format!("the cache was not purged: {failure}")),
        }
    });
    if !started {
        settle(&shared, call, request, Settled::Failed(TOO_MANY.to_owned()));
    }
}

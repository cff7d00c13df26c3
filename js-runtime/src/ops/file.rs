//! The files of the bundle's server folder, for `node:fs`: what the worker has read, and nothing else.

use crate::bundle::Bundle;
use deno_core::{OpState, op2};
use std::collections::BTreeSet;

/// Content of a file; `null` where there is no file of that path (`server/page.html`).
#[op2]
#[buffer]
pub fn op_file_read(state: &OpState, #[string] path: &str) -> Option<Vec<u8>> {
    state.borrow::<Bundle>().files.get(path).map(|content| content.to_vec())
}

/// Size of a file, in bytes; -1 where there is no file of that path.
#[op2(fast)]
pub fn op_file_size(state: &OpState, #[string] path: &str) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a bundle is far smaller than 2^53 bytes")]
    state.borrow::<Bundle>().files.get(path).map_or(-1.0, |content| content.len() as f64)
}

/// Names in a folder, those of folders with a `/` at their end, in order; empty where there is no such folder. The bundle's own
/// folder is `""`.
#[op2]
#[serde]
pub fn op_file_names(state: &OpState, #[string] folder: &str) -> Vec<String> {
    let files = &state.borrow::<Bundle>().files;
    let below = files.keys().filter_map(|path| match folder {
        "" => Some(path.as_str()),
        _ => path.strip_prefix(folder)?.strip_prefix('/'),
    });
    let names: BTreeSet<&str> =
        below.map(|rest| rest.find('/').map_or(rest, |slash| &rest[..=slash])).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// When the worker read the bundle, in milliseconds since the Unix epoch: what files were last changed at.
#[op2(fast)]
pub fn op_file_time_ms(state: &OpState) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "2^53 milliseconds are 285,000 years")]
    let time_ms = state.borrow::<Bundle>().read_ms as f64;
    time_ms
}

/// Whether the app's code uses what Deno has for servers of WebSockets.
#[op2(fast)]
pub fn op_bundle_names_deno(state: &OpState) -> bool {
    state.borrow::<Bundle>().names_deno()
}

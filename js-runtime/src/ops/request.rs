//! Reads the app's request: headers and body.

use super::shared;
use crate::isolate::entry_points::header_list;
use crate::isolate::event::{Event, Settled};
use deno_core::{OpState, op2, v8};
use std::rc::Rc;

const OVER: &str = "The request's body could not be read: the request is over";

/// Headers of a request: name, value, name, value. They are given once.
#[op2]
pub fn op_request_headers<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    state: &OpState,
    request: u32,
) -> v8::Local<'s, v8::Array> {
    let shared = shared(state);
    let headers = shared
        .requests
        .borrow_mut()
        .get_mut(&request)
        .map(|running| std::mem::take(&mut running.headers))
        .unwrap_or_default();
    header_list(scope, &headers)
}

/// Reads the next piece of a request's body; `null` at the end.
#[op2(fast)]
pub fn op_body_read(state: &OpState, call: u32, request: u32) {
    let shared = shared(state);
    let taken = shared
        .requests
        .borrow_mut()
        .get_mut(&request)
        .map(|running| running.body.take().map(|body| (body, running.stall.clone())));
    let Some(Some((mut body, stall))) = taken else {
        // Whether the body was whole is not known any more once its request is over.
        let answer = if taken.is_none() { Settled::Failed(OVER.to_owned()) } else { Settled::Null };
        shared.tell(Event::Settle { call, request, answer });
        return;
    };
    let limit = shared.limits.request_mb << 20;
    let of_isolate = Rc::clone(&shared);
    shared.start(async move {
        // A slow client is no slow app: how slow it may be is for the edge to say.
        let waits = stall.begin();
        let piece = body.next().await;
        drop(waits);
        let answer = match piece {
            None => Settled::Null,
            Some(Err(broken)) => Settled::Failed(format!("The request's body could not be read: {broken}")),
            Some(Ok(bytes)) => {
                let mut requests = of_isolate.requests.borrow_mut();
                match requests.get_mut(&request) {
                    None => Settled::Failed(OVER.to_owned()),
                    Some(running) => {
                        running.body_bytes += bytes.len() as u64;
                        if running.body_bytes > limit {
                            let mib = limit >> 20;
                            Settled::Failed(format!(
                                "The request's body is longer than request_mb ({mib} MiB)"
                            ))
                        } else {
                            running.body = Some(body);
                            Settled::Bytes(bytes)
                        }
                    }
                }
            }
        };
        of_isolate.tell(Event::Settle { call, request, answer });
    });
}

/// Counts promises of `waitUntil`.
#[op2(fast)]
pub fn op_wait_until(state: &OpState, request: u32, change: i32) {
    if let Some(running) = shared(state).requests.borrow_mut().get_mut(&request) {
        running.waiting = running.waiting.saturating_add_signed(change);
        running.buffer.wake();
    }
}

//! The app's `fetch`, made by the host's broker.

use super::shared;
use crate::isolate::entry_points::settled;
use crate::isolate::event::{Event, Fetched, Settled};
use crate::isolate::state::RuntimeState;
use crate::request::{EgressAnswer, upload};
use bytes::Bytes;
use deno_core::{OpState, op2, v8};
use futures_util::future::{AbortHandle, Abortable};
use std::rc::Rc;
use vitrine_wire::limits::{PURGE_ITEMS_MAX, PURGE_TEXT_BYTES_MAX};
use vitrine_wire::{CacheMode, EgressCache, EgressHead, OWN_CALL_HEADER, ResponseHead};

pub(super) const TOO_MANY: &str = "too many timers and host calls are waiting at once";

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Also when the request that made the call is over.
const GIVEN_UP: &str = "it was given up";

/// Makes a call; `call` settles with status, reason phrase, headers and the number of the answer's body. One that an answer redirected
/// goes on with the call before it and counts as one with it. `is_own`: it goes to the origin of
/// the request. `is_upgrade`: it asks for a WebSocket.
#[op2]
pub fn op_fetch(
    scope: &mut v8::PinScope<'_, '_>,
    state: &OpState,
    call: u32,
    request: u32,
    #[string] method: String,
    #[string] url: String,
    headers: v8::Local<'_, v8::Array>,
    upload: u32,
    is_redirected: bool,
    is_own: bool,
    is_upgrade: bool,
    #[serde] wish: Option<(u8, i64, Vec<String>)>,
) {
    let shared = shared(state);
    // Of a refused call, too: without it the body that the app sends is not read.
    let body = shared.uploads.borrow_mut().get_mut(&upload).and_then(|(_, receiver)| receiver.take());
    if !is_redirected && !shared.count_subrequest(request) {
        let limit = shared.limits.subrequests;
        let refused = format!("a request may make {limit} calls (subrequests)");
        settle(&shared, call, request, Settled::Failed(refused));
        return;
    }
    let mut headers = super::answer::read_headers(scope, headers);
    headers.retain(|(name, _)| name != OWN_CALL_HEADER);
    if is_own {
        headers.push((OWN_CALL_HEADER.to_owned(), shared.own_calls(request).to_string().into()));
    }
    let (has_body, request_id) = (body.is_some(), shared.request_id(request));
    let head = EgressHead {
        method,
        url,
        headers,
        has_body,
        upgrade: is_upgrade,
        request_id,
        cache: wish.map(cache_wish),
    };
    let of_isolate = Rc::clone(&shared);
    let started = start_call(&shared, call, request, async move {
        match of_isolate.link.egress(head, body).await {
            Err(failure) => Settled::Failed(failure.to_string()),
            Ok(EgressAnswer { head, body }) => {
                let number = of_isolate.keep_body(request, body);
                let ResponseHead { status, reason, headers } = head;
                Settled::Fetched(Fetched { status, reason, headers, body: number })
            }
        }
    });
    if !started {
        settle(&shared, call, request, Settled::Failed(TOO_MANY.to_owned()));
    }
}

/// What the app asks of the host's cache: mode, seconds (negative where it says none), tags.
fn cache_wish((mode, seconds, mut tags): (u8, i64, Vec<String>)) -> Box<EgressCache> {
    let mode = match mode {
        1 => CacheMode::NoStore,
        2 => CacheMode::Reload,
        3 => CacheMode::NoCache,
        4 => CacheMode::ForceCache,
        5 => CacheMode::OnlyIfCached,
        _ => CacheMode::Default,
    };
    tags.retain(|tag| tag.len() <= PURGE_TEXT_BYTES_MAX);
    tags.truncate(PURGE_ITEMS_MAX);
    Box::new(EgressCache { mode, ttl_s: u64::try_from(seconds).ok(), tags })
}

/// Reads the next piece of an answer's body; `null` at the end.
#[op2(fast)]
pub fn op_fetch_read(state: &OpState, call: u32, body: u32, request: u32) {
    let shared = shared(state);
    let reader = shared.bodies.borrow_mut().get_mut(&body).and_then(|kept| kept.reader.take());
    let Some(mut reader) = reader else {
        settle(&shared, call, request, Settled::Failed(GIVEN_UP.to_owned()));
        return;
    };
    let of_isolate = Rc::clone(&shared);
    let started = start_call(&shared, call, request, async move {
        match reader.next().await {
            None => {
                of_isolate.bodies.borrow_mut().remove(&body);
                Settled::Null
            }
            Some(Err(broken)) => {
                of_isolate.bodies.borrow_mut().remove(&body);
                Settled::Failed(broken.to_string())
            }
            Some(Ok(bytes)) => {
                // A body that was dropped meanwhile has no place any more, and its reader gives the call up.
                if let Some(kept) = of_isolate.bodies.borrow_mut().get_mut(&body) {
                    kept.reader = Some(reader);
                }
                Settled::Bytes(bytes)
            }
        }
    });
    if !started {
        settle(&shared, call, request, Settled::Failed(TOO_MANY.to_owned()));
    }
}

/// Takes all that is left of an answer's body, if it has come; `null` if it has not.
#[op2]
pub fn op_fetch_rest<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    state: &OpState,
    body: u32,
) -> v8::Local<'s, v8::Value> {
    let rest = take_rest(&shared(state), body).and_then(|rest| settled(scope, Settled::Bytes(rest)));
    rest.unwrap_or_else(|| v8::null(scope).into())
}

/// The same, decoded as UTF-8 without a byte order mark.
#[op2]
pub fn op_fetch_rest_text<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    state: &OpState,
    body: u32,
) -> v8::Local<'s, v8::Value> {
    let text = take_rest(&shared(state), body).and_then(|rest| {
        let kind = v8::NewStringType::Normal;
        if v8::simdutf::validate_ascii(&rest) {
            return v8::String::new_from_one_byte(scope, &rest, kind);
        }
        v8::String::new_from_utf8(scope, rest.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&rest), kind)
    });
    text.map_or_else(|| v8::null(scope).into(), Into::into)
}

/// All that is left of an answer's body, if it has come.
fn take_rest(shared: &RuntimeState, body: u32) -> Option<Bytes> {
    let mut bodies = shared.bodies.borrow_mut();
    let rest = bodies.get_mut(&body)?.reader.as_mut()?.take_rest()?;
    bodies.remove(&body);
    Some(rest)
}

/// Gives the rest of an answer up.
#[op2(fast)]
pub fn op_fetch_drop(state: &OpState, body: u32) {
    shared(state).bodies.borrow_mut().remove(&body);
}

/// Opens the body of a call that will be made.
#[op2(fast)]
pub fn op_upload_open(state: &OpState) -> u32 {
    let shared = shared(state);
    let (sender, receiver) = upload();
    let number = shared.next_body();
    shared.uploads.borrow_mut().insert(number, (sender, Some(receiver)));
    number
}

/// Sends a piece of a call's body; settles with whether it is still wanted.
#[op2(fast)]
pub fn op_upload_send(state: &OpState, call: u32, upload: u32, #[buffer] bytes: &[u8], request: u32) {
    let shared = shared(state);
    let sender = shared.uploads.borrow().get(&upload).map(|(sender, _)| sender.pieces());
    let bytes = Bytes::copy_from_slice(bytes);
    let started = start_call(&shared, call, request, async move {
        let sent = match sender {
            Some(sender) => sender.send(bytes).await.is_ok(),
            None => false,
        };
        Settled::Bool(sent)
    });
    if !started {
        settle(&shared, call, request, Settled::Failed(TOO_MANY.to_owned()));
    }
}

/// The body of a call is over: as a whole, or because it broke off, which gives the call up.
#[op2(fast)]
pub fn op_upload_end(state: &OpState, upload: u32, whole: bool) {
    let ended = shared(state).uploads.borrow_mut().remove(&upload);
    if let (Some((sender, _)), true) = (ended, whole) {
        sender.end();
    }
}

/// Starts a host call that can be given up by its number.
pub(super) fn start_call(
    shared: &Rc<RuntimeState>,
    call: u32,
    request: u32,
    work: impl Future<Output = Settled> + 'static,
) -> bool {
    let (given_up, registration) = AbortHandle::new_pair();
    let of_isolate = Rc::clone(shared);
    let started = shared.start_bounded(request, async move {
        let answer = Abortable::new(work, registration).await;
        let answer = answer.unwrap_or_else(|_| Settled::Failed("the call was given up".to_owned()));
        of_isolate.cancels.borrow_mut().remove(&call);
        settle(&of_isolate, call, request, answer);
    });
    if started {
        shared.cancels.borrow_mut().insert(call, given_up);
    }
    started
}

pub(super) fn settle(shared: &RuntimeState, call: u32, request: u32, answer: Settled) {
    shared.tell(Event::Settle { call, request, answer });
}

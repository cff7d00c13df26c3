//! How an answer leaves JavaScript: text as it lies in V8's heap, one op a flush.

use super::shared;
use crate::exception;
use crate::isolate::answer::Outbox;
use bytes::{BufMut, Bytes, BytesMut};
use deno_core::{OpState, op2, v8};
use std::rc::Rc;
use vitrine_wire::{Headers, Outcome, ResponseHead};

fn outbox(state: &OpState, request: u32) -> Option<Rc<Outbox>> {
    shared(state).requests.borrow().get(&request).map(|running| Rc::clone(&running.outbox))
}

/// Sends the head of an answer. `headers` is name, value, name, value.
#[op2(nofast)]
pub fn op_answer_head(
    scope: &mut v8::PinScope<'_, '_>,
    state: &OpState,
    request: u32,
    status: u16,
    headers: v8::Local<'_, v8::Array>,
) {
    if let Some(outbox) = outbox(state, request) {
        outbox.head(ResponseHead { status, headers: read_headers(scope, headers) });
    }
}

/// Sends a whole answer whose body is text.
#[op2(nofast)]
pub fn op_answer_page(
    scope: &mut v8::PinScope<'_, '_>,
    state: &OpState,
    request: u32,
    status: u16,
    headers: v8::Local<'_, v8::Array>,
    text: v8::Local<'_, v8::String>,
) {
    if let Some(outbox) = outbox(state, request) {
        outbox.head(ResponseHead { status, headers: read_headers(scope, headers) });
        outbox.body(|body| append_text(scope, text, body));
        outbox.end(Outcome::Ok, None);
    }
}

/// Sends body text. Returns whether there is room for more.
#[op2(nofast)]
pub fn op_answer_text(
    scope: &mut v8::PinScope<'_, '_>,
    state: &OpState,
    request: u32,
    text: v8::Local<'_, v8::String>,
) -> bool {
    outbox(state, request).is_none_or(|outbox| outbox.body(|body| append_text(scope, text, body)))
}

/// Sends body bytes. Returns whether there is room for more.
#[op2(fast)]
pub fn op_answer_bytes(state: &OpState, request: u32, #[buffer] bytes: &[u8]) -> bool {
    outbox(state, request).is_none_or(|outbox| outbox.body(|body| body.put_slice(bytes)))
}

/// Ends an answer.
#[op2(fast)]
pub fn op_answer_end(state: &OpState, request: u32) {
    if let Some(outbox) = outbox(state, request) {
        outbox.end(Outcome::Ok, None);
    }
}

/// Ends an answer with what the app threw, or with what it returned that is no response.
#[op2(nofast)]
pub fn op_answer_fail<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    state: &OpState,
    request: u32,
    thrown: v8::Local<'s, v8::Value>,
    wrong_type: bool,
) {
    let shared = shared(state);
    let error = exception::describe(scope, thrown);
    exception::log(&shared, request, "", &error);
    if wrong_type {
        shared.wrong_type.set(true);
    }
    if let Some(outbox) = outbox(state, request) {
        outbox.end(Outcome::AppError, Some(error));
    }
}

/// A list of name, value, name, value.
pub fn read_headers(scope: &mut v8::PinScope<'_, '_>, list: v8::Local<'_, v8::Array>) -> Headers {
    let mut headers = Headers::with_capacity(list.length() as usize / 2);
    for index in (0..list.length()).step_by(2) {
        let (Some(name), Some(value)) = (list.get_index(scope, index), list.get_index(scope, index + 1))
        else {
            continue;
        };
        headers.push((name.to_rust_string_lossy(scope), latin1(scope, value)));
    }
    headers
}

/// A header's value: its characters are the bytes, as the Fetch standard has it.
fn latin1(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> Bytes {
    let Ok(text) = v8::Local::<v8::String>::try_from(value) else { return Bytes::new() };
    let view = v8::ValueView::new(scope, text);
    match view.data() {
        v8::ValueViewData::OneByte(bytes) => Bytes::copy_from_slice(bytes),
        // `Headers` refuses characters above U+00FF.
        v8::ValueViewData::TwoByte(units) => units.iter().map(|unit| (unit & 0xff) as u8).collect(),
    }
}

/// Text between two copies into the body, in bytes: small enough to stay in the processor's nearest cache.
const PIECE_BYTES: usize = 1 << 10;

/// Appends a string as UTF-8; half of a pair becomes U+FFFD.
fn append_text(scope: &mut v8::PinScope<'_, '_>, text: v8::Local<'_, v8::String>, body: &mut BytesMut) {
    let view = v8::ValueView::new(scope, text);
    match view.data() {
        v8::ValueViewData::OneByte(bytes) if bytes.is_ascii() => body.put_slice(bytes),
        v8::ValueViewData::OneByte(bytes) => append_chars(bytes.iter().copied().map(char::from), body),
        v8::ValueViewData::TwoByte(units) => {
            let decoded = char::decode_utf16(units.iter().copied());
            append_chars(decoded.map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)), body);
        }
    }
}

fn append_chars(chars: impl Iterator<Item = char>, body: &mut BytesMut) {
    let mut piece = [0; PIECE_BYTES];
    let mut length = 0;
    for char in chars {
        if length + char.len_utf8() > PIECE_BYTES {
            body.put_slice(&piece[..length]);
            length = 0;
        }
        length += char.encode_utf8(&mut piece[length..]).len();
    }
    body.put_slice(&piece[..length]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_of_every_length_survive_the_end_of_a_piece() {
        for before in PIECE_BYTES - 4..=PIECE_BYTES {
            let text: String = "x".repeat(before) + "aé€😀z" + &"é😀".repeat(PIECE_BYTES);
            let mut body = BytesMut::new();
            append_chars(text.chars(), &mut body);
            assert_eq!(body, text.as_bytes());
        }
    }
}

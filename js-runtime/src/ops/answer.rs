//! Writes an answer: text as it lies in V8's heap, one op a flush.

use super::log::is_logged;
use super::shared;
use crate::exception;
use crate::isolate::response_buffer::ResponseBuffer;
use bytes::{BufMut, Bytes, BytesMut};
use deno_core::v8::simdutf;
use deno_core::{OpState, op2, v8};
use std::rc::Rc;
use vitrine_wire::{Headers, Outcome, ResponseHead};

fn response_buffer(state: &OpState, request: u32) -> Option<Rc<ResponseBuffer>> {
    shared(state).requests.borrow().get(&request).map(|running| Rc::clone(&running.buffer))
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
    if let Some(buffer) = response_buffer(state, request) {
        buffer.head(ResponseHead::new(status, read_headers(scope, headers)));
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
    if let Some(buffer) = response_buffer(state, request) {
        buffer.head(ResponseHead::new(status, read_headers(scope, headers)));
        buffer.body(|body| append_text(scope, text, body));
        buffer.end(Outcome::Ok, None);
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
    response_buffer(state, request).is_none_or(|buffer| buffer.body(|body| append_text(scope, text, body)))
}

/// Sends body bytes. Returns whether there is room for more.
#[op2(fast)]
pub fn op_answer_bytes(state: &OpState, request: u32, #[buffer] bytes: &[u8]) -> bool {
    response_buffer(state, request).is_none_or(|buffer| buffer.body(|body| body.put_slice(bytes)))
}

/// Ends an answer.
#[op2(fast)]
pub fn op_answer_end(state: &OpState, request: u32) {
    if let Some(buffer) = response_buffer(state, request) {
        buffer.end(Outcome::Ok, None);
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
    if !is_logged(scope, thrown, request) {
        shared.log_error(request, "", || error.clone());
    }
    if wrong_type {
        shared.wrong_type.set(true);
    }
    if let Some(buffer) = response_buffer(state, request) {
        buffer.end(Outcome::AppError, Some(error));
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

/// Appends a string as UTF-8; half of a pair becomes U+FFFD.
pub(super) fn append_text(
    scope: &mut v8::PinScope<'_, '_>,
    text: v8::Local<'_, v8::String>,
    body: &mut BytesMut,
) {
    let view = v8::ValueView::new(scope, text);
    match view.data() {
        v8::ValueViewData::OneByte(bytes) if bytes.is_ascii() => body.put_slice(bytes),
        v8::ValueViewData::OneByte(bytes) => append_latin1(bytes, body),
        v8::ValueViewData::TwoByte(units) => append_utf16(units, body),
    }
}

fn append_latin1(bytes: &[u8], body: &mut BytesMut) {
    let place = grow(body, simdutf::utf8_length_from_latin1(bytes));
    // SAFETY: the place is as long as what is written to it.
    unsafe { simdutf::convert_latin1_to_utf8(bytes, place) };
}

fn append_utf16(units: &[u16], body: &mut BytesMut) {
    let before = body.len();
    let place = grow(body, simdutf::utf8_length_from_utf16le(units));
    // SAFETY: the place is as long as what is written to it when every pair is whole; it writes nothing beyond that.
    let written = unsafe { simdutf::convert_utf16le_to_utf8(units, place) };
    if written == 0 {
        // Half of a pair.
        body.truncate(before);
        body.put_slice(String::from_utf16_lossy(units).as_bytes());
    }
}

/// Makes room at the end for exactly this many bytes.
fn grow(body: &mut BytesMut, bytes: usize) -> &mut [u8] {
    let before = body.len();
    body.resize(before + bytes, 0);
    &mut body[before..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(units: &[u16]) -> BytesMut {
        let mut body = BytesMut::from("before ");
        append_utf16(units, &mut body);
        body
    }

    #[test]
    fn text_of_every_character_length_becomes_utf_8_behind_what_is_there() {
        for before in 0..70 {
            let text: String = "x".repeat(before) + "aé€😀z" + &"é😀".repeat(before);
            let units: Vec<u16> = text.encode_utf16().collect();
            assert_eq!(utf16(&units), format!("before {text}"));
            let latin1: Vec<u8> = std::iter::repeat_n(b'x', before).chain([0xe9, b'a', 0xff]).collect();
            let mut body = BytesMut::from("before ");
            append_latin1(&latin1, &mut body);
            assert_eq!(body, format!("before {}éaÿ", "x".repeat(before)));
        }
    }

    #[test]
    fn half_of_a_pair_becomes_the_replacement_character() {
        for (at, half) in [(0, 0xd83d), (3, 0xde00), (5, 0xd83d)] {
            let mut units: Vec<u16> = "ab€cd".encode_utf16().collect();
            units.insert(at, half);
            assert_eq!(utf16(&units), format!("before {}", String::from_utf16_lossy(&units)));
        }
    }
}

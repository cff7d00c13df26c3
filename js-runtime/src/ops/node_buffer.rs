//! Bytes and text as the Buffer of Node.js has them. The names and numbers are those of the scripts in `deno_node/`.

use deno_core::convert::Uint8Array;
use deno_core::{op2, v8};
use deno_error::JsErrorBox;

/// The encodings that [`op_node_encoding_slice`] is given by number.
const UTF8: u8 = 0;
const LATIN1: u8 = 1;
const ASCII: u8 = 2;
const UTF16: u8 = 3;

/// Why a slice of bytes is no text.
#[derive(Debug, thiserror::Error, deno_error::JsError)]
pub enum SliceError {
    /// It would be longer than V8's strings.
    #[class(generic)]
    #[property("code" = "ERR_STRING_TOO_LONG")]
    #[error("Cannot create a string longer than 0x{:x} characters", v8::String::MAX_LENGTH)]
    TooLong,
    /// It lies outside of the bytes.
    #[class(range)]
    #[property("code" = "ERR_OUT_OF_RANGE")]
    #[error("Index out of range")]
    OutOfRange,
    /// An index is no number, or the encoding is unknown.
    #[class(type)]
    #[error("Invalid type")]
    InvalidType,
}

/// Keeps a buffer from being transferred.
#[op2(fast)]
pub fn op_mark_as_untransferable(scope: &mut v8::PinScope<'_, '_>, buffer: v8::Local<'_, v8::ArrayBuffer>) {
    if let Some(key) = v8::String::new(scope, "untransferable") {
        buffer.set_detach_key(key.into());
    }
}

/// Whether all bytes are ASCII.
#[op2(fast)]
pub fn op_is_ascii(#[buffer] bytes: &[u8]) -> bool {
    bytes.is_ascii()
}

/// Whether the bytes are UTF-8.
#[op2(fast)]
pub fn op_is_utf8(#[buffer] bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok()
}

/// The order of two byte strings: -1, 0 or 1.
#[op2(fast)]
#[smi]
pub fn op_node_buffer_compare(#[buffer] left: &[u8], #[buffer] right: &[u8]) -> i32 {
    left.cmp(right) as i32
}

/// The order of parts of two byte strings: -1, 0 or 1.
///
/// # Errors
/// A part lies outside of its bytes.
#[op2(fast)]
#[smi]
pub fn op_node_buffer_compare_offset(
    #[buffer] source: &[u8],
    #[buffer] target: &[u8],
    #[smi] source_start: usize,
    #[smi] target_start: usize,
    #[smi] source_end: usize,
    #[smi] target_end: usize,
) -> Result<i32, SliceError> {
    let source = source.get(source_start..source_end).ok_or(SliceError::OutOfRange)?;
    let target = target.get(target_start..target_end).ok_or(SliceError::OutOfRange)?;
    Ok(source.cmp(target) as i32)
}

/// The text of a part of some bytes.
///
/// # Errors
/// See [`SliceError`].
#[op2(reentrant)]
pub fn op_node_encoding_slice<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    view: v8::Local<'_, v8::ArrayBufferView>,
    start: v8::Local<'_, v8::Value>,
    end: v8::Local<'_, v8::Value>,
    encoding: u8,
) -> Result<v8::Local<'a, v8::String>, SliceError> {
    // Before the bytes are looked at: turning an object into a number runs code of the app, which may detach them.
    let start = index(scope, start)?.unwrap_or(0);
    let end = index(scope, end)?;
    let mut storage = [0; v8::TYPED_ARRAY_MAX_SIZE_IN_HEAP];
    let bytes = view.get_contents(&mut storage);
    let end = end.unwrap_or(bytes.len()).max(start);
    let bytes = bytes.get(start..end).ok_or(SliceError::OutOfRange)?;
    let normal = v8::NewStringType::Normal;
    let text = match encoding {
        UTF8 if bytes.is_ascii() => v8::String::new_from_one_byte(scope, bytes, normal),
        // V8 would replace malformed bytes by other rules than Node.js.
        UTF8 => v8::String::new_from_utf8(scope, String::from_utf8_lossy(bytes).as_bytes(), normal),
        LATIN1 => v8::String::new_from_one_byte(scope, bytes, normal),
        ASCII if bytes.is_ascii() => v8::String::new_from_one_byte(scope, bytes, normal),
        ASCII => {
            let masked: Vec<u8> = bytes.iter().map(|byte| byte & 0x7f).collect();
            v8::String::new_from_one_byte(scope, &masked, normal)
        }
        UTF16 => v8::String::new_from_two_byte(scope, &units(bytes), normal),
        _ => return Err(SliceError::InvalidType),
    };
    text.ok_or(SliceError::TooLong)
}

fn index(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::Value>,
) -> Result<Option<usize>, SliceError> {
    if value.is_undefined() {
        return Ok(None);
    }
    let number = value.integer_value(scope).ok_or(SliceError::InvalidType)?;
    usize::try_from(number).map(Some).map_err(|_| SliceError::OutOfRange)
}

/// The bytes in another encoding. What the other one has no byte for becomes a question mark.
///
/// # Errors
/// The bytes are not of their encoding, or there is no way from one to the other.
#[op2]
pub fn op_transcode(
    #[buffer] source: &[u8],
    #[string] from: &str,
    #[string] to: &str,
) -> Result<Uint8Array, JsErrorBox> {
    let bytes: Vec<u8> = match (from, to) {
        ("utf8", "ascii") => narrowed(source, '\u{7f}'),
        ("utf8", "latin1") => narrowed(source, '\u{ff}'),
        ("utf8", "utf16le") => {
            let text = std::str::from_utf8(source).map_err(|error| JsErrorBox::generic(error.to_string()))?;
            text.encode_utf16().flat_map(u16::to_le_bytes).collect()
        }
        ("utf16le", "utf8") => {
            let text = String::from_utf16(&units(source));
            text.map_err(|error| JsErrorBox::generic(error.to_string()))?.into_bytes()
        }
        ("latin1" | "ascii", "utf16le") => source.iter().flat_map(|byte| [*byte, 0]).collect(),
        _ => return Err(JsErrorBox::generic(format!("Unable to transcode Buffer {from}->{to}"))),
    };
    Ok(bytes.into())
}

/// The text with one byte a character; above `last` there is none.
fn narrowed(source: &[u8], last: char) -> Vec<u8> {
    let text = String::from_utf8_lossy(source);
    let byte = |char: char| u8::try_from(u32::from(char)).ok().filter(|_| char <= last);
    text.chars().map(|char| byte(char).unwrap_or(b'?')).collect()
}

/// The units of UTF-16 in the order of the wire; a byte that is left over is dropped.
fn units(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect()
}

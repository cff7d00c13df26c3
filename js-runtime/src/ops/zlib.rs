//! The codecs of `node:zlib`. `js/node/internal/zlib.js` calls them step by step: the watchdog can't interrupt an op, so one takes no more
//! than [`ZLIB_STEP_INPUT_BYTES`] and gives no more than [`ZLIB_STEP_OUTPUT_BYTES`].

mod brotli;
mod counted;
mod flate;

use crate::limits::isolate::{ZLIB_STEP_INPUT_BYTES, ZLIB_STEP_OUTPUT_BYTES};
use brotli::{Decoder, Encoder};
use deno_core::{GarbageCollected, OpState, op2, v8};
use deno_error::JsErrorBox;
use flate::Flate;
use std::cell::{Cell, RefCell};
use std::ffi::CStr;
use std::rc::Rc;

/// Numbers that a step answers with; those of zlib itself. Below zero something is wrong with the data, or the stream is.
mod status {
    pub const OK: i32 = 0;
    pub const END: i32 = 1;
    pub const NEEDS_DICTIONARY: i32 = 2;
    pub const STREAM_ERROR: i32 = -2;
    pub const DATA_ERROR: i32 = -3;
    pub const MEMORY_ERROR: i32 = -4;
    pub const BUFFER_ERROR: i32 = -5;
}

/// What one step did.
struct Step {
    consumed: usize,
    produced: usize,
    status: i32,
}

/// The formats.
enum Format {
    Flate(Flate),
    Encoder(Box<Encoder>),
    Decoder(Box<Decoder>),
}

impl Format {
    fn step(&mut self, flush: u8, input: &[u8], output: &mut [u8]) -> Step {
        match self {
            Self::Flate(flate) => flate.step(flush, input, output),
            Self::Encoder(encoder) => encoder.step(flush, input, output),
            Self::Decoder(decoder) => decoder.step(input, output),
        }
    }

    /// What the step that failed says of it.
    fn message(&self) -> String {
        match self {
            Self::Flate(flate) => flate.message().to_owned(),
            Self::Encoder(_) => String::new(),
            Self::Decoder(decoder) => decoder.message(),
        }
    }

    fn reset(&mut self) {
        match self {
            Self::Flate(flate) => flate.reset(),
            Self::Encoder(encoder) => encoder.reset(),
            Self::Decoder(decoder) => decoder.reset(),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Flate(flate) => flate.bytes(),
            Self::Encoder(encoder) => encoder.bytes(),
            Self::Decoder(decoder) => decoder.bytes(),
        }
    }

    /// Whether the input of a step may be a part of what it was given.
    fn takes_parts(&self, flush: u8) -> bool {
        !matches!(self, Self::Encoder(_) if flush == brotli::METADATA)
    }
}

/// Bytes of codecs that the collector has freed; the next op reports them to V8.
#[derive(Default, Clone)]
struct Freed(Rc<Cell<i64>>);

/// A codec that JavaScript holds. Its memory lies outside of V8's heap and counts for the isolate's limit.
pub struct Codec {
    format: RefCell<Option<Format>>,
    reported_bytes: Cell<i64>,
    freed: Freed,
}

// SAFETY: it refers to nothing of the heap.
unsafe impl GarbageCollected for Codec {
    fn trace(&self, _: &mut v8::cppgc::Visitor) {}

    fn get_name(&self) -> &'static CStr {
        c"Codec"
    }
}

impl Drop for Codec {
    fn drop(&mut self) {
        self.freed.0.set(self.freed.0.get() + self.reported_bytes.get());
    }
}

impl Codec {
    fn new(scope: &mut v8::PinScope<'_, '_>, state: &mut OpState, format: Format) -> Self {
        if !state.has::<Freed>() {
            state.put(Freed::default());
        }
        let freed = state.borrow::<Freed>().clone();
        let codec = Self { format: RefCell::new(Some(format)), reported_bytes: Cell::new(0), freed };
        codec.report(scope);
        codec
    }

    /// Tells V8 how much memory there is now.
    fn report(&self, scope: &mut v8::PinScope<'_, '_>) {
        let bytes = self.format.borrow().as_ref().map_or(0, Format::bytes);
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let change = bytes - self.reported_bytes.replace(bytes) - self.freed.0.take();
        if change != 0 {
            scope.adjust_amount_of_external_allocated_memory(change);
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Format) -> T) -> Result<T, JsErrorBox> {
        let mut format = self.format.borrow_mut();
        format.as_mut().map(act).ok_or_else(|| JsErrorBox::type_error("zlib binding closed"))
    }
}

/// A codec of deflate, in the mode that Node.js numbers so.
///
/// # Errors
/// A number is none of its kind.
#[op2]
#[cppgc]
pub fn op_zlib_flate(
    scope: &mut v8::PinScope<'_, '_>,
    state: &mut OpState,
    mode: i32,
    level: i32,
    window_bits: i32,
    memory_level: i32,
    strategy: i32,
    #[buffer] dictionary: Option<&[u8]>,
) -> Result<Codec, JsErrorBox> {
    let settings = flate::Settings::new(
        mode,
        level,
        window_bits,
        memory_level,
        strategy,
        dictionary.unwrap_or_default(),
    );
    let settings = settings.ok_or_else(|| JsErrorBox::type_error("zlib: an option is out of range"))?;
    Ok(Codec::new(scope, state, Format::Flate(Flate::new(settings))))
}

/// A Brotli encoder with the parameters by their numbers; one that is not set is `u32::MAX`.
///
/// # Errors
/// A parameter has a value that it can't have.
#[op2]
#[cppgc]
pub fn op_zlib_brotli_encoder(
    scope: &mut v8::PinScope<'_, '_>,
    state: &mut OpState,
    #[buffer] parameters: &[u32],
) -> Result<Codec, JsErrorBox> {
    let encoder = Encoder::new(parameters).ok_or_else(|| JsErrorBox::generic("Initialization failed"))?;
    Ok(Codec::new(scope, state, Format::Encoder(Box::new(encoder))))
}

/// A Brotli decoder.
#[op2]
#[cppgc]
pub fn op_zlib_brotli_decoder(scope: &mut v8::PinScope<'_, '_>, state: &mut OpState) -> Codec {
    Codec::new(scope, state, Format::Decoder(Box::new(Decoder::new())))
}

/// Works on a part of `input` into a part of `output`. `progress` becomes: bytes consumed, bytes produced, and whether the op is to be
/// called again for the rest of what it was given. Gives the status.
///
/// # Errors
/// The codec is closed, or a part lies outside of its bytes.
#[op2(nofast)]
pub fn op_zlib_step(
    scope: &mut v8::PinScope<'_, '_>,
    #[cppgc] codec: &Codec,
    #[smi] flush: u8,
    #[buffer] input: &[u8],
    #[smi] input_start: usize,
    #[smi] input_length: usize,
    #[buffer] output: &mut [u8],
    #[smi] output_start: usize,
    #[smi] output_length: usize,
    #[buffer] progress: &mut [u32],
) -> Result<i32, JsErrorBox> {
    let outside = || JsErrorBox::range_error("zlib: the part lies outside of its buffer");
    if overlap(input, output) {
        return Err(JsErrorBox::type_error("zlib: input and output must be different buffers"));
    }
    let end = |start: usize, length: usize| start.checked_add(length).ok_or_else(outside);
    let input = input.get(input_start..end(input_start, input_length)?).ok_or_else(outside)?;
    let output = output.get_mut(output_start..end(output_start, output_length)?).ok_or_else(outside)?;
    let output_part = output.len().min(ZLIB_STEP_OUTPUT_BYTES);
    let (step, input_part) = codec.with(|format| {
        let whole = !format.takes_parts(flush) || input.len() <= ZLIB_STEP_INPUT_BYTES;
        let input_part = if whole { input.len() } else { ZLIB_STEP_INPUT_BYTES };
        // What is asked of the end of the input comes with its last part.
        let flush = if whole { flush } else { 0 };
        (format.step(flush, &input[..input_part], &mut output[..output_part]), input_part)
    })?;
    let Step { consumed, produced, status } = step;
    let more_output = output_part < output.len() && produced == output_part;
    let more_input = input_part < input.len() && consumed == input_part && produced < output.len();
    let is_well = matches!(status, status::OK | status::END | status::BUFFER_ERROR);
    let again = is_well && (more_output || more_input);
    let [in_bytes, out_bytes, go_on, ..] = progress else { return Err(outside()) };
    *in_bytes = u32::try_from(consumed).unwrap_or(u32::MAX);
    *out_bytes = u32::try_from(produced).unwrap_or(u32::MAX);
    *go_on = again.into();
    codec.report(scope);
    Ok(status)
}

fn overlap(one: &[u8], other: &[u8]) -> bool {
    let (one, other) = (one.as_ptr_range(), other.as_ptr_range());
    one.start < other.end && other.start < one.end
}

/// What the step that failed says of it.
///
/// # Errors
/// The codec is closed.
#[op2]
#[string]
pub fn op_zlib_message(#[cppgc] codec: &Codec) -> Result<String, JsErrorBox> {
    codec.with(|format| format.message())
}

/// Begins another stream with the same settings.
///
/// # Errors
/// The codec is closed.
#[op2(nofast)]
pub fn op_zlib_reset(scope: &mut v8::PinScope<'_, '_>, #[cppgc] codec: &Codec) -> Result<(), JsErrorBox> {
    codec.with(Format::reset)?;
    codec.report(scope);
    Ok(())
}

/// Compresses what follows by another level, where the codec can change it in a stream that has begun.
///
/// # Errors
/// The codec is closed.
#[op2(fast)]
pub fn op_zlib_set_level(#[cppgc] codec: &Codec, #[smi] level: i32) -> Result<(), JsErrorBox> {
    codec.with(|format| {
        if let Format::Flate(flate) = format {
            flate.set_level(level)
        }
    })
}

/// Leaves what follows the first member of a gzip file unread.
///
/// # Errors
/// The codec is closed.
#[op2(fast)]
pub fn op_zlib_one_member(#[cppgc] codec: &Codec) -> Result<(), JsErrorBox> {
    codec.with(|format| {
        if let Format::Flate(flate) = format {
            flate.take_one_member()
        }
    })
}

/// Frees the codec's memory.
#[op2(nofast)]
pub fn op_zlib_close(scope: &mut v8::PinScope<'_, '_>, #[cppgc] codec: &Codec) {
    codec.format.take();
    codec.report(scope);
}

/// The CRC-32 of the bytes, going on from that of what stands before them.
#[op2(fast)]
pub fn op_zlib_crc32(#[buffer] bytes: &[u8], start: u32) -> u32 {
    zlib_rs::crc32::crc32(start, bytes)
}

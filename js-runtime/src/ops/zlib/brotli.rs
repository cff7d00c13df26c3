//! Brotli, with memory that is counted.

use super::counted::Counting;
use super::{Step, status};
use crate::limits::isolate::{BROTLI_BLOCK_BITS_MAX, BROTLI_QUALITY_MAX, BROTLI_WINDOW_BITS_MAX};
use brotli::enc::encode::{BrotliEncoderOperation, BrotliEncoderParameter, BrotliEncoderStateStruct};
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState};

/// The operation that writes metadata, which must be given whole.
pub const METADATA: u8 = 3;

/// The parameters by their numbers.
const PARAMETERS: [BrotliEncoderParameter; 6] = [
    BrotliEncoderParameter::BROTLI_PARAM_MODE,
    BrotliEncoderParameter::BROTLI_PARAM_QUALITY,
    BrotliEncoderParameter::BROTLI_PARAM_LGWIN,
    BrotliEncoderParameter::BROTLI_PARAM_LGBLOCK,
    BrotliEncoderParameter::BROTLI_PARAM_DISABLE_LITERAL_CONTEXT_MODELING,
    BrotliEncoderParameter::BROTLI_PARAM_SIZE_HINT,
];
const QUALITY: usize = 1;
const WINDOW: usize = 2;
const BLOCK: usize = 3;

/// A compressor.
pub struct Encoder {
    parameters: Vec<Option<u32>>,
    state: BrotliEncoderStateStruct<Counting>,
    counting: Counting,
}

impl Encoder {
    /// Nothing if a parameter has a value that it can't have.
    pub fn new(parameters: &[u32]) -> Option<Self> {
        let given = |at: usize| parameters.get(at).copied().filter(|value| *value != u32::MAX);
        let mut parameters: Vec<Option<u32>> = (0..PARAMETERS.len()).map(given).collect();
        if parameters[WINDOW].is_some_and(|bits| bits > BROTLI_WINDOW_BITS_MAX) {
            return None;
        }
        let quality = parameters[QUALITY].unwrap_or(BROTLI_QUALITY_MAX);
        parameters[QUALITY] = Some(quality.min(BROTLI_QUALITY_MAX));
        // The encoder compresses a block in one go, and would take larger ones.
        let block = parameters[BLOCK].filter(|bits| *bits != 0).unwrap_or(BROTLI_BLOCK_BITS_MAX);
        parameters[BLOCK] = Some(block.min(BROTLI_BLOCK_BITS_MAX));
        let counting = Counting::default();
        let state = encoder(&parameters, &counting)?;
        Some(Self { parameters, state, counting })
    }

    pub fn reset(&mut self) {
        if let Some(state) = encoder(&self.parameters, &self.counting) {
            self.state = state;
        }
    }

    pub fn bytes(&self) -> usize {
        self.counting.bytes() + size_of::<Self>()
    }

    pub fn step(&mut self, flush: u8, input: &[u8], output: &mut [u8]) -> Step {
        let operation = match flush {
            0 => BrotliEncoderOperation::BROTLI_OPERATION_PROCESS,
            1 => BrotliEncoderOperation::BROTLI_OPERATION_FLUSH,
            2 => BrotliEncoderOperation::BROTLI_OPERATION_FINISH,
            _ => BrotliEncoderOperation::BROTLI_OPERATION_EMIT_METADATA,
        };
        let (mut consumed, mut produced) = (0, 0);
        let is_well = self.state.compress_stream(
            operation,
            &mut input.len(),
            input,
            &mut consumed,
            &mut output.len(),
            output,
            &mut produced,
            &mut None,
            &mut |_, _, _, _| (),
        );
        Step { consumed, produced, status: if is_well { status::OK } else { status::STREAM_ERROR } }
    }
}

fn encoder(parameters: &[Option<u32>], counting: &Counting) -> Option<BrotliEncoderStateStruct<Counting>> {
    let mut state = BrotliEncoderStateStruct::new(counting.clone());
    let set = |(parameter, value): (BrotliEncoderParameter, &Option<u32>)| {
        value.is_none_or(|value| state.set_parameter(parameter, value))
    };
    PARAMETERS.into_iter().zip(parameters).all(set).then_some(state)
}

/// A decompressor.
pub struct Decoder {
    state: BrotliState<Counting, Counting, Counting>,
    counting: Counting,
}

impl Decoder {
    pub fn new() -> Self {
        let counting = Counting::default();
        Self { state: decoder(&counting), counting }
    }

    pub fn reset(&mut self) {
        self.state = decoder(&self.counting);
    }

    pub fn bytes(&self) -> usize {
        self.counting.bytes() + size_of::<Self>()
    }

    /// The error by its name in Brotli.
    pub fn message(&self) -> String {
        format!("{:?}", self.state.error_code)
    }

    pub fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        let (mut consumed, mut produced, mut total) = (0, 0, 0);
        let result = BrotliDecompressStream(
            &mut input.len(),
            &mut consumed,
            input,
            &mut output.len(),
            &mut produced,
            output,
            &mut total,
            &mut self.state,
        );
        let status = match result {
            BrotliResult::ResultSuccess => status::END,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => status::OK,
            BrotliResult::ResultFailure => self.state.error_code as i32,
        };
        Step { consumed, produced, status }
    }
}

fn decoder(counting: &Counting) -> BrotliState<Counting, Counting, Counting> {
    BrotliState::new_strict(counting.clone(), counting.clone(), counting.clone())
}

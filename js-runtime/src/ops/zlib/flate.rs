//! Deflate: raw, with the header of zlib, and with that of gzip.

use super::{Step, status};
use crate::limits::isolate::{DEFLATE_BYTES, INFLATE_BYTES};
use zlib_rs::{
    Deflate, DeflateConfig, DeflateFlush, Inflate, InflateError, InflateFlush, Method, Status, Strategy,
};

/// First byte of a gzip file.
const GZIP_MAGIC: u8 = 0x1f;
/// What is added to the bits of the window for gzip, and for what may be either.
const GZIP_BITS: i32 = 16;
const EITHER_BITS: i32 = 32;
const WINDOW_BITS_MAX: i32 = 15;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Deflate,
    Inflate,
    Gzip,
    Gunzip,
    DeflateRaw,
    InflateRaw,
    Unzip,
}

/// What a codec is made with.
pub struct Settings {
    mode: Mode,
    level: i32,
    window_bits: i32,
    memory_level: i32,
    strategy: Strategy,
    dictionary: Vec<u8>,
}

impl Settings {
    /// Nothing if a number is none of its kind.
    pub fn new(
        mode: i32,
        level: i32,
        window_bits: i32,
        memory_level: i32,
        strategy: i32,
        dictionary: &[u8],
    ) -> Option<Self> {
        let mode = match mode {
            1 => Mode::Deflate,
            2 => Mode::Inflate,
            3 => Mode::Gzip,
            4 => Mode::Gunzip,
            5 => Mode::DeflateRaw,
            6 => Mode::InflateRaw,
            7 => Mode::Unzip,
            _ => return None,
        };
        let inflates_any = matches!(mode, Mode::Inflate | Mode::Gunzip | Mode::Unzip);
        let window_bits = if window_bits == 0 && inflates_any { WINDOW_BITS_MAX } else { window_bits };
        let in_range = (8..=WINDOW_BITS_MAX).contains(&window_bits)
            && (-1..=9).contains(&level)
            && (1..=9).contains(&memory_level);
        let strategy = Strategy::try_from(strategy).ok().filter(|_| in_range)?;
        Some(Self { mode, level, window_bits, memory_level, strategy, dictionary: dictionary.to_vec() })
    }

    fn state(&self) -> State {
        match self.mode {
            Mode::Deflate | Mode::DeflateRaw | Mode::Gzip => State::Deflate(self.deflate()),
            Mode::Inflate | Mode::Gunzip | Mode::InflateRaw | Mode::Unzip => State::Inflate(self.inflate()),
        }
    }

    fn deflate(&self) -> Deflate {
        // zlib itself can't compress with the smallest window and takes the next one.
        let bits = self.window_bits.max(9);
        let window_bits = match self.mode {
            Mode::DeflateRaw => -bits,
            Mode::Gzip => bits + GZIP_BITS,
            _ => bits,
        };
        let mut deflate = Deflate::new_with_config(DeflateConfig {
            level: self.level,
            method: Method::Deflated,
            window_bits,
            mem_level: self.memory_level,
            strategy: self.strategy,
        });
        if !self.dictionary.is_empty() {
            // gzip has no place for one, and compresses without it.
            let _ = deflate.set_dictionary(&self.dictionary);
        }
        deflate
    }

    fn inflate(&self) -> Inflate {
        let bits = match self.mode {
            Mode::Gunzip => self.window_bits + GZIP_BITS,
            Mode::Unzip => self.window_bits + EITHER_BITS,
            _ => self.window_bits,
        };
        let mut inflate = Inflate::new(self.mode != Mode::InflateRaw, u8::try_from(bits).unwrap_or(u8::MAX));
        if self.mode == Mode::InflateRaw && !self.dictionary.is_empty() {
            // One that is too long is cut by zlib.
            let _ = inflate.set_dictionary(&self.dictionary);
        }
        inflate
    }
}

enum State {
    Deflate(Deflate),
    Inflate(Inflate),
}

/// A codec of deflate.
pub struct Flate {
    settings: Settings,
    state: State,
    is_gzip: bool,
    has_begun: bool,
    takes_one_member: bool,
}

impl Flate {
    pub fn new(settings: Settings) -> Self {
        let state = settings.state();
        let is_gzip = settings.mode == Mode::Gunzip;
        Self { settings, state, is_gzip, has_begun: false, takes_one_member: false }
    }

    pub fn reset(&mut self) {
        self.state = self.settings.state();
        self.is_gzip = self.settings.mode == Mode::Gunzip;
        self.has_begun = false;
    }

    pub fn take_one_member(&mut self) {
        self.takes_one_member = true;
    }

    pub fn set_level(&mut self, level: i32) {
        if let State::Deflate(deflate) = &mut self.state {
            // A level of another kind of search needs room for output; the stream then keeps its own.
            let _ = deflate.set_level(level);
        }
    }

    pub fn bytes(&self) -> usize {
        let state = match self.state {
            State::Deflate(_) => DEFLATE_BYTES,
            State::Inflate(_) => INFLATE_BYTES,
        };
        state + self.settings.dictionary.len()
    }

    pub fn message(&self) -> &'static str {
        let message = match &self.state {
            State::Deflate(deflate) => deflate.error_message(),
            State::Inflate(inflate) => inflate.error_message(),
        };
        message.unwrap_or_default()
    }

    pub fn step(&mut self, flush: u8, input: &[u8], output: &mut [u8]) -> Step {
        match &mut self.state {
            State::Deflate(deflate) => compress(deflate, flush, input, output),
            State::Inflate(_) => self.decompress_members(flush, input, output),
        }
    }

    /// A gzip file may have several members, one behind the other.
    fn decompress_members(&mut self, flush: u8, input: &[u8], output: &mut [u8]) -> Step {
        if let Some(first) = input.first().filter(|_| !self.has_begun) {
            self.has_begun = true;
            self.is_gzip |= self.settings.mode == Mode::Unzip && *first == GZIP_MAGIC;
        }
        let mut whole = Step { consumed: 0, produced: 0, status: status::OK };
        loop {
            let State::Inflate(inflate) = &mut self.state else { return whole };
            let step = decompress(
                inflate,
                flush,
                &input[whole.consumed..],
                &mut output[whole.produced..],
                &self.settings.dictionary,
            );
            whole.consumed += step.consumed;
            whole.produced += step.produced;
            whole.status = step.status;
            let has_next = input.get(whole.consumed).is_some_and(|byte| *byte != 0);
            let goes_on = self.is_gzip && !self.takes_one_member && step.status == status::END && has_next;
            if !goes_on {
                return whole;
            }
            self.state = self.settings.state();
        }
    }
}

fn compress(deflate: &mut Deflate, flush: u8, input: &[u8], output: &mut [u8]) -> Step {
    let flush = match flush {
        0 => DeflateFlush::NoFlush,
        1 => DeflateFlush::PartialFlush,
        2 => DeflateFlush::SyncFlush,
        3 => DeflateFlush::FullFlush,
        4 => DeflateFlush::Finish,
        _ => DeflateFlush::Block,
    };
    let (total_in, total_out) = (deflate.total_in(), deflate.total_out());
    let status = match deflate.compress(input, output, flush) {
        Ok(status) => number(status),
        Err(_) => status::STREAM_ERROR,
    };
    step(deflate.total_in() - total_in, deflate.total_out() - total_out, status)
}

fn decompress(inflate: &mut Inflate, flush: u8, input: &[u8], output: &mut [u8], dictionary: &[u8]) -> Step {
    let mode = match flush {
        0 => InflateFlush::NoFlush,
        4 => InflateFlush::Finish,
        5 => InflateFlush::Block,
        _ => InflateFlush::SyncFlush,
    };
    let (total_in, total_out) = (inflate.total_in(), inflate.total_out());
    let mut result = inflate.decompress(input, output, mode);
    if matches!(result, Err(InflateError::NeedDict { .. })) && !dictionary.is_empty() {
        let consumed = usize::try_from(inflate.total_in() - total_in).unwrap_or(input.len());
        if inflate.set_dictionary(dictionary).is_ok() {
            result = inflate.decompress(&input[consumed..], output, mode);
        }
    }
    let status = match result {
        Ok(status) => number(status),
        Err(InflateError::NeedDict { .. }) => status::NEEDS_DICTIONARY,
        Err(InflateError::StreamError) => status::STREAM_ERROR,
        Err(InflateError::DataError) => status::DATA_ERROR,
        Err(InflateError::MemError) => status::MEMORY_ERROR,
    };
    step(inflate.total_in() - total_in, inflate.total_out() - total_out, status)
}

fn number(status: Status) -> i32 {
    match status {
        Status::Ok => status::OK,
        Status::StreamEnd => status::END,
        Status::BufError => status::BUFFER_ERROR,
    }
}

fn step(consumed: u64, produced: u64, status: i32) -> Step {
    // Both are parts of slices.
    let bytes = |count| usize::try_from(count).unwrap_or(usize::MAX);
    Step { consumed: bytes(consumed), produced: bytes(produced), status }
}

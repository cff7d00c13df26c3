//! Compresses what apps answer while it is sent: in the coding that the client prefers, flushed with each piece, so that what an app
//! has streamed is never held back.

#[cfg(test)]
mod tests;

use super::negotiate::{encoding_name, weight};
use super::shared_caches::forbids_transforms;
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    HeaderMap, HeaderName, VARY,
};
use http::{HeaderValue, StatusCode};
use std::cell::RefCell;
use std::io::{self, Write as _};
use vitrine_bundle::Encoding;
use vitrine_core::limits::{COMPRESSED_BYTES_MIN, COMPRESSION_WINDOW_BITS};
use vitrine_proxy::app_places::AppPlace;
use zstd::zstd_safe::CParameter;

/// Preference among codings that the client gives the same weight. An 80 kB page in 9.4 kB takes zstd 52 us, in 9.3 kB br 255 us, in
/// 10.9 kB gzip 179 us.
const CODINGS: [Encoding; 3] = [Encoding::Zstd, Encoding::Br, Encoding::Gzip];
/// How hard the encoders try. One level more takes zstd 12 % longer, br 45 % and gzip 20 %, for 0.1 %, 5 % and 2 % fewer bytes; br's
/// takes twice the memory, too.
const ZSTD_LEVEL: i32 = 1;
const BROTLI_QUALITY: u32 = 3;
const GZIP_LEVEL: u32 = 3;
/// Media types besides `text/`, and ends of media types, whose content is text or compresses as well as text.
const COMPRESSIBLE: [&str; 6] = [
    "application/javascript",
    "application/json",
    "application/wasm",
    "application/xml",
    "font/ttf",
    "image/svg+xml",
];
const COMPRESSIBLE_SUFFIXES: [&str; 3] = ["+json", "+xml", "-javascript"];
/// Sent as events happen, and read by proxies that wait for whole blocks of a coding.
const EVENT_STREAM: &str = "text/event-stream";
/// Digests of the bytes that the app sent, which a signature may be about: they stay as they are.
const DIGESTS: [HeaderName; 4] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("repr-digest"),
];

/// The coding to send an answer in. `bytes` is its length, where that is known. An answer that is compressed for others says so in `vary`,
/// also when this client gets it as it is.
pub(crate) fn negotiate(
    asked: &HeaderMap,
    status: StatusCode,
    headers: &mut HeaderMap,
    bytes: Option<u64>,
) -> Option<Encoding> {
    if !may_be_compressed(status, headers) || bytes.is_some_and(|bytes| bytes < COMPRESSED_BYTES_MIN) {
        return None;
    }
    vary(headers);
    preferred(asked)
}

/// What the headers of an answer say that is sent in a coding.
pub(crate) fn declare(encoding: Encoding, headers: &mut HeaderMap) {
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding_name(encoding)));
    // They are about the plain bytes.
    [ACCEPT_RANGES, CONTENT_LENGTH].iter().for_each(|name| drop(headers.remove(name)));
    weaken(headers);
}

/// What the headers of a 304 say where the client may have the answer in a coding.
pub(crate) fn declare_unmodified(headers: &mut HeaderMap) {
    vary(headers);
    weaken(headers);
}

fn vary(headers: &mut HeaderMap) {
    if !headers.get_all(VARY).iter().any(names_the_coding) {
        headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    }
}

fn names_the_coding(vary: &HeaderValue) -> bool {
    let names = vary.to_str().unwrap_or_default().split(',').map(str::trim);
    names.into_iter().any(|name| name == "*" || name.eq_ignore_ascii_case("accept-encoding"))
}

fn may_be_compressed(status: StatusCode, headers: &HeaderMap) -> bool {
    let has_whole_body = !matches!(
        status,
        StatusCode::NO_CONTENT
            | StatusCode::RESET_CONTENT
            | StatusCode::PARTIAL_CONTENT
            | StatusCode::NOT_MODIFIED
    );
    has_whole_body
        && !headers.contains_key(CONTENT_ENCODING)
        && !headers.contains_key(CONTENT_RANGE)
        && !DIGESTS.iter().any(|name| headers.contains_key(name))
        && !forbids_transforms(headers)
        && headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(is_compressible)
}

fn is_compressible(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let begins = |with: &str| essence.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    let ends = |with: &str| {
        let start = essence.len().checked_sub(with.len());
        start.and_then(|at| essence.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(with))
    };
    !essence.eq_ignore_ascii_case(EVENT_STREAM)
        && (begins("text/")
            || COMPRESSIBLE.iter().any(|known| essence.eq_ignore_ascii_case(known))
            || COMPRESSIBLE_SUFFIXES.iter().any(|suffix| ends(suffix)))
}

/// RFC 9110, 12.5.3: the coding with the highest weight, unless the plain answer has a higher one.
fn preferred(asked: &HeaderMap) -> Option<Encoding> {
    if !asked.contains_key(ACCEPT_ENCODING) {
        return None;
    }
    let plain = weight(asked, "identity", false).unwrap_or(0);
    let weighed =
        CODINGS.map(|encoding| (encoding, weight(asked, encoding_name(encoding), true).unwrap_or(0)));
    let best = weighed.iter().map(|(_, weight)| *weight).max().filter(|best| *best > 0 && *best >= plain)?;
    weighed.into_iter().find_map(|(encoding, weight)| (weight == best).then_some(encoding))
}

/// RFC 9110, 8.8.1: two codings of one content are not the same bytes, so they may share a weak validator only.
fn weaken(headers: &mut HeaderMap) {
    let strong = headers.get(ETAG).filter(|tag| !tag.as_bytes().starts_with(b"W/"));
    let weak = strong.and_then(|tag| HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()).ok());
    if let Some(weak) = weak {
        headers.insert(ETAG, weak);
    }
}

thread_local! {
    /// Its tables are made once a thread: a page of 60 kB is compressed in less time than that takes.
    static ZSTD: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
}

/// Compresses an answer that is at hand.
pub(crate) fn whole(encoding: Encoding, plain: &[u8]) -> io::Result<Bytes> {
    if encoding != Encoding::Zstd {
        let mut encoder = Encoder::begin(encoding)?;
        encoder.write(plain)?;
        return encoder.finish();
    }
    ZSTD.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            none => {
                let compressor = none.insert(zstd::bulk::Compressor::new(ZSTD_LEVEL)?);
                compressor.set_parameter(CParameter::WindowLog(COMPRESSION_WINDOW_BITS))?;
                compressor
            }
        };
        compressor.compress(plain).map(Bytes::from)
    })
}

/// Compresses one answer, piece by piece.
#[derive(Debug)]
pub(crate) struct StreamEncoder {
    encoder: Encoder,
    _place: AppPlace,
}

impl StreamEncoder {
    /// For an answer that has a place.
    pub(crate) fn begin(encoding: Encoding, place: AppPlace) -> io::Result<Self> {
        Ok(Self { encoder: Encoder::begin(encoding)?, _place: place })
    }

    /// The bytes that a client needs to read this piece whole.
    pub(crate) fn piece(&mut self, plain: &[u8]) -> io::Result<Bytes> {
        self.encoder.write(plain)?;
        self.encoder.flush()
    }

    /// The last bytes, behind those of the last piece.
    pub(crate) fn finish(mut self, last: &[u8]) -> io::Result<Bytes> {
        self.encoder.write(last)?;
        self.encoder.finish()
    }
}

enum Encoder {
    Br(Box<brotli::CompressorWriter<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    Gzip(flate2::write::GzEncoder<Vec<u8>>),
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Br(_) => "Br",
            Self::Zstd(_) => "Zstd",
            Self::Gzip(_) => "Gzip",
        })
    }
}

impl Encoder {
    fn begin(encoding: Encoding) -> io::Result<Self> {
        Ok(match encoding {
            Encoding::Br => {
                let buffer = 4096;
                Self::Br(Box::new(brotli::CompressorWriter::new(
                    Vec::new(),
                    buffer,
                    BROTLI_QUALITY,
                    COMPRESSION_WINDOW_BITS,
                )))
            }
            Encoding::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
                encoder.window_log(COMPRESSION_WINDOW_BITS)?;
                Self::Zstd(encoder)
            }
            Encoding::Gzip => {
                let level = flate2::Compression::new(GZIP_LEVEL);
                Self::Gzip(flate2::write::GzEncoder::new(Vec::new(), level))
            }
        })
    }

    fn write(&mut self, plain: &[u8]) -> io::Result<()> {
        match self {
            Self::Br(encoder) => encoder.write_all(plain),
            Self::Zstd(encoder) => encoder.write_all(plain),
            Self::Gzip(encoder) => encoder.write_all(plain),
        }
    }

    fn flush(&mut self) -> io::Result<Bytes> {
        let written = match self {
            Self::Br(encoder) => {
                encoder.flush()?;
                encoder.get_mut()
            }
            Self::Zstd(encoder) => {
                encoder.flush()?;
                encoder.get_mut()
            }
            Self::Gzip(encoder) => {
                encoder.flush()?;
                encoder.get_mut()
            }
        };
        Ok(std::mem::take(written).into())
    }

    fn finish(self) -> io::Result<Bytes> {
        Ok(match self {
            Self::Br(encoder) => encoder.into_inner(),
            Self::Zstd(encoder) => encoder.finish()?,
            Self::Gzip(encoder) => encoder.finish()?,
        }
        .into())
    }
}

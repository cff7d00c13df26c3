//! Frames to bytes and back.
//!
//! ```text
//! 0        4      5      6        8         12
//! | length | kind | zero | zero   | stream  | payload, `length` bytes |
//! ```
//! Little-endian. The decoder allocates nothing for a frame whose header is not acceptable, never panics, and an
//! error ends the connection: there is no way to find the next frame after a broken one.

use crate::limits::{
    BODY_FRAME_BYTES_MAX, FRAME_BYTES_MAX, HEAD_BYTES_MAX, HEADERS_MAX, LOG_LINES_MAX, REASON_BYTES_MAX,
};
use crate::{Frame, Headers};
use bytes::{Buf, BufMut, BytesMut};
use serde::{Serialize, de::DeserializeOwned};
use tokio_util::codec::{Decoder, Encoder};

/// Bytes before the payload.
pub const HEADER_BYTES: usize = 12;

const HELLO: u8 = 1;
const REQUEST: u8 = 2;
const EGRESS: u8 = 3;
const RESPONSE: u8 = 4;
const BODY: u8 = 5;
const BODY_END: u8 = 6;
const DONE: u8 = 7;
const CANCEL: u8 = 8;
const CREDIT: u8 = 9;
const PURGE: u8 = 10;
const START: u8 = 16;
const READY: u8 = 17;
const BOOT_FAILED: u8 = 18;
const LOG: u8 = 19;
const PING: u8 = 20;
const PONG: u8 = 21;
const FREEZE: u8 = 22;
const THAW: u8 = 23;
const FROZEN: u8 = 24;
const DRAIN: u8 = 25;
const DRAINED: u8 = 26;
const TAKE_SNAPSHOT: u8 = 29;
const SNAPSHOT_PIECE: u8 = 30;

/// Why bytes are not a frame, or a frame can't become bytes.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The header claims more than `FRAME_BYTES_MAX`, or a body piece more than `BODY_FRAME_BYTES_MAX`.
    #[error("a frame of kind {kind} claims {length} bytes")]
    TooLong {
        /// Kind byte.
        kind: u8,
        /// Claimed or actual payload length.
        length: usize,
    },
    /// A kind that this build does not know.
    #[error("unknown frame kind {0}")]
    Kind(u8),
    /// The two reserved bytes or the stream number are not what the kind asks for.
    #[error("a frame of kind {0} has a malformed header")]
    Header(u8),
    /// The payload does not decode, or bytes are left over.
    #[error("the payload of a frame of kind {kind} does not decode")]
    Payload {
        /// Kind byte.
        kind: u8,
        /// What the decoder found.
        #[source]
        source: postcard::Error,
    },
    /// More headers or log lines than allowed, or more bytes of headers.
    #[error("a frame of kind {0} holds too many entries")]
    TooMany(u8),
    /// The socket failed.
    #[error("the connection failed")]
    Io(#[from] std::io::Error),
}

/// Codec for `tokio_util::codec::Framed`.
#[derive(Debug, Default, Clone, Copy)]
pub struct Codec;

impl Encoder<Frame> for Codec {
    type Error = DecodeError;

    fn encode(&mut self, frame: Frame, out: &mut BytesMut) -> Result<(), DecodeError> {
        match &frame {
            Frame::Hello(payload) => structured(out, HELLO, 0, payload),
            Frame::Request(stream, payload) => structured(out, REQUEST, *stream, payload),
            Frame::Egress(stream, payload) => structured(out, EGRESS, *stream, payload),
            Frame::Response(stream, payload) => structured(out, RESPONSE, *stream, payload),
            Frame::Body(stream, data) => body(out, *stream, data),
            Frame::BodyEnd(stream) => empty(out, BODY_END, *stream),
            Frame::Done(stream, payload) => structured(out, DONE, *stream, payload),
            Frame::Cancel(stream, payload) => structured(out, CANCEL, *stream, payload),
            Frame::Credit(stream, payload) => structured(out, CREDIT, *stream, payload),
            Frame::Purge(stream, payload) => structured(out, PURGE, *stream, payload),
            Frame::Start(payload) => structured(out, START, 0, payload),
            Frame::Ready(payload) => structured(out, READY, 0, payload),
            Frame::BootFailed(payload) => structured(out, BOOT_FAILED, 0, payload),
            Frame::Log(payload) => structured(out, LOG, 0, payload),
            Frame::Ping(payload) => structured(out, PING, 0, payload),
            Frame::Pong(payload) => structured(out, PONG, 0, payload),
            Frame::Freeze => empty(out, FREEZE, 0),
            Frame::Thaw => empty(out, THAW, 0),
            Frame::Frozen(payload) => structured(out, FROZEN, 0, payload),
            Frame::Drain(payload) => structured(out, DRAIN, 0, payload),
            Frame::Drained => empty(out, DRAINED, 0),
            Frame::TakeSnapshot(payload) => structured(out, TAKE_SNAPSHOT, 0, payload),
            Frame::SnapshotPiece(payload) => structured(out, SNAPSHOT_PIECE, 0, payload),
        }
    }
}

impl Decoder for Codec {
    type Item = Frame;
    type Error = DecodeError;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Frame>, DecodeError> {
        if bytes.len() < HEADER_BYTES {
            return Ok(None);
        }
        let mut header = &bytes[..HEADER_BYTES];
        let length = header.get_u32_le() as usize;
        let kind = header.get_u8();
        let reserved = header.get_uint_le(3);
        let stream = header.get_u32_le();
        check_header(kind, length, reserved, stream)?;
        if bytes.len() < HEADER_BYTES + length {
            bytes.reserve(HEADER_BYTES + length - bytes.len());
            return Ok(None);
        }
        bytes.advance(HEADER_BYTES);
        let payload = bytes.split_to(length);
        parse(kind, stream, payload).map(Some)
    }
}

fn check_header(kind: u8, length: usize, reserved: u64, stream: u32) -> Result<(), DecodeError> {
    let on_stream = match kind {
        REQUEST..=PURGE => true,
        HELLO | START..=SNAPSHOT_PIECE => false,
        _ => return Err(DecodeError::Kind(kind)),
    };
    let length_max = if kind == BODY { BODY_FRAME_BYTES_MAX } else { FRAME_BYTES_MAX };
    if length > length_max {
        return Err(DecodeError::TooLong { kind, length });
    }
    if reserved != 0 || on_stream != (stream != 0) {
        return Err(DecodeError::Header(kind));
    }
    Ok(())
}

fn parse(kind: u8, stream: u32, payload: BytesMut) -> Result<Frame, DecodeError> {
    let frame = match kind {
        HELLO => Frame::Hello(read(kind, &payload)?),
        REQUEST => Frame::Request(stream, read(kind, &payload)?),
        EGRESS => Frame::Egress(stream, read(kind, &payload)?),
        RESPONSE => Frame::Response(stream, read(kind, &payload)?),
        BODY => Frame::Body(stream, payload.freeze()),
        BODY_END => nothing(kind, &payload, Frame::BodyEnd(stream))?,
        DONE => Frame::Done(stream, read(kind, &payload)?),
        CANCEL => Frame::Cancel(stream, read(kind, &payload)?),
        CREDIT => Frame::Credit(stream, read(kind, &payload)?),
        PURGE => Frame::Purge(stream, read(kind, &payload)?),
        START => Frame::Start(read(kind, &payload)?),
        READY => Frame::Ready(read(kind, &payload)?),
        BOOT_FAILED => Frame::BootFailed(read(kind, &payload)?),
        LOG => Frame::Log(read(kind, &payload)?),
        PING => Frame::Ping(read(kind, &payload)?),
        PONG => Frame::Pong(read(kind, &payload)?),
        FREEZE => nothing(kind, &payload, Frame::Freeze)?,
        THAW => nothing(kind, &payload, Frame::Thaw)?,
        FROZEN => Frame::Frozen(read(kind, &payload)?),
        DRAIN => Frame::Drain(read(kind, &payload)?),
        DRAINED => nothing(kind, &payload, Frame::Drained)?,
        TAKE_SNAPSHOT => Frame::TakeSnapshot(read(kind, &payload)?),
        SNAPSHOT_PIECE => Frame::SnapshotPiece(read(kind, &payload)?),
        _ => return Err(DecodeError::Kind(kind)),
    };
    let entries_ok = match &frame {
        Frame::Request(_, head) => fits(&head.headers),
        Frame::Egress(_, head) => fits(&head.headers),
        Frame::Response(_, head) => {
            fits(&head.headers) && head.reason.as_ref().is_none_or(|reason| reason.len() <= REASON_BYTES_MAX)
        }
        Frame::Purge(_, purge) => purge.fits(),
        Frame::Done(_, done) => done.reads.as_ref().is_none_or(|reads| reads.fits()),
        Frame::Log(lines) => lines.len() <= LOG_LINES_MAX,
        _ => true,
    };
    if entries_ok { Ok(frame) } else { Err(DecodeError::TooMany(kind)) }
}

fn fits(headers: &Headers) -> bool {
    let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    headers.len() <= HEADERS_MAX && bytes <= HEAD_BYTES_MAX
}

fn read<T: DeserializeOwned>(kind: u8, payload: &[u8]) -> Result<T, DecodeError> {
    let (value, rest) =
        postcard::take_from_bytes(payload).map_err(|source| DecodeError::Payload { kind, source })?;
    if rest.is_empty() { Ok(value) } else { Err(DecodeError::Header(kind)) }
}

fn nothing(kind: u8, payload: &[u8], frame: Frame) -> Result<Frame, DecodeError> {
    if payload.is_empty() { Ok(frame) } else { Err(DecodeError::Header(kind)) }
}

fn put_header(out: &mut BytesMut, kind: u8, stream: u32, length: usize) {
    // Lengths are bounded by FRAME_BYTES_MAX, which fits in 32 bits.
    out.put_u32_le(length as u32);
    out.put_u8(kind);
    out.put_uint_le(0, 3);
    out.put_u32_le(stream);
}

fn empty(out: &mut BytesMut, kind: u8, stream: u32) -> Result<(), DecodeError> {
    put_header(out, kind, stream, 0);
    Ok(())
}

fn body(out: &mut BytesMut, stream: u32, data: &[u8]) -> Result<(), DecodeError> {
    if data.len() > BODY_FRAME_BYTES_MAX {
        return Err(DecodeError::TooLong { kind: BODY, length: data.len() });
    }
    out.reserve(HEADER_BYTES + data.len());
    put_header(out, BODY, stream, data.len());
    out.put_slice(data);
    Ok(())
}

fn structured<T: Serialize>(
    out: &mut BytesMut,
    kind: u8,
    stream: u32,
    payload: &T,
) -> Result<(), DecodeError> {
    let start = out.len();
    put_header(out, kind, stream, 0);
    *out = postcard::serialize_with_flavor(payload, Appended(std::mem::take(out)))
        .map_err(|source| DecodeError::Payload { kind, source })?;
    let length = out.len() - start - HEADER_BYTES;
    if length > FRAME_BYTES_MAX {
        out.truncate(start);
        return Err(DecodeError::TooLong { kind, length });
    }
    out[start..start + 4].copy_from_slice(&(length as u32).to_le_bytes());
    Ok(())
}

/// Lets postcard append to the buffer that the connection writes from.
struct Appended(BytesMut);

impl postcard::ser_flavors::Flavor for Appended {
    type Output = BytesMut;

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.put_u8(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.put_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<BytesMut> {
        Ok(self.0)
    }
}
